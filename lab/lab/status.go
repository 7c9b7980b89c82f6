package lab

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"text/tabwriter"

	"github.com/tranship/tranship/lab/frontdoor"
	"github.com/tranship/tranship/lab/host"
	"github.com/tranship/tranship/lab/image"
	"github.com/tranship/tranship/lab/tool"
)

// Errors of a lab that is not as it should be.
var (
	ErrDown = errors.New("no lab is up in this folder: `lab up` makes one")
	ErrSick = errors.New("not all of the lab is well")
)

// Status prints what runs and how it is. It returns ErrSick when a process has ended, a node is not ready, or up never
// came to its end.
func Status(ctx context.Context, l Layout, out io.Writer) error {
	if err := host.Check(); err != nil {
		return err
	}
	facts, err := Read(l.Facts())
	if errors.Is(err, fs.ErrNotExist) {
		return ErrDown
	}
	if err != nil {
		return err
	}
	all, err := l.table().All()
	if err != nil {
		return err
	}
	sick := !facts.Ready
	if sick {
		fmt.Fprintln(out, "the last `lab up` has not come to its end")
	}
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "PROCESS\tPID\tSTATE\tNAMESPACE")
	for _, r := range all {
		state := "runs"
		if !r.Alive() {
			state, sick = "ended, see "+r.Log, true
		}
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\n", r.Name, r.PID, state, r.Namespace)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("print status: %w", err)
	}
	if _, ok, err := l.table().Find("kube-apiserver"); err != nil {
		return err
	} else if ok {
		line := tool.Inside(l.LAN(), facts.Kubernetes.Kubectl, "--kubeconfig", facts.Kubernetes.Kubeconfig, "--request-timeout=5s", "get", "nodes")
		nodes, err := tool.Run(ctx, line[0], line[1:]...)
		if err != nil {
			nodes, sick = err.Error()+"\n", true
		}
		sick = sick || strings.Contains(nodes, "NotReady")
		fmt.Fprintf(out, "\n%s", nodes)
	}
	if _, ok, err := l.table().Find("haproxy"); err != nil {
		return err
	} else if ok {
		servers, err := servers(ctx, facts.FrontDoor.Socket)
		if err != nil {
			servers, sick = err.Error()+"\n", true
		}
		fmt.Fprintf(out, "\n%s", servers)
	}
	if sick {
		return ErrSick
	}
	return nil
}

// servers is a table of the front door's servers. One that is down is no fault of the lab: the old world may not be there.
func servers(ctx context.Context, socket string) (string, error) {
	text, err := frontdoor.Ask(ctx, socket, "show stat -1 4 -1")
	if err != nil {
		return "", err
	}
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, "# "))).ReadAll()
	if err != nil || len(rows) == 0 {
		return "", fmt.Errorf("read haproxy's answer: %w", err)
	}
	column := map[string]int{}
	for i, name := range rows[0] {
		column[name] = i
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "BACKEND\tSERVER\tSTATE\tWEIGHT\tADDRESS")
	for _, r := range rows[1:] {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", r[column["pxname"]], r[column["svname"]], r[column["status"]], r[column["weight"]], r[column["addr"]])
	}
	if err := w.Flush(); err != nil {
		return "", fmt.Errorf("print servers: %w", err)
	}
	return b.String(), nil
}

// Exec becomes a command in the namespace of the control plane and the front door, with the way to the cluster and the
// lab's facts in its environment.
func Exec(l Layout, command []string) error {
	if err := host.Check(); err != nil {
		return err
	}
	facts, err := Read(l.Facts())
	if errors.Is(err, fs.ErrNotExist) {
		return ErrDown
	}
	if err != nil {
		return err
	}
	line := tool.Inside(facts.Namespaces.LAN, command...)
	program, err := exec.LookPath(line[0])
	if err != nil {
		return fmt.Errorf("run %s: %w", command[0], err)
	}
	env := append(os.Environ(), "KUBECONFIG="+facts.Kubernetes.Kubeconfig, "TRANSHIP_LAB="+l.Facts(), "PATH="+facts.Bin+":"+os.Getenv("PATH"))
	if err := syscall.Exec(program, line, env); err != nil {
		return fmt.Errorf("run %s: %w", command[0], err)
	}
	return nil
}

// Load gives every node the images in archives, as `docker save` writes them.
func Load(ctx context.Context, l Layout, archives []string) error {
	if err := host.Check(); err != nil {
		return err
	}
	facts, err := Read(l.Facts())
	if errors.Is(err, fs.ErrNotExist) {
		return ErrDown
	}
	if err != nil {
		return err
	}
	for _, n := range facts.Kubernetes.Nodes {
		for _, a := range archives {
			file, err := filepath.Abs(a)
			if err != nil {
				return fmt.Errorf("find archive: %w", err)
			}
			if err := image.Load(ctx, n.Containerd, file); err != nil {
				return fmt.Errorf("load image into node %s: %w", n.Name, err)
			}
		}
	}
	return nil
}
