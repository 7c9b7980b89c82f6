// Package cluster builds and runs a Kubernetes control plane on the loopback device: etcd and kube-apiserver, and, where
// pods are to be placed, kube-controller-manager, kube-scheduler and KWOK in the place of nodes.
//
// Input: the sources in the folders controlplane and kwok, and a cache folder. Output: a running API server and the way
// to reach it. It never listens on anything but 127.0.0.1, never reads a kubeconfig, and leaves no process and no
// file behind but the cache.
package cluster

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

const (
	startTimeout = 2 * time.Minute
	stopGrace    = 10 * time.Second
	attempts     = 3
)

// Cluster is a control plane that runs. It has no controllers, no scheduler and no nodes until Schedule starts them: it
// judges, it runs nothing.
type Cluster struct {
	dir       string
	assets    string
	etcd, api *process
	placing   []*process // controllers, scheduler and KWOK
	config    *rest.Config
	version   string
}

// Start runs etcd and kube-apiserver from the folder assets, and returns when the API server is ready. Ports are
// whatever is free; should another program take one in between, it starts again with others.
func Start(ctx context.Context, assets string) (*Cluster, error) {
	assets, err := filepath.Abs(assets)
	if err != nil {
		return nil, fmt.Errorf("find assets: %w", err)
	}
	for _, name := range []string{"etcd", "kube-apiserver"} {
		if _, err := os.Stat(filepath.Join(assets, name)); err != nil {
			return nil, fmt.Errorf("find assets: %w", err)
		}
	}
	var errs []error
	for range attempts {
		c, err := startOnce(ctx, assets)
		if err == nil {
			return c, nil
		}
		errs = append(errs, err)
		if ctx.Err() != nil {
			break
		}
	}
	return nil, errors.Join(errs...)
}

// Config is an administrator's way in, without a limit on requests.
func (c *Cluster) Config() *rest.Config { return rest.CopyConfig(c.config) }

// Version is what the API server says of itself.
func (c *Cluster) Version() string { return c.version }

// PIDs are the processes of etcd, of the API server, and of what Schedule started.
func (c *Cluster) PIDs() []int {
	var pids []int
	for _, p := range append([]*process{c.etcd, c.api}, c.placing...) {
		if p != nil {
			pids = append(pids, p.cmd.Process.Pid)
		}
	}
	return pids
}

// Stop ends all processes, waits for them, and removes their data.
func (c *Cluster) Stop() error {
	for _, p := range c.placing {
		p.stop(stopGrace)
	}
	if c.api != nil {
		c.api.stop(stopGrace)
	}
	if c.etcd != nil {
		c.etcd.stop(stopGrace)
	}
	if err := os.RemoveAll(c.dir); err != nil {
		return fmt.Errorf("remove cluster's data: %w", err)
	}
	return nil
}

func startOnce(ctx context.Context, assets string) (*Cluster, error) {
	dir, err := os.MkdirTemp("", "tranship-lab-")
	if err != nil {
		return nil, fmt.Errorf("make cluster's folder: %w", err)
	}
	c := &Cluster{dir: dir, assets: assets}
	if err := c.run(ctx, assets); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	return c, nil
}

