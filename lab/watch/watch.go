// Package watch runs Prometheus and Alertmanager over all that the lab runs.
//
// Input: addresses. Output: configurations and two running servers. It never sends an alert out of the lab.
package watch

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/tranship/tranship/lab/pki"
	"github.com/tranship/tranship/lab/process"
)

// Watch is both servers.
type Watch struct {
	Table        process.Table
	Dir          string
	Namespace    string
	Prometheus   string // addresses to listen at
	Alertmanager string
	FrontDoor    string // address of HAProxy's metrics
	Kubelets     []string
	PKI          *pki.Authority
}

// Targets is a folder of further targets: Prometheus reads every *.json in it, and sees when one changes.
func (w Watch) Targets() string { return filepath.Join(w.Dir, "targets") }

// Rules holds rules, *.yaml, which Prometheus reads when it starts and when it gets a POST to /-/reload.
func (w Watch) Rules() string { return filepath.Join(w.Dir, "rules") }

// Start runs what is not running.
func (w Watch) Start() error {
	for _, dir := range []string{w.Targets(), w.Rules()} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("start prometheus: %w", err)
		}
	}
	for name, text := range map[string]string{"prometheus.yaml": w.prometheus(), "alertmanager.yaml": alertmanager} {
		if err := os.WriteFile(filepath.Join(w.Dir, name), []byte(text), 0o644); err != nil {
			return fmt.Errorf("start prometheus: %w", err)
		}
	}
	for _, s := range []process.Spec{
		{Name: "alertmanager", Args: []string{
			"prometheus-alertmanager", "--config.file=" + filepath.Join(w.Dir, "alertmanager.yaml"), "--storage.path=" + filepath.Join(w.Dir, "alerts"),
			"--web.listen-address=" + w.Alertmanager, "--cluster.listen-address=", "--log.level=warn",
		}},
		{Name: "prometheus", Args: []string{
			"prometheus", "--config.file=" + filepath.Join(w.Dir, "prometheus.yaml"), "--storage.tsdb.path=" + filepath.Join(w.Dir, "series"),
			"--storage.tsdb.retention.time=6h", "--web.listen-address=" + w.Prometheus, "--web.enable-lifecycle", "--log.level=warn",
		}},
	} {
		s.Namespace, s.Dir, s.Host, s.Yields = w.Namespace, w.Dir, "watch", true
		if _, err := w.Table.Start(s); err != nil {
			return err
		}
	}
	return nil
}

// prometheus is its configuration. Debian's cannot ask Kubernetes for pods: package target writes their addresses.
func (w Watch) prometheus() string {
	quoted := make([]string, len(w.Kubelets))
	for i, k := range w.Kubelets {
		quoted[i] = fmt.Sprintf("%q", k)
	}
	tls := fmt.Sprintf("{ca_file: %q, cert_file: %q, key_file: %q}", w.PKI.CA(), w.PKI.Cert("prometheus"), w.PKI.Key("prometheus"))
	return fmt.Sprintf(`global: {scrape_interval: 5s, evaluation_interval: 5s}
rule_files: [rules/*.yaml]
alerting: {alertmanagers: [{static_configs: [{targets: [%[1]q]}]}]}
scrape_configs:
- job_name: front-door
  static_configs: [{targets: [%[2]q]}]
- job_name: kubelet
  scheme: https
  tls_config: %[4]s
  static_configs: [{targets: [%[3]s]}]
- job_name: resources
  scheme: https
  metrics_path: /metrics/resource
  tls_config: %[4]s
  static_configs: [{targets: [%[3]s]}]
- job_name: containers
  scheme: https
  metrics_path: /metrics/cadvisor
  tls_config: %[4]s
  static_configs: [{targets: [%[3]s]}]
- job_name: targets
  file_sd_configs: [{files: [targets/*.json], refresh_interval: 5s}]
`, w.Alertmanager, w.FrontDoor, strings.Join(quoted, ", "), tls)
}

// alertmanager keeps all alerts to be looked at, and sends none.
const alertmanager = `route: {receiver: none, group_wait: 5s, group_interval: 10s}
receivers: [{name: none}]
`
