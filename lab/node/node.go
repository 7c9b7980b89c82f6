// Package node runs one real node: containerd, kubelet and kube-proxy in a network namespace, with mounts and cgroups
// of its own.
//
// Input: a name, addresses, programs, certificates. Output: a node that registers itself. What its programs mount and
// where they keep things by old habit (/run, /var/lib, /var/log) is the node's alone, so that all of it is gone with its
// processes. It never listens outside of its namespace.
package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tranship/tranship/lab/cgroup"
	"github.com/tranship/tranship/lab/image"
	"github.com/tranship/tranship/lab/pki"
	"github.com/tranship/tranship/lab/process"
	"github.com/tranship/tranship/lab/tool"
)

// patience is how long containerd may take to answer.
const patience = 30 * time.Second

// PauseImage holds the namespaces of pods.
const PauseImage = "lab.local/pause:1"

// Node is one machine's stand-in.
type Node struct {
	Name      string
	Dir       string // its files
	Table     process.Table
	Bin       string
	PKI       *pki.Authority
	Namespace string
	Address   string
	PodCIDR   string // of its pods, ClusterCIDR of all
	Cluster   string
	Server    string // URL of the API server
	DNS       string
	Cgroup    string // below which its pods are, as kubelet names it: /tranship-lab/node1
	Labels    map[string]string
}

// Socket is containerd's.
func (n Node) Socket() string { return filepath.Join(n.Dir, "containerd.sock") }

// Disks is where the directories of claims are, seen from the machine; the node itself sees it as DisksInside.
func (n Node) Disks() string { return filepath.Join(n.Dir, "lib", "disks") }

// DisksInside is the folder Disks as the node sees it.
const DisksInside = "/var/lib/disks"

// Start runs what is not running, gives containerd the images, and returns when kubelet and kube-proxy have been
// started. The images' archives come in the order in which they are needed.
func (n Node) Start(ctx context.Context, archives []string) error {
	if err := n.prepare(); err != nil {
		return err
	}
	holder, err := n.hold(ctx)
	if err != nil {
		return err
	}
	if err := n.start(holder, "containerd", "containerd", "--config", n.file("containerd.toml"), "--log-level", "warn"); err != nil {
		return err
	}
	if err := n.answers(ctx); err != nil {
		return err
	}
	for _, a := range archives {
		if err := n.Load(ctx, a); err != nil {
			return err
		}
	}
	if err := n.start(holder, "kubelet", filepath.Join(n.Bin, "kubelet"),
		"--config="+n.file("kubelet.yaml"), "--kubeconfig="+n.kubeconfig(n.Name), "--root-dir=/var/lib/kubelet", "--cert-dir=/var/lib/kubelet/pki",
		"--node-ip="+n.Address, "--hostname-override="+n.Name, "--node-labels="+n.labels()); err != nil {
		return err
	}
	return n.start(holder, "kube-proxy", filepath.Join(n.Bin, "kube-proxy"), "--config="+n.file("kube-proxy.yaml"))
}

// Load gives an image's archive to containerd, unless it has that very archive.
func (n Node) Load(ctx context.Context, archive string) error {
	info, err := os.Stat(archive)
	if err != nil {
		return fmt.Errorf("load image: %w", err)
	}
	stamp := filepath.Join(n.Dir, "loaded", filepath.Base(archive))
	now := fmt.Sprintf("%d %d\n", info.Size(), info.ModTime().UnixNano())
	if have, err := os.ReadFile(stamp); err == nil && string(have) == now {
		return nil
	}
	if err := image.Load(ctx, n.Socket(), archive); err != nil {
		return fmt.Errorf("load image into node %s: %w", n.Name, err)
	}
	return write(stamp, now, 0o644)
}

// Parts are the names of the node's processes, in the order in which they are to be stopped.
func (n Node) Parts() []string {
	return []string{n.part("kubelet"), n.part("kube-proxy"), n.part("containerd"), n.part("mounts")}
}

func (n Node) part(name string) string { return n.Name + "-" + name }

func (n Node) file(name string) string { return filepath.Join(n.Dir, name) }

