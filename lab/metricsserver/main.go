// Package main is metrics-server, unchanged: it gives nodes' and pods' usage to `kubectl top` and to HorizontalPodAutoscalers.
//
// Input: metrics-server's own flags. Output: what metrics-server gives. It never changes a default.
package main

import (
	"fmt"
	"os"

	"k8s.io/apiserver/pkg/server"
	"k8s.io/component-base/logs"
	"sigs.k8s.io/metrics-server/cmd/metrics-server/app"
)

func main() {
	logs.InitLogs()
	defer logs.FlushLogs()
	if err := app.NewMetricsServerCommand(server.SetupSignalHandler()).Execute(); err != nil {
		fmt.Fprintln(os.Stderr, "metrics-server:", err)
		os.Exit(1)
	}
}
