// Package main attends to the lab's cluster: it makes claims' disks, in the place of the EBS driver, and tells Prometheus
// which pods to scrape.
//
// Input: a kubeconfig and the lab's folder. Output: volumes, and a file of targets. It never ends by itself.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/tranship/tranship/lab/disk"
	"github.com/tranship/tranship/lab/target"
)

func main() {
	kubeconfig := flag.String("kubeconfig", "", "way to the cluster")
	disks := flag.String("disks", "", "folder of a node's disks, with NODE for the node's name")
	inside := flag.String("inside", "", "the same folder as the node sees it")
	targets := flag.String("targets", "", "file of Prometheus' targets; none if empty")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *kubeconfig, *disks, *inside, *targets); err != nil {
		fmt.Fprintln(os.Stderr, "attend:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, kubeconfig, disks, inside, targets string) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return fmt.Errorf("read kubeconfig: %w", err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("reach cluster: %w", err)
	}
	tell := func(err error) { fmt.Fprintln(os.Stderr, "attend:", err) }
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return disk.Run(ctx, client, disk.Places{Inside: inside, Node: place(disks)}, tell) })
	if targets != "" {
		if err := os.MkdirAll(filepath.Dir(targets), 0o755); err != nil {
			return fmt.Errorf("write targets: %w", err)
		}
		g.Go(func() error { return target.Run(ctx, client, targets, tell) })
	}
	return g.Wait()
}

// place gives the folder of a node's disks.
func place(pattern string) func(string) string {
	return func(node string) string { return strings.ReplaceAll(pattern, "NODE", node) }
}
