package node

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	proxyconfig "k8s.io/kube-proxy/config/v1alpha1"
	kubeletconfig "k8s.io/kubelet/config/v1beta1"
	"sigs.k8s.io/yaml"

	"github.com/tranship/tranship/lab/pki"
)

func example(t *testing.T) Node {
	t.Helper()
	a, err := pki.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return Node{
		Name: "node1", Dir: "/lab/node1", PKI: a, Address: "10.200.0.21", PodCIDR: "10.201.1.0/24", Cluster: "10.201.0.0/16",
		DNS: "10.96.0.10", Cgroup: "/tranship-lab/node1",
	}
}

// Kubelet and kube-proxy know every field that is written for them.
func TestConfigurationsAreTheComponentsOwn(t *testing.T) {
	n := example(t)
	var k kubeletconfig.KubeletConfiguration
	if err := yaml.UnmarshalStrict([]byte(n.kubelet()), &k); err != nil {
		t.Errorf("kubelet: %v", err)
	}
	if k.CgroupRoot != n.Cgroup || k.Address != n.Address || k.FailCgroupV1 == nil || *k.FailCgroupV1 {
		t.Errorf("kubelet: cgroup %q, address %q, failCgroupV1 %v", k.CgroupRoot, k.Address, k.FailCgroupV1)
	}
	var p proxyconfig.KubeProxyConfiguration
	if err := yaml.UnmarshalStrict([]byte(n.proxy()), &p); err != nil {
		t.Errorf("kube-proxy: %v", err)
	}
	if p.ClusterCIDR != n.Cluster || p.HostnameOverride != n.Name {
		t.Errorf("kube-proxy: cluster %q, name %q", p.ClusterCIDR, p.HostnameOverride)
	}
}

// The pods' network is JSON with the node's own range.
func TestNetworkHasTheNodesRange(t *testing.T) {
	var list struct {
		Plugins []struct {
			Type string
			IPAM struct{ Ranges [][]struct{ Subnet string } }
		}
	}
	if err := json.Unmarshal([]byte(example(t).cni()), &list); err != nil {
		t.Fatal(err)
	}
	if len(list.Plugins) != 2 || list.Plugins[0].Type != "bridge" || list.Plugins[0].IPAM.Ranges[0][0].Subnet != "10.201.1.0/24" {
		t.Errorf("plugins = %+v", list.Plugins)
	}
}

// A file that has its text already is not touched: kube-proxy ends when its configuration is.
func TestUnchangedFileIsNotTouched(t *testing.T) {
	file := filepath.Join(t.TempDir(), "kube-proxy.yaml")
	if err := write(file, "a", 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(file, 0o600); err != nil { // which a new write would not undo, but a new file would
		t.Fatal(err)
	}
	before, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := write(file, "a", 0o644); err != nil {
		t.Fatal(err)
	}
	after, err := os.Stat(file)
	if err != nil || !after.ModTime().Equal(before.ModTime()) {
		t.Errorf("modified at %v, then %v, %v", before.ModTime(), after.ModTime(), err)
	}
}