func (c *Cluster) run(ctx context.Context, assets string) error {
	ports, err := freePorts(3)
	if err != nil {
		return err
	}
	client, peer, secure := "http://127.0.0.1:"+ports[0], "http://127.0.0.1:"+ports[1], ports[2]
	token, err := c.credentials()
	if err != nil {
		return err
	}

	c.etcd, err = start("etcd", filepath.Join(assets, "etcd"), filepath.Join(c.dir, "etcd.log"),
		"--data-dir="+filepath.Join(c.dir, "etcd"), "--unsafe-no-fsync", "--log-level=warn",
		"--listen-client-urls="+client, "--advertise-client-urls="+client,
		"--listen-peer-urls="+peer, "--initial-advertise-peer-urls="+peer, "--initial-cluster=default="+peer)
	if err != nil {
		return err
	}
	serviceAccount := filepath.Join(c.dir, "service-account.pem")
	c.api, err = start("kube-apiserver", filepath.Join(assets, "kube-apiserver"), filepath.Join(c.dir, "kube-apiserver.log"),
		"--etcd-servers="+client, "--bind-address=127.0.0.1", "--secure-port="+secure,
		"--cert-dir="+filepath.Join(c.dir, "tls"), "--token-auth-file="+filepath.Join(c.dir, "tokens.csv"),
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file="+serviceAccount, "--service-account-signing-key-file="+serviceAccount,
		"--service-cluster-ip-range=10.96.0.0/16", "--authorization-mode=Node,RBAC", "--allow-privileged", "--profiling=false",
		// Nothing runs here: no address of the server is to be announced, and a dry-run Pod may name a
		// ServiceAccount that the same dry run did not keep.
		"--endpoint-reconciler-type=none", "--disable-admission-plugins=ServiceAccount")
	if err != nil {
		return err
	}

	c.config = &rest.Config{
		Host:            "https://127.0.0.1:" + secure,
		BearerToken:     token,
		QPS:             -1, // no limit of the client's own: the server is ours
		TLSClientConfig: rest.TLSClientConfig{CAFile: filepath.Join(c.dir, "tls", "apiserver.crt")},
		UserAgent:       "tranship-lab",
	}
	return c.ready(ctx)
}

// ready waits until the API server says so, and ends early when a process has ended.
func (c *Cluster) ready(ctx context.Context) error {
	last := errors.New("no answer yet")
	err := wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, startTimeout, true, func(ctx context.Context) (bool, error) {
		for _, p := range []*process{c.etcd, c.api} {
			select {
			case <-p.done:
				return false, fmt.Errorf("%s ended: %w\n%s", p.name, p.err, p.tail())
			default:
			}
		}
		// The serving certificate is made by the server itself, so the client can only be made once it is there.
		if _, err := os.Stat(c.config.CAFile); err != nil {
			last = err
			return false, nil
		}
		client, err := kubernetes.NewForConfig(c.config)
		if err != nil {
			last = err
			return false, nil
		}
		if _, err := client.Discovery().RESTClient().Get().AbsPath("/readyz").DoRaw(ctx); err != nil {
			last = err
			return false, nil
		}
		v, err := client.Discovery().ServerVersion()
		if err != nil {
			last = err
			return false, nil
		}
		c.version = v.GitVersion
		return true, nil
	})
	if wait.Interrupted(err) {
		return fmt.Errorf("wait for the API server: %w; last: %w\n%s", err, last, c.api.tail())
	}
	if err != nil {
		return fmt.Errorf("wait for the API server: %w", err)
	}
	return nil
}

// credentials writes the key that signs service account tokens and the one administrator's token.
func (c *Cluster) credentials() (string, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return "", fmt.Errorf("make service account key: %w", err)
	}
	block := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	if err := os.WriteFile(filepath.Join(c.dir, "service-account.pem"), block, 0o600); err != nil {
		return "", fmt.Errorf("keep service account key: %w", err)
	}
	secret := make([]byte, 32)
	if _, err := rand.Read(secret); err != nil {
		return "", fmt.Errorf("make token: %w", err)
	}
	token := hex.EncodeToString(secret)
	line := token + `,lab-admin,lab-admin,"system:masters"` + "\n"
	if err := os.WriteFile(filepath.Join(c.dir, "tokens.csv"), []byte(line), 0o600); err != nil {
		return "", fmt.Errorf("keep token: %w", err)
	}
	return token, nil
}

// freePorts holds all ports open at once, so that they differ.
func freePorts(n int) ([]string, error) {
	var ports []string
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		defer l.Close()
		addr, ok := l.Addr().(*net.TCPAddr)
		if !ok {
			return nil, fmt.Errorf("find a free port: %s is no TCP address", l.Addr())
		}
		ports = append(ports, strconv.Itoa(addr.Port))
	}
	return ports, nil
}
