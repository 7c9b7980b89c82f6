// Command tranship moves services from Mesos, DC/OS or Swarm to Kubernetes.
package main

import (
	"os"

	"github.com/tranship/tranship/internal/ui/cli"
)

func main() { os.Exit(cli.Main(os.Args[1:])) }
