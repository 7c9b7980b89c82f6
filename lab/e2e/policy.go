package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/tranship/tranship/lab/lab"
)

// Pace is how long the steps of a move take: minutes in earnest, seconds here.
type Pace struct {
	Bake, Soak, Window time.Duration
	Steps              []int
	MinRequests        int
	// Floor is what latency may be however fast the source is. Both worlds, who loads them and the control plane share
	// this machine's processors: whatever starts anywhere slows all, which is no fault of the target.
	Floor time.Duration
}

// Short and Long are the paces of `make e2e` and of `make e2e FULL=1`.
var (
	Short = Pace{Bake: 4 * time.Second, Soak: 6 * time.Second, Window: 2 * time.Second, Steps: []int{10, 50, 100}, MinRequests: 40, Floor: 3 * time.Second}
	Long  = Pace{Bake: 8 * time.Second, Soak: 20 * time.Second, Window: 5 * time.Second, Steps: []int{1, 5, 25, 50, 100}, MinRequests: 60, Floor: 3 * time.Second}
)

// policy is the tranship.yaml of the telemetry estate in the lab.
func policy(f lab.Facts, p Pace, database bool, reads string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `apiVersion: tranship.dev/v1
kind: Migration
metadata: {name: telemetry-lab}
spec:
  secrets: {store: stub}
  cpuLimits: none
  pods: {drainSeconds: 3, graceSeconds: 15}
  sizing: {from: declared}
  target:
    region: us-east-1
    survive: node
  workloads:
    /telemetry/query: {autoscale: {min: 2, max: 6, cpu: 60}}
  waves: {parallel: 2}
  move:
    source: {marathon: %q, metronome: %q, mesos: %q}
    cluster: {kubeconfig: %q, expose: node-port}
    traffic:
      haproxy: {socket: %q, config: %q, ring: %q}
    steps: [%s]
    bake: %g
    soak: %g
    window: %g
    ready: 120
    patience: 60
    after: go-on
    gates:
      minRequests: %d
      latencyRatio: 3
      latencyFloor: %g
      prometheus: %q
`, f.OldWorld.Marathon, f.OldWorld.Metronome, f.OldWorld.Mesos, f.Kubernetes.Kubeconfig,
		f.FrontDoor.Socket, f.FrontDoor.Config, f.FrontDoor.Ring,
		strings.Trim(strings.Join(strings.Fields(fmt.Sprint(p.Steps)), ", "), "[]"),
		p.Bake.Seconds(), p.Soak.Seconds(), p.Window.Seconds(), p.MinRequests, p.Floor.Seconds(), f.Watch.Prometheus)
	b.WriteString("    workloads:\n")
	for _, s := range f.FrontDoor.Services {
		if s.Mode != "http" {
			continue
		}
		fmt.Fprintf(&b, `      /telemetry/%[1]s:
        routes: [{backend: %[1]s}]
        checks: [{name: ready, http: "http://{{.Address}}/ready"}]
        identity: {path: /healthz, header: X-World, source: mesos, target: kubernetes, versionHeader: X-Version, compare: %[2]q}
        witness:
          rate: 10
          devices: 2
          settle: 4
          write:
            method: POST
            url: %[3]q
            header: {Content-Type: application/json}
            body: '{"device":"{{.Device}}","seq":{{.Sequence}},"at":"{{.At}}","value":1}'
          read:
            url: '%[4]s'
            count: '"seq":{{.Sequence}},'
`, s.Name, s.Source, "http://"+door(f, "gateway")+"/v1/readings", "http://"+reads+"/v1/readings?device={{.Device}}&after={{.Before}}&limit=1")
	}
	if database {
		fmt.Fprintf(&b, `    databases:
      - name: telemetry
        sourceEnv: E2E_SOURCE
        targetEnv: E2E_TARGET
        roles: [telemetry]
        backend: database
        targetAddress: %q
`, f.Postgres.Target.Address)
	}
	return b.String()
}

func door(f lab.Facts, name string) string {
	for _, s := range f.FrontDoor.Services {
		if s.Name == name {
			return s.Bind
		}
	}
	return ""
}