func (n Node) kubeconfig(name string) string {
	return filepath.Join(filepath.Dir(n.PKI.CA()), name+".kubeconfig")
}

// prepare writes what the programs read.
func (n Node) prepare() error {
	if err := n.PKI.Issue(n.Name, pki.Subject{User: "system:node:" + n.Name, Groups: []string{"system:nodes"}, Names: []string{n.Name, n.Address}}); err != nil {
		return err
	}
	if _, err := n.PKI.Kubeconfig(n.Name, n.Server); err != nil {
		return err
	}
	for name, text := range map[string]string{
		"containerd.toml": n.containerd(), "kubelet.yaml": n.kubelet(), "kube-proxy.yaml": n.proxy(), "cni/10-bridge.conflist": n.cni(),
		"resolv.conf": "nameserver " + n.DNS + "\n",
	} {
		if err := write(n.file(name), text, 0o644); err != nil {
			return err
		}
	}
	for _, dir := range []string{"lib/disks", "log"} {
		if err := os.MkdirAll(n.file(dir), 0o755); err != nil {
			return fmt.Errorf("prepare node %s: %w", n.Name, err)
		}
	}
	return cgroup.Make(n.Cgroup)
}

// hold starts the process that keeps the node's mount namespace, so that containerd and kubelet can be started again
// into the same one, and gives its id.
func (n Node) hold(ctx context.Context) (int, error) {
	name, ready := n.part("mounts"), n.file("mounts-ready")
	if r, ok, err := n.Table.Find(name); err != nil {
		return 0, err
	} else if !ok || !r.Alive() {
		if err := os.Remove(ready); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return 0, fmt.Errorf("prepare node %s: %w", n.Name, err)
		}
	}
	script := fmt.Sprintf(`mount --make-rshared /
mount -t tmpfs -o mode=755 tmpfs /run
mount --bind %[1]s/lib /var/lib
mount --bind %[1]s/log /var/log
: > %[2]s
exec sleep infinity`, n.Dir, ready)
	r, err := n.Table.Start(process.Spec{
		Name: name, Namespace: n.Namespace, Dir: "/",
		Args: []string{"unshare", "--mount", "--propagation", "private", "--", "sh", "-ec", script},
	})
	if err != nil {
		return 0, err
	}
	err = n.wait(ctx, name, func() error {
		_, err := os.Stat(ready)
		return err
	})
	return r.PID, err
}

func (n Node) start(holder int, part string, args ...string) error {
	_, err := n.Table.Start(process.Spec{Name: n.part(part), Host: n.part("system"), Yields: true, Namespace: n.Namespace, Mounts: holder, Dir: "/", Args: args})
	return err
}

// answers waits for containerd.
func (n Node) answers(ctx context.Context) error {
	return n.wait(ctx, n.part("containerd"), func() error {
		_, err := tool.Run(ctx, "ctr", "--address", n.Socket(), "--timeout", "2s", "version")
		return err
	})
}

func (n Node) wait(ctx context.Context, part string, ask func() error) error {
	limit := time.Now().Add(patience)
	for {
		err := ask()
		if err == nil {
			return nil
		}
		if r, ok, findErr := n.Table.Find(part); findErr != nil || !ok || !r.Alive() {
			return errors.Join(findErr, fmt.Errorf("%s ended:\n%s", part, n.Table.Tail(part)))
		}
		if time.Now().After(limit) {
			return fmt.Errorf("wait for %s: %w; its log ends:\n%s", part, err, n.Table.Tail(part))
		}
		select {
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (n Node) labels() string {
	var list []string
	for _, k := range sorted(n.Labels) {
		list = append(list, k+"="+n.Labels[k])
	}
	return strings.Join(list, ",")
}

// write leaves a file alone that has the text already: kube-proxy ends when its configuration is touched.
func write(file, text string, mode fs.FileMode) error {
	if have, err := os.ReadFile(file); err == nil && string(have) == text {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(file), err)
	}
	if err := os.WriteFile(file, []byte(text), mode); err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(file), err)
	}
	return nil
}
