// Command generate makes the parts of the telemetry example that a running
// cluster would tell: agents, tasks, the list of captured answers, and two
// weeks of usage. The definitions beside it (Marathon's groups, Metronome's
// jobs) are written by hand; what this command writes follows from them and
// from a seed, so that a second run gives the same bytes.
//
//	go run ./examples/telemetry/generate            # renew the snapshot
//	go run ./examples/telemetry/generate -usage F   # write usage as CSV to F
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tranship/tranship/internal/base/snapshot"
)

const (
	seed   = 20240514
	agents = 15
	points = 14 * 24 * 12 // two weeks at five minutes
	step   = 5 * time.Minute
)

var taken = time.Date(2024, 5, 28, 6, 0, 0, 0, time.UTC)

type app struct {
	ID        string   `json:"id"`
	CPUs      float64  `json:"cpus"`
	Mem       float64  `json:"mem"`
	Instances int      `json:"instances"`
	Roles     []string `json:"acceptedResourceRoles"`
	Container struct {
		Docker struct {
			Image string `json:"image"`
		} `json:"docker"`
	} `json:"container"`
}

type pod struct {
	ID         string `json:"id"`
	Containers []struct {
		Resources struct {
			CPUs float64 `json:"cpus"`
			Mem  float64 `json:"mem"`
		} `json:"resources"`
	} `json:"containers"`
	Scaling struct {
		Instances int `json:"instances"`
	} `json:"scaling"`
}

type group struct {
	Apps   []app   `json:"apps"`
	Pods   []pod   `json:"pods"`
	Groups []group `json:"groups"`
}

func (g group) all() []app {
	out := slices.Clone(g.Apps)
	for _, sub := range g.Groups {
		out = append(out, sub.all()...)
	}
	return out
}

// used gives all that has usage: the apps, and the pods as apps of their sums.
func (g group) used() []app {
	out := slices.Clone(g.Apps)
	for _, p := range g.Pods {
		a := app{ID: p.ID, Instances: p.Scaling.Instances}
		for _, c := range p.Containers {
			a.CPUs += c.Resources.CPUs
			a.Mem += c.Resources.Mem
		}
		out = append(out, a)
	}
	for _, sub := range g.Groups {
		out = append(out, sub.used()...)
	}
	return out
}

func main() {
	dir := flag.String("dir", "examples/telemetry/snapshot", "the snapshot's folder")
	usage := flag.String("usage", "", "write two weeks of usage to this file instead")
	flag.Parse()
	if err := run(*dir, *usage); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func run(dir, usageFile string) error {
	var root group
	data, err := os.ReadFile(filepath.Join(dir, "marathon/v2_groups.json"))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, &root); err != nil {
		return err
	}
	if usageFile != "" {
		jobs, err := readJobs(filepath.Join(dir, "metronome/v1_jobs.json"))
		if err != nil {
			return err
		}
		return writeUsage(usageFile, root.used(), jobs)
	}
	files, err := state(root.all())
	if err != nil {
		return err
	}
	for name, body := range files {
		full := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(full, body, 0o644); err != nil {
			return err
		}
	}
	return list(dir)
}

// m3Medium is what a DC/OS agent offered of that instance type: 1 vCPU,
// 3.75 GiB less the system's share, 4 GB of local SSD.
type m3Medium struct {
	id, host, zone string
	public         bool
	cpu, mem       float64 // free
	tasks          []map[string]any
}

func state(apps []app) (map[string][]byte, error) {
	hosts := make([]*m3Medium, agents)
	for i := range hosts {
		hosts[i] = &m3Medium{
			id: fmt.Sprintf("7d1f3c5a-0b1e-4a55-9d7c-2f6b1f0c4e11-S%d", i), host: fmt.Sprintf("10.20.%d.%d", i%3+1, 10+i),
			zone: "us-east-1" + string("abc"[i%3]), public: i < 2, cpu: 1, mem: 2873,
		}
	}
	rng := rand.New(rand.NewPCG(seed, 1))
	for _, a := range apps {
		for n := range a.Instances {
			if !place(hosts, a, n, rng) {
				return nil, fmt.Errorf("%s: copy %d fits on no agent", a.ID, n)
			}
		}
	}
	files := map[string][]byte{}
	var slaves, tasks []any
	for _, h := range hosts {
		slaves = append(slaves, h.json())
		for _, t := range h.tasks {
			tasks = append(tasks, t)
		}
		flags := map[string]any{"flags": map[string]any{
			"cgroups_enable_cfs": "true", "containerizers": "docker,mesos", "hostname": h.host,
			"isolation": "cgroups/cpu,cgroups/mem,disk/du,network/cni,filesystem/linux,docker/runtime,docker/volume,volume/sandbox_path,volume/secret,posix/rlimits",
		}}
		if err := put(files, "mesos/agent_flags/"+h.id+".json", flags); err != nil {
			return nil, err
		}
	}
	err := put(files, "mesos/state.json", map[string]any{
		"version": "1.9.0", "cluster": "telemetry", "leader": "master@10.20.0.10:5050", "activated_slaves": agents,
		"slaves": slaves,
		"frameworks": []any{map[string]any{
			"id": "7d1f3c5a-0b1e-4a55-9d7c-2f6b1f0c4e11-0000", "name": "marathon", "role": "slave_public", "active": true,
			"hostname": "10.20.0.10", "tasks": tasks,
		}},
		"orphan_tasks": []any{}, "flags": map[string]any{"agent_reregister_timeout": "10mins", "quorum": "2"},
	})
	return files, err
}

