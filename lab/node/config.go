package node

import (
	"fmt"
	"maps"
	"slices"
)

// containerd's configuration. Its state is on the node's own /run.
func (n Node) containerd() string {
	return fmt.Sprintf(`version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
oom_score = 0
disabled_plugins = [
  "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.internal.v1.opt",
]
[grpc]
  address = %q
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = %q
  stream_server_address = "127.0.0.1"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = %q
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
`, n.Socket(), PauseImage, n.file("cni"))
}

// cni is the pods' network: a bridge on the node; other nodes' pods are reached by routes.
func (n Node) cni() string {
	return fmt.Sprintf(`{"cniVersion": "0.4.0", "name": "tranship-%s", "plugins": [
  {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": false, "hairpinMode": true,
   "ipam": {"type": "host-local", "dataDir": "/run/ipam", "ranges": [[{"subnet": %q}]], "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}
]}
`, n.Name, n.PodCIDR)
}

// kubelet's configuration. Limits of eviction are low because the node's disk and memory are the machine's.
func (n Node) kubelet() string {
	return fmt.Sprintf(`apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
failCgroupV1: false
cgroupDriver: cgroupfs
cgroupRoot: %q
enforceNodeAllocatable: []
containerRuntimeEndpoint: unix://%s
address: %[3]s
healthzBindAddress: %[3]s
readOnlyPort: 0
tlsCertFile: %q
tlsPrivateKeyFile: %q
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: %q}}
authorization: {mode: Webhook}
clusterDNS: [%q]
clusterDomain: cluster.local
resolvConf: %q
failSwapOn: false
podLogsDir: /var/log/pods
volumePluginDir: /var/lib/kubelet/plugins/volume
maxPods: 110
evictionHard: {memory.available: 100Mi, nodefs.available: 2%%, imagefs.available: 2%%, nodefs.inodesFree: 1%%}
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
nodeStatusUpdateFrequency: 5s
syncFrequency: 10s
`, n.Cgroup, n.Socket(), n.Address, n.PKI.Cert(n.Name), n.PKI.Key(n.Name), n.PKI.CA(), n.DNS, n.file("resolv.conf"))
}

// proxy is kube-proxy's configuration. The table of connections is left as it is: only the machine's own namespace may
// size it.
func (n Node) proxy() string {
	return fmt.Sprintf(`apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: nftables
clusterCIDR: %s
clientConnection: {kubeconfig: %q}
conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
nodePortAddresses: [primary]
bindAddress: %[3]s
healthzBindAddress: %[3]s:10256
metricsBindAddress: %[3]s:10249
hostnameOverride: %[4]s
`, n.Cluster, n.kubeconfig("proxy"), n.Address, n.Name)
}

func sorted(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
