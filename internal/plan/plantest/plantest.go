// Package plantest gives finished plans for the tests of what shows or renders
// one. It takes nothing, or how large the plan shall be, and gives a plan whose
// parts agree with each other. It never goes into the program.
package plantest

import (
	"fmt"
	"slices"

	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/catalog"
	"github.com/tranship/tranship/internal/plan/policy"
)

// One workload of the fixture: what it declared, what it gets and its risk.
type one struct {
	id       estate.Name
	group    estate.Name
	copies   int
	was, is  plan.Amount
	mode     plan.Mode
	risk     int
	reason   plan.Reason
	unseen   bool
	stateful bool
}

func amount(milli, mib int) plan.Amount {
	return plan.Amount{CPU: unit.CPU(milli), Memory: unit.Bytes(mib) * unit.MiB}
}

func telemetry() []one {
	return []one{
		{id: "/telemetry/ingest/api", group: "/telemetry/ingest", copies: 6, was: amount(1000, 1024), is: amount(310, 612), mode: plan.Shifted, risk: 35, reason: plan.FromUsage},
		{id: "/telemetry/ingest/writer", group: "/telemetry/ingest", copies: 4, was: amount(1000, 2048), is: amount(420, 1380), mode: plan.Shifted, risk: 48, reason: plan.FromUsage},
		{id: "/telemetry/ingest/dedup", group: "/telemetry/ingest", copies: 2, was: amount(500, 512), is: amount(120, 640), mode: plan.Plain, risk: 22, reason: plan.FromOOM},
		{id: "/telemetry/query/api", group: "/telemetry/query", copies: 4, was: amount(800, 1536), is: amount(350, 1100), mode: plan.Shifted, risk: 40, reason: plan.FromUsage},
		{id: "/telemetry/query/long-range", group: "/telemetry/query", copies: 2, was: amount(1000, 3072), is: amount(360, 3400), mode: plan.Shifted, risk: 52, reason: plan.HeapFloor},
		{id: "/telemetry/query/cache", group: "/telemetry/query", copies: 1, was: amount(200, 1024), is: amount(60, 900), mode: plan.Plain, risk: 25, reason: plan.FromUsage},
		{id: "/telemetry/device/gateway", group: "/telemetry/device", copies: 4, was: amount(600, 768), is: amount(280, 420), mode: plan.Shifted, risk: 55, reason: plan.FromUsage},
		{id: "/telemetry/device/registry", group: "/telemetry/device", copies: 2, was: amount(400, 512), is: amount(110, 300), mode: plan.Shifted, risk: 18, reason: plan.FromUsage},
		{id: "/telemetry/data/postgres", group: "/telemetry/data", copies: 1, was: amount(1000, 4096), is: amount(420, 3600), mode: plan.Stateful, risk: 85, reason: plan.FromUsage, stateful: true},
		{id: "/telemetry/web/dashboards", group: "/telemetry/web", copies: 2, was: amount(300, 384), is: amount(90, 200), mode: plan.Shifted, risk: 15, reason: plan.FromUsage},
		{id: "/telemetry/web/docs", group: "/telemetry/web", copies: 2, was: amount(100, 128), is: amount(25, 64), mode: plan.Shifted, risk: 8, reason: plan.AtFloor},
		{id: "/alerting/rules", group: "/alerting", copies: 2, was: amount(200, 256), is: amount(200, 256), mode: plan.Plain, risk: 20, reason: plan.AsDeclared, unseen: true},
		{id: "/internal/wiki", group: "/internal", copies: 1, was: amount(100, 256), is: amount(100, 256), mode: plan.Shifted, risk: 12, reason: plan.AsDeclared, unseen: true},
		{id: "/rollup/hourly", group: "/rollup", copies: 1, was: amount(500, 768), is: amount(240, 500), mode: plan.Exclusive, risk: 60, reason: plan.FromUsage},
	}
}

// Telemetry gives a plan of fourteen workloads on five nodes of three pools
// that outlives any one node, with both bills, waves and a calendar.
func Telemetry() plan.Plan {
	all := telemetry()
	p := plan.Plan{
		Version: plan.Version, AsOf: "2026-11-24", Policy: policy.Default(),
		Prices: plan.Prices{Region: "us-east-1", Date: "2026-07-20", Source: "the list that comes with tranship"},
		Usage: []plan.UsageFile{
			{File: "usage/prometheus.json", Format: "prometheus", From: "2026-11-10T00:00:00Z", To: "2026-11-24T00:00:00Z", Series: 24, Points: 96768},
			{File: "usage/agents.csv", Format: "csv", From: "2026-11-17T00:00:00Z", To: "2026-11-23T12:00:00Z", Series: 6, Points: 1872},
		},
	}
	p.Policy.Metadata.Name = "telemetry"
	p.Estate = estateOf(all)
	p.Estate.Hosts = hosts(15)
	spread(&p.Estate)
	p.Sizes = sizesOf(all)
	p.Pools = pools()
	p.Nodes = []plan.Node{
		{Name: "m6g-xlarge-1", Pool: "m6g-xlarge", Zone: "us-east-1a"},
		{Name: "m6g-xlarge-2", Pool: "m6g-xlarge", Zone: "us-east-1b"},
		{Name: "r6g-large-1", Pool: "r6g-large", Zone: "us-east-1c"},
		{Name: "r6g-large-2", Pool: "r6g-large", Zone: "us-east-1a"},
		{Name: "spot-1", Pool: "spot", Zone: "us-east-1b"},
	}
	place(&p, 0.9)
	p.Survival = plan.Survival{
		Level: plan.SurviveNode, Reached: plan.SurviveNode, Price: 92_400, Cost: 457_000, Bound: 441_300, Gap: 0.0356, BoundWithout: 352_800,
		Replay: 4100, Iterations: 40000,
	}
	fail(&p)
	p.Bill = billOf()
	p.Waves = waves()
	return p
}

