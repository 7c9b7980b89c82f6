// Package main is etcd and kube-apiserver in one program, built from their Go modules as they are.
//
// Input: the name it is called by (a symbolic link, or the first argument) chooses the component, the
// remaining arguments are that component's own flags. Output: what the component gives. It never changes
// a default of either component: what the lab judges by has to be what clusters run.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
)

func main() {
	name := filepath.Base(os.Args[0])
	if name != "etcd" && name != "kube-apiserver" && len(os.Args) > 1 {
		name = os.Args[1]
		os.Args = os.Args[1:]
	}
	switch name {
	case "etcd":
		etcdmain.Main(os.Args)
	case "kube-apiserver":
		os.Exit(cli.Run(apiserver.NewAPIServerCommand()))
	default:
		fmt.Fprintf(os.Stderr, "controlplane: %s is neither etcd nor kube-apiserver\n", name)
		os.Exit(2)
	}
}
