// Package control starts Kubernetes' control plane: etcd, API server, controllers and scheduler.
//
// Input: programs, certificates, an address in a network namespace. Output: an API server that is ready, and kubeconfigs.
// It never listens outside of its namespace.
package control

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"time"

	"github.com/tranship/tranship/lab/pki"
	"github.com/tranship/tranship/lab/process"
	"github.com/tranship/tranship/lab/tool"
)

// The ranges of addresses that the cluster gives out.
const (
	ServiceCIDR = "10.96.0.0/16"
	FirstIP     = "10.96.0.1" // of the API server's own Service
	DNS         = "10.96.0.10"
	PodCIDR     = "10.201.0.0/16"
)

// etcd's port on the loopback device of the namespace.
const etcd = "http://127.0.0.1:2379"

// patience is how long a part may take to be ready.
const patience = time.Minute

// Plane is where the control plane runs.
type Plane struct {
	Table     process.Table
	Bin       string // folder of programs
	PKI       *pki.Authority
	Namespace string
	Address   string // of the API server
}

// Server is the API server's URL.
func (p Plane) Server() string { return "https://" + net.JoinHostPort(p.Address, "6443") }

// Admin is the administrator's kubeconfig.
func (p Plane) Admin() string { return filepath.Join(filepath.Dir(p.PKI.CA()), "admin.kubeconfig") }

// Prepare makes the certificates and kubeconfigs.
func (p Plane) Prepare() error {
	if err := p.PKI.SigningKey("service-accounts"); err != nil {
		return err
	}
	for name, s := range map[string]pki.Subject{
		"apiserver": {User: "kube-apiserver", Names: []string{
			p.Address, FirstIP, "127.0.0.1", "localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local",
		}},
		"kubelet-client": {User: "kube-apiserver-kubelet-client", Groups: []string{"system:masters"}},
		"front-proxy":    {User: "front-proxy-client"},
		"admin":          {User: "admin", Groups: []string{"system:masters"}},
		"controllers":    {User: "system:kube-controller-manager"},
		"scheduler":      {User: "system:kube-scheduler"},
		"proxy":          {User: "system:kube-proxy"},
		"prometheus":     {User: "tranship-lab:prometheus"},
	} {
		if err := p.PKI.Issue(name, s); err != nil {
			return err
		}
	}
	for _, name := range []string{"admin", "controllers", "scheduler", "proxy"} {
		if _, err := p.PKI.Kubeconfig(name, p.Server()); err != nil {
			return err
		}
	}
	return nil
}

// Start runs what is not running and waits until the API server is ready and the controllers have begun.
func (p Plane) Start(ctx context.Context) error {
	for _, s := range []process.Spec{p.etcd(), p.apiserver()} {
		if _, err := p.Table.Start(s); err != nil {
			return err
		}
	}
	if err := p.wait(ctx, "kube-apiserver", "get", "--raw", "/readyz"); err != nil {
		return err
	}
	for _, s := range []process.Spec{p.controllers(), p.scheduler()} {
		if _, err := p.Table.Start(s); err != nil {
			return err
		}
	}
	// The account that pods run as is made by the controllers: without it no pod is admitted.
	return p.wait(ctx, "kube-controller-manager", "get", "serviceaccount", "default", "-n", "default")
}

// Kubectl runs kubectl as the administrator.
func (p Plane) Kubectl(ctx context.Context, in string, args ...string) (string, error) {
	line := tool.Inside(p.Namespace, append([]string{filepath.Join(p.Bin, "kubectl"), "--kubeconfig", p.Admin()}, args...)...)
	return tool.Feed(ctx, in, line[0], line[1:]...)
}

// wait asks until there is an answer, or the part that shall give it has ended.
func (p Plane) wait(ctx context.Context, part string, question ...string) error {
	limit := time.Now().Add(patience)
	for {
		_, err := p.Kubectl(ctx, "", append([]string{"--request-timeout=3s"}, question...)...)
		if err == nil {
			return nil
		}
		r, ok, findErr := p.Table.Find(part)
		if findErr != nil {
			return findErr
		}
		if !ok || !r.Alive() {
			return fmt.Errorf("%s ended:\n%s", part, p.Table.Tail(part))
		}
		if time.Now().After(limit) {
			return fmt.Errorf("wait for %s: %w; its log ends:\n%s", part, err, p.Table.Tail(part))
		}
		select {
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), err)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func (p Plane) program(name string, args ...string) process.Spec {
	return process.Spec{Name: name, Host: "control", Yields: true, Namespace: p.Namespace, Args: append([]string{filepath.Join(p.Bin, name)}, args...)}
}

func (p Plane) kubeconfig(name string) string {
	return filepath.Join(filepath.Dir(p.PKI.CA()), name+".kubeconfig")
}
