package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/tranship/tranship/lab/program"
)

// FakeNode is the annotation of nodes that KWOK plays.
const FakeNode = "kwok.x-k8s.io/node"

// controllers are those that make pods of workloads and look after nodes and claims. What needs metrics, a cloud or
// certificates is left out: it has nothing to do here.
var controllers = []string{
	"deployment-controller", "replicaset-controller", "statefulset-controller", "daemonset-controller",
	"node-lifecycle-controller", "taint-eviction-controller", "garbage-collector-controller",
	"persistentvolume-binder-controller", "disruption-controller",
}

// Schedule starts kube-controller-manager, kube-scheduler with its default profile, and KWOK, which makes nodes that
// have the annotation FakeNode ready and what is bound to them run. The assets need the program of BuildNodes.
func (c *Cluster) Schedule(ctx context.Context) error {
	ports, err := freePorts(1)
	if err != nil {
		return err
	}
	kubeconfig, err := c.kubeconfig()
	if err != nil {
		return err
	}
	kwok := filepath.Join(c.assets, program.KWOK.Name)
	text, err := exec.CommandContext(ctx, kwok, "stages").Output()
	if err != nil {
		return fmt.Errorf("ask KWOK for its stages: %w", err)
	}
	stages := filepath.Join(c.dir, "stages.yaml")
	if err := os.WriteFile(stages, text, 0o644); err != nil {
		return fmt.Errorf("keep KWOK's stages: %w", err)
	}
	for _, x := range []struct {
		name, program string
		args          []string
	}{
		{"kube-controller-manager", "kube-controller-manager", []string{
			"--kubeconfig=" + kubeconfig, "--leader-elect=false", "--secure-port=0", "--profiling=false",
			"--controllers=" + strings.Join(controllers, ","), "--kube-api-qps=1000", "--kube-api-burst=2000",
			"--pvclaimbinder-sync-period=1s", // not 15s: a claim whose volume comes a moment later is waited for
		}},
		// No --config: its default profile is what clusters have.
		{"kube-scheduler", "kube-scheduler", []string{
			"--kubeconfig=" + kubeconfig, "--leader-elect=false", "--secure-port=0", "--profiling=false",
			"--kube-api-qps=2000", "--kube-api-burst=4000",
		}},
		{"kwok", program.KWOK.Name, []string{
			"--kubeconfig=" + kubeconfig, "--manage-all-nodes=false", "--manage-nodes-with-annotation-selector=" + FakeNode + "=fake",
			"--node-lease-duration-seconds=40", "--server-address=127.0.0.1:" + ports[0], "--config=" + stages,
		}},
	} {
		p, err := start(x.name, filepath.Join(c.assets, x.program), filepath.Join(c.dir, x.name+".log"), x.args...)
		if err != nil {
			return err
		}
		c.placing = append(c.placing, p)
	}
	// A wrong flag ends a component at once.
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(time.Second):
	}
	return c.Health()
}

// Health tells whether a process has ended by itself, and how.
func (c *Cluster) Health() error {
	var errs []error
	for _, p := range append([]*process{c.etcd, c.api}, c.placing...) {
		select {
		case <-p.done:
			errs = append(errs, fmt.Errorf("%s ended: %v\n%s", p.name, p.err, p.tail()))
		default:
		}
	}
	return errors.Join(errs...)
}

// kubeconfig writes the administrator's way in for components that take a file.
func (c *Cluster) kubeconfig() (string, error) {
	k := clientcmdapi.NewConfig()
	k.Clusters["lab"] = &clientcmdapi.Cluster{Server: c.config.Host, CertificateAuthority: c.config.CAFile}
	k.AuthInfos["lab"] = &clientcmdapi.AuthInfo{Token: c.config.BearerToken}
	k.Contexts["lab"] = &clientcmdapi.Context{Cluster: "lab", AuthInfo: "lab"}
	k.CurrentContext = "lab"
	file := filepath.Join(c.dir, "kubeconfig")
	if err := clientcmd.WriteToFile(*k, file); err != nil {
		return "", fmt.Errorf("keep kubeconfig: %w", err)
	}
	return file, nil
}
