// Package main runs the stand-in of the EBS driver beside the lab's cluster.
//
// Input: a kubeconfig and the lab's folder. Output: volumes. It never ends by itself.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/tranship/tranship/lab/disk"
)

func main() {
	kubeconfig := flag.String("kubeconfig", "", "way to the cluster")
	state := flag.String("state", "", "the lab's folder")
	flag.Parse()
	if err := run(*kubeconfig, *state); err != nil {
		fmt.Fprintln(os.Stderr, "disks:", err)
		os.Exit(1)
	}
}

func run(kubeconfig, state string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return fmt.Errorf("read kubeconfig: %w", err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("reach cluster: %w", err)
	}
	places := disk.Places{Inside: "/var/lib/disks", Node: func(name string) string { return filepath.Join(state, name, "lib", "disks") }}
	return disk.Run(ctx, client, places, func(err error) { fmt.Fprintln(os.Stderr, "disks:", err) })
}