func place(hosts []*m3Medium, a app, n int, rng *rand.Rand) bool {
	public := slices.Contains(a.Roles, "slave_public")
	order := rng.Perm(len(hosts))
	slices.SortStableFunc(order, func(i, j int) int { return int(100 * (hosts[j].cpu - hosts[i].cpu)) })
	for _, i := range order {
		h := hosts[i]
		if h.public != public || h.cpu+1e-9 < a.CPUs || h.mem < a.Mem {
			continue
		}
		h.cpu -= a.CPUs
		h.mem -= a.Mem
		parts := strings.Split(strings.TrimPrefix(a.ID, "/"), "/")
		id := fmt.Sprintf("%s.instance-%08x-1f2e-11ef-9c3a-0242ac11%04x._app.1", strings.Join(parts, "_"), rng.Uint32(), n)
		t := map[string]any{
			"id": id, "name": strings.Join(reversed(parts), "."), "slave_id": h.id, "state": "TASK_RUNNING",
			"resources": map[string]any{"cpus": a.CPUs, "mem": a.Mem, "disk": 0, "gpus": 0},
			"statuses": []any{map[string]any{
				"state": "TASK_RUNNING", "timestamp": 1716800000.5, "healthy": true,
				"container_status": map[string]any{"network_infos": []any{map[string]any{
					"ip_addresses": []any{map[string]any{"protocol": "IPv4", "ip_address": h.host}},
				}}},
			}},
		}
		if a.Container.Docker.Image != "" {
			t["container"] = map[string]any{"type": "DOCKER", "docker": map[string]any{"image": a.Container.Docker.Image}}
		}
		h.tasks = append(h.tasks, t)
		return true
	}
	return false
}

func reversed(s []string) []string {
	s = slices.Clone(s)
	slices.Reverse(s)
	return s
}

func (h *m3Medium) json() map[string]any {
	disk := "ssd"
	attributes := map[string]any{"disktype": disk}
	reserved := map[string]any{}
	if h.public {
		attributes["public_ip"] = "true"
		reserved["slave_public"] = map[string]any{"cpus": 1.0, "mem": 2873.0, "disk": 3100.0}
	}
	region := map[string]any{"name": "us-east-1"}
	return map[string]any{
		"id": h.id, "hostname": h.host, "pid": "slave(1)@" + h.host + ":5051", "active": true, "version": "1.9.0",
		"attributes": attributes, "reserved_resources": reserved,
		"resources":      map[string]any{"cpus": 1.0, "mem": 2873.0, "disk": 3100.0, "gpus": 0.0, "ports": "[1025-2180, 2182-3887, 3889-5049, 5052-8079, 8082-8180, 8182-32000]"},
		"used_resources": map[string]any{"cpus": round(1 - h.cpu), "mem": 2873 - h.mem, "disk": 0.0, "gpus": 0.0},
		"domain":         map[string]any{"fault_domain": map[string]any{"region": region, "zone": map[string]any{"name": h.zone}}},
	}
}

func round(f float64) float64 { return math.Round(f*1000) / 1000 }

func put(files map[string][]byte, name string, v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent("", " ")
	err := enc.Encode(v)
	files[name] = b.Bytes()
	return err
}

// list writes snapshot.json for what lies in the folder.
func list(dir string) error {
	s := snapshot.Snapshot{TakenAt: taken}
	hosts := map[string]string{"marathon": "/v2/groups", "metronome": "/v1/jobs", "mesos": "/state"}
	err := filepath.WalkDir(dir, func(file string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == snapshot.FileName {
			return err
		}
		body, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, file)
		if err != nil {
			return err
		}
		source, _, _ := strings.Cut(filepath.ToSlash(rel), "/")
		h := sha256.Sum256(body)
		s.Answers = append(s.Answers, snapshot.Answer{
			Source: source, URL: "http://" + source + ".telemetry.example" + hosts[source], Path: filepath.ToSlash(rel),
			Status: 200, SHA256: hex.EncodeToString(h[:]), Bytes: int64(len(body)),
		})
		return nil
	})
	if err != nil {
		return err
	}
	data, err := s.Encode()
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, snapshot.FileName), data, 0o644)
}
