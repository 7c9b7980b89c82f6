package lab

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/tranship/tranship/lab/netns"
	"github.com/tranship/tranship/lab/node"
	"github.com/tranship/tranship/lab/process"
	"github.com/tranship/tranship/lab/program"
	"github.com/tranship/tranship/lab/tool"
)

//go:embed manifest
var manifests embed.FS

// Folders of programs that the lab starts without knowing them.
const (
	cargoFolder    = "cargo/cmd"
	oldWorldFolder = "oldworld/cmd/oldworld"
)

// cargo names the programs of the cargo: each becomes one image.
func (u *lifting) cargo() []string {
	if !u.want[Cargo] {
		return nil
	}
	found, _ := filepath.Glob(filepath.Join(u.Module, cargoFolder, "*", "main.go")) // the pattern is a good one
	names := make([]string, len(found))
	for i, f := range found {
		names[i] = filepath.Base(filepath.Dir(f))
	}
	return names
}

func (u *lifting) hasOldWorld() bool {
	found, _ := filepath.Glob(filepath.Join(u.Module, oldWorldFolder, "*.go")) // the pattern is a good one
	return len(found) > 0
}

// apply gives the cluster one of the manifests.
func (u *lifting) apply(ctx context.Context, name string) error {
	text, err := manifests.ReadFile("manifest/" + name)
	if err != nil {
		return fmt.Errorf("read manifest: %w", err)
	}
	_, err = u.plane(u.ca).Kubectl(ctx, string(text), "apply", "--server-side", "--force-conflicts", "--field-manager=tranship-lab", "-f", "-")
	return err
}

// base is what every cluster of the lab has: the class of disks, who makes them, and the right to measure.
func (u *lifting) base(ctx context.Context) error {
	if err := u.apply(ctx, "base.yaml"); err != nil {
		return err
	}
	args := []string{
		filepath.Join(u.Bin, "attend"), "-kubeconfig", u.plane(u.ca).Admin(),
		"-inside", node.DisksInside, "-disks", node.Node{Dir: u.file("NODE")}.Disks(),
	}
	if u.want[Watch] {
		args = append(args, "-targets", filepath.Join(u.watch(u.ca).Targets(), "pods.json"))
	}
	_, err := u.table().Start(process.Spec{Name: "attend", Host: "control", Yields: true, Namespace: u.LAN(), Args: args})
	return err
}

// metrics has metrics-server run, and waits until nodes can be measured.
func (u *lifting) metrics(ctx context.Context) error {
	if err := u.apply(ctx, "metrics-server.yaml"); err != nil {
		return err
	}
	_, err := u.plane(u.ca).Kubectl(ctx, "", "wait", "--for=condition=Available", "apiservice/v1beta1.metrics.k8s.io", "--timeout=90s")
	return err
}

// watches starts Prometheus and Alertmanager, and waits for both.
func (u *lifting) watches(ctx context.Context) error {
	w := u.watch(u.ca)
	if err := w.Start(); err != nil {
		return err
	}
	client := netns.Client(u.LAN())
	if err := u.await(ctx, "alertmanager", func() error { return get(ctx, client, "http://"+w.Alertmanager+"/-/ready") }); err != nil {
		return err
	}
	return u.await(ctx, "prometheus", func() error { return get(ctx, client, "http://"+w.Prometheus+"/-/ready") })
}