func estateOf(all []one) estate.Estate {
	e := estate.Estate{Version: estate.Version, Endpoints: []estate.Endpoint{}}
	for _, x := range all {
		e.Workloads = append(e.Workloads, estate.Workload{
			ID: x.id, Kind: estate.Service, Group: x.group, Replicas: x.copies, Stateful: x.stateful,
			Containers: []estate.Container{{Name: "main", Image: "registry.example:5000" + string(x.id) + ":7.1.0", CPU: x.was.CPU, Memory: x.was.Memory}},
			Running:    &estate.Running{Instances: x.copies, Healthy: x.copies},
		})
	}
	e.Dependencies = []estate.Dependency{
		{From: "/telemetry/ingest/api", To: "/telemetry/ingest/writer", Way: estate.Declared},
		{From: "/telemetry/ingest/writer", To: "/telemetry/data/postgres", Way: estate.Declared},
		{From: "/telemetry/query/api", To: "/telemetry/data/postgres", Way: estate.Declared},
	}
	e.Sort()
	return e
}

func hosts(n int) []estate.Host {
	out := []estate.Host{}
	for i := range n {
		zone := string(rune('a' + i%3))
		out = append(out, estate.Host{Name: fmt.Sprintf("10.20.%d.%d", 1+i%3, 10+i), ID: fmt.Sprintf("S%d", i), Zone: "us-east-1" + zone, CPU: 2000, Memory: 7 * unit.GiB, Active: true})
	}
	return out
}

// spread puts the running copies on the hosts in turn.
func spread(e *estate.Estate) {
	at := 0
	for i := range e.Workloads {
		w := &e.Workloads[i]
		for range w.Replicas {
			h := &e.Hosts[at%len(e.Hosts)]
			for range e.Hosts {
				if h.UsedCPU+w.Containers[0].CPU <= h.CPU && !slices.Contains(w.Running.Hosts, h.Name) {
					break
				}
				at++
				h = &e.Hosts[at%len(e.Hosts)]
			}
			w.Running.Hosts = append(w.Running.Hosts, h.Name)
			h.UsedCPU += w.Containers[0].CPU
			h.UsedMemory += w.Containers[0].Memory
			at++
		}
	}
}

func sizesOf(all []one) []plan.Size {
	var out []plan.Size
	for _, x := range all {
		c := plan.ContainerSize{Name: "main", CPU: x.is.CPU, Memory: x.is.Memory, Reason: x.reason}
		if x.unseen {
			c.Why = "no usage was seen: what it declared"
		} else {
			c.Declared = &x.was
			c.Used = &plan.Used{CPUMedian: x.is.CPU / 3, CPUHigh: x.is.CPU * 9 / 10, CPUPeak: x.is.CPU * 2, MemoryPeak: x.is.Memory * 87 / 100, Points: 4032}
			c.Why = fmt.Sprintf("CPU %s is the 95th percentile of 4032 points and a margin; memory %s is the peak and 15 %%", x.is.CPU, x.is.Memory)
			if x.reason == plan.FromOOM {
				c.Used.OOMKills = 3
				c.Why = "killed for memory 3 times at 512Mi: a quarter more than it had"
			}
		}
		s := plan.Size{Workload: x.id, Replicas: x.copies, Reason: x.reason, Containers: []plan.ContainerSize{c}}
		if x.id == "/telemetry/ingest/api" {
			s.Scale = &plan.Scale{Min: 4, Max: 8, CPU: 70, Planned: 6, Why: "half of the way to its maximum"}
		}
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b plan.Size) int {
		if a.Workload < b.Workload {
			return -1
		}
		return 1
	})
	return out
}

