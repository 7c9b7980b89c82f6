package control

import (
	"path/filepath"

	"github.com/tranship/tranship/lab/process"
)

func (p Plane) etcd() process.Spec {
	const peer = "http://127.0.0.1:2380"
	return p.program("etcd",
		"--data-dir="+filepath.Join(p.Table.Dir, "etcd"), "--log-level=warn",
		"--unsafe-no-fsync", // a lab may lose its cluster with the machine
		"--listen-client-urls="+etcd, "--advertise-client-urls="+etcd,
		"--listen-peer-urls="+peer, "--initial-advertise-peer-urls="+peer, "--initial-cluster=default="+peer,
		"--quota-backend-bytes=4294967296", "--auto-compaction-retention=5m")
}

func (p Plane) apiserver() process.Spec {
	signing := p.PKI.Key("service-accounts")
	return p.program("kube-apiserver",
		"--etcd-servers="+etcd, "--bind-address="+p.Address, "--advertise-address="+p.Address, "--secure-port=6443",
		"--tls-cert-file="+p.PKI.Cert("apiserver"), "--tls-private-key-file="+p.PKI.Key("apiserver"), "--client-ca-file="+p.PKI.CA(),
		"--kubelet-client-certificate="+p.PKI.Cert("kubelet-client"), "--kubelet-client-key="+p.PKI.Key("kubelet-client"),
		"--kubelet-certificate-authority="+p.PKI.CA(), "--kubelet-preferred-address-types=InternalIP",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file="+signing, "--service-account-signing-key-file="+signing,
		"--service-cluster-ip-range="+ServiceCIDR, "--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction",
		"--allow-privileged", "--profiling=false",
		// What another API server, metrics-server here, needs to believe who asks; it is reached at its pods' own
		// addresses, because no Service's address works where the control plane runs.
		"--requestheader-client-ca-file="+p.PKI.CA(), "--requestheader-allowed-names=front-proxy-client",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-", "--requestheader-group-headers=X-Remote-Group", "--requestheader-username-headers=X-Remote-User",
		"--proxy-client-cert-file="+p.PKI.Cert("front-proxy"), "--proxy-client-key-file="+p.PKI.Key("front-proxy"), "--enable-aggregator-routing",
		// A lab's node that is lost is lost: its pods go elsewhere after 10 s, not after 5 minutes.
		"--default-not-ready-toleration-seconds=10", "--default-unreachable-toleration-seconds=10")
}

func (p Plane) controllers() process.Spec {
	config := p.kubeconfig("controllers")
	return p.program("kube-controller-manager",
		"--kubeconfig="+config, "--authentication-kubeconfig="+config, "--authorization-kubeconfig="+config,
		"--bind-address=127.0.0.1", "--leader-elect=false", "--profiling=false", "--use-service-account-credentials",
		"--service-account-private-key-file="+p.PKI.Key("service-accounts"), "--root-ca-file="+p.PKI.CA(),
		"--cluster-signing-cert-file="+p.PKI.CA(), "--cluster-signing-key-file="+p.PKI.Key("ca"),
		"--kube-api-qps=1000", "--kube-api-burst=2000", "--pvclaimbinder-sync-period=1s",
		"--node-monitor-period=2s",
		// Autoscaling in seconds instead of minutes, so that it can be watched.
		"--horizontal-pod-autoscaler-sync-period=5s", "--horizontal-pod-autoscaler-downscale-stabilization=20s",
		"--horizontal-pod-autoscaler-cpu-initialization-period=10s", "--horizontal-pod-autoscaler-initial-readiness-delay=5s")
}

func (p Plane) scheduler() process.Spec {
	config := p.kubeconfig("scheduler")
	return p.program("kube-scheduler",
		"--kubeconfig="+config, "--authentication-kubeconfig="+config, "--authorization-kubeconfig="+config,
		"--bind-address=127.0.0.1", "--leader-elect=false", "--profiling=false", "--kube-api-qps=2000", "--kube-api-burst=4000")
}