// played starts KWOK and makes nodes for it. They are tainted, so that nothing lands there by accident.
func (u *lifting) played(ctx context.Context) error {
	kwok := filepath.Join(u.Bin, program.KWOK.Name)
	stages, err := tool.Run(ctx, kwok, "stages")
	if err != nil {
		return err
	}
	file := u.file("kwok-stages.yaml")
	if err := os.WriteFile(file, []byte(stages), 0o644); err != nil {
		return fmt.Errorf("keep KWOK's stages: %w", err)
	}
	if _, err := u.table().Start(process.Spec{Name: "kwok", Namespace: u.LAN(), Args: []string{
		kwok, "--kubeconfig=" + u.plane(u.ca).Admin(), "--manage-all-nodes=false", "--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake",
		"--node-lease-duration-seconds=40", "--server-address=127.0.0.1:10247", "--config=" + file,
	}}); err != nil {
		return err
	}
	text, err := json.Marshal(playedNodes(u.FakeNodes))
	if err != nil {
		return fmt.Errorf("write nodes: %w", err)
	}
	_, err = u.plane(u.ca).Kubectl(ctx, string(text), "apply", "--server-side", "--field-manager=tranship-lab", "-f", "-")
	if err != nil {
		return err
	}
	_, err = u.plane(u.ca).Kubectl(ctx, "", "wait", "--for=condition=Ready", "node", "-l", "type=kwok", "--timeout=120s")
	return err
}

// playedNodes are n large nodes over three zones.
func playedNodes(n int) map[string]any {
	room := map[string]any{"cpu": "32", "memory": "256Gi", "pods": "110", "ephemeral-storage": "100Gi"}
	items := make([]any, n)
	for i := range items {
		name := fmt.Sprintf("played-%04d", i+1)
		items[i] = map[string]any{
			"apiVersion": "v1", "kind": "Node",
			"metadata": map[string]any{
				"name": name, "annotations": map[string]string{"kwok.x-k8s.io/node": "fake"},
				"labels": map[string]string{
					"type": "kwok", "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
					"topology.kubernetes.io/zone": "lab-" + string(rune('a'+i%3)),
				},
			},
			"spec":   map[string]any{"taints": []any{map[string]string{"key": "kwok.x-k8s.io/node", "value": "fake", "effect": "NoSchedule"}}},
			"status": map[string]any{"capacity": room, "allocatable": room},
		}
	}
	return map[string]any{"apiVersion": "v1", "kind": "List", "items": items}
}

// oldWorld starts the stand-in of Mesos with the telemetry estate, and waits until its services answer at the front door.
func (u *lifting) oldWorld(ctx context.Context) error {
	if !u.hasOldWorld() {
		u.line("  no %s in this checkout: the old world is left out", oldWorldFolder)
		return nil
	}
	const name = "oldworld"
	if _, err := u.table().Start(process.Spec{Name: name, Host: name, Namespace: u.Old(), Args: []string{
		filepath.Join(u.Bin, "oldworld"), "-facts", u.Facts(), "-state", u.file("oldworld"),
	}}); err != nil {
		return err
	}
	client := netns.Client(u.Old())
	if err := u.await(ctx, name, func() error { return get(ctx, client, "http://"+old+":8080/v2/info") }); err != nil {
		return err
	}
	if !u.want[Cargo] {
		return nil
	}
	if err := u.estate(ctx); err != nil || !u.want[FrontDoor] {
		return err
	}
	door := netns.Client(u.LAN())
	for _, s := range u.door().Services {
		if s.Check == "" {
			continue // the estate could not have started without its database
		}
		if err := u.await(ctx, name, func() error { return get(ctx, door, "http://"+s.Bind+s.Check) }); err != nil {
			return err
		}
	}
	return nil
}

// await asks until the answer is good, the process has ended, or a minute is over.
func (u *lifting) await(ctx context.Context, name string, ask func() error) error {
	limit := time.Now().Add(time.Minute)
	for {
		err := ask()
		if err == nil {
			return nil
		}
		if r, ok, findErr := u.table().Find(name); findErr != nil || !ok || !r.Alive() {
			return errors.Join(findErr, fmt.Errorf("%s ended:\n%s", name, u.table().Tail(name)))
		}
		if time.Now().After(limit) {
			return fmt.Errorf("wait for %s: %w; its log ends:\n%s", name, err, u.table().Tail(name))
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(100 * time.Millisecond):
		}
	}
}