func pools() []plan.Pool {
	system := plan.Load{CPU: 250, Memory: 512 * unit.MiB, Pods: 4}
	return []plan.Pool{
		{
			Name: "m6g-xlarge", Reason: plan.Cheapest, Why: "2 × m6g.xlarge hold what asks for CPU at $0.154 an hour each; the next, c6g.xlarge, lacks memory", Manager: "managed", Type: "m6g.xlarge", Arch: "arm64",
			Alternatives: []string{"m6a.xlarge", "m5.xlarge"}, Purchase: plan.OnDemand, Price: 154_000, Nodes: 2, Min: 2, Max: 4, Zones: []string{"us-east-1a", "us-east-1b"},
			Allocatable: catalog.Allocatable{CPU: 3920, Memory: 14_162 * unit.MiB, Pods: 58, Volumes: 26}, System: system,
		},
		{
			Name: "r6g-large", Reason: plan.ForSurvival, Why: "2 × r6g.large are the least that holds a lost m6g.xlarge beside their own", Manager: "managed", Type: "r6g.large", Arch: "arm64",
			Purchase: plan.OnDemand, Price: 60_500, Nodes: 2, Min: 2, Max: 3, Zones: []string{"us-east-1a", "us-east-1c"},
			Allocatable: catalog.Allocatable{CPU: 1930, Memory: 14_500 * unit.MiB, Pods: 29, Volumes: 26}, System: system,
		},
		{
			Name: "spot", Reason: plan.OnSpot, Why: "replicated and without state: m6g.xlarge on spot saves 62 % and is taken away in under 5 % of months", Manager: "managed", Type: "m6g.xlarge", Arch: "arm64",
			Alternatives: []string{"m6gd.xlarge", "m7g.xlarge"}, Purchase: plan.Spot, Price: 28_000, Nodes: 1, Min: 1, Max: 2, Zones: []string{"us-east-1b"},
			Allocatable: catalog.Allocatable{CPU: 3920, Memory: 14_162 * unit.MiB, Pods: 58, Volumes: 26}, System: system,
		},
	}
}

func waves() []plan.Wave {
	group := func(mode plan.Mode, risk int, reason plan.Reason, why string, ids ...estate.Name) plan.MoveGroup {
		g := plan.MoveGroup{Workloads: ids, Mode: mode, Reason: reason, Risk: risk, Why: why}
		if mode == plan.Stateful {
			g.Risks = append(g.Risks, "has a volume")
		}
		if risk > 40 {
			g.Risks = append(g.Risks, "called by 3")
		}
		return g
	}
	return []plan.Wave{
		{
			Number: 1, Reason: plan.PilotFirst, Why: "/telemetry/web/docs has real traffic and the least risk, 8 of 100", Pilot: true, Start: "2026-12-08", End: "2026-12-11",
			Groups: []plan.MoveGroup{group(plan.Shifted, 8, plan.MoveAlone, "", "/telemetry/web/docs")}, Batches: [][]int{{0}},
		},
		{
			Number: 2, Reason: plan.Independent, Start: "2026-12-15", End: "2026-12-18", Free: []string{"10.20.1.10", "10.20.2.11", "10.20.3.12"},
			Groups: []plan.MoveGroup{
				group(plan.Shifted, 12, plan.MoveAlone, "", "/internal/wiki"), group(plan.Plain, 20, plan.MoveAlone, "", "/alerting/rules"),
				group(plan.Shifted, 15, plan.MoveAlone, "", "/telemetry/web/dashboards"), group(plan.Shifted, 18, plan.MoveAlone, "", "/telemetry/device/registry"),
				group(plan.Exclusive, 60, plan.MoveAlone, "a job: never in both worlds", "/rollup/hourly"),
			}, Batches: [][]int{{0, 1}, {2, 3}, {4}},
		},
		{
			Number: 3, Reason: plan.Independent, Why: "the database that the rest needs", Start: "2026-12-22", End: "2026-12-29", Free: []string{"10.20.1.13", "10.20.2.14"},
			Groups: []plan.MoveGroup{group(plan.Stateful, 85, plan.MoveAlone, "", "/telemetry/data/postgres"), group(plan.Plain, 25, plan.MoveAlone, "", "/telemetry/query/cache")}, Batches: [][]int{{0, 1}},
		},
		{
			Number: 4, Reason: plan.AfterNeeds, Start: "2026-12-29", End: "2027-01-04",
			Free: []string{"10.20.3.15", "10.20.1.16", "10.20.2.17", "10.20.3.18", "10.20.1.19", "10.20.2.20", "10.20.3.21", "10.20.1.22", "10.20.2.23", "10.20.3.24"},
			Groups: []plan.MoveGroup{
				group(plan.Shifted, 48, plan.SharedAddress, "", "/telemetry/ingest/api", "/telemetry/ingest/dedup", "/telemetry/ingest/writer"),
				group(plan.Shifted, 52, plan.AfterNeeds, "", "/telemetry/query/api", "/telemetry/query/long-range"), group(plan.Shifted, 55, plan.AfterNeeds, "", "/telemetry/device/gateway"),
			}, Batches: [][]int{{0, 1}, {2}},
		},
	}
}
