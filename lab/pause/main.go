// Package main is the process that holds a pod's namespaces: it does nothing until it is told to end.
//
// Input: signals. Output: nothing. It never uses the processor while it waits, and it leaves no zombie behind.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGCHLD)
	for s := range signals {
		if s != syscall.SIGCHLD {
			return
		}
		// Where a pod's containers share one namespace of processes, orphans become our children.
		for {
			if pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); pid <= 0 || err != nil {
				break
			}
		}
	}
}
