package estate_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
)

func good() estate.Estate {
	grace := unit.Seconds(10)
	return estate.Estate{
		Version: estate.Version, SnapshotSHA256: "ab", Hosts: []estate.Host{}, Dependencies: []estate.Dependency{{From: "/a", To: "/b", Way: estate.Declared}},
		Workloads: []estate.Workload{
			{ID: "/a", Kind: estate.Service, Replicas: 1, KillGrace: &grace, Containers: []estate.Container{{
				Name: "main", Image: "a:1", CPU: 100, Memory: 64 * unit.MiB, Ports: []estate.Port{{Number: 80}},
				Mounts: []estate.Mount{{Volume: "v", Path: "/v"}}, Env: []estate.EnvVar{{Name: "A", Value: "<&>"}},
			}}, Volumes: []estate.Volume{{Name: "v", Kind: estate.EphemeralVolume}}},
			{ID: "/b", Kind: estate.Schedule, Run: &estate.Run{}, Containers: []estate.Container{{Name: "main"}}},
		},
		Endpoints: []estate.Endpoint{{ID: "e", Kind: estate.Route, Backends: []estate.Backend{{Workload: "/a", Port: 80}}}},
		Ledger:    []ledger.Entry{{File: "f", Pointer: "/id", Verdict: ledger.Exact, Code: "X"}},
	}
}

func TestTheFileReadsBackAsItWas(t *testing.T) {
	e := good()
	var b bytes.Buffer
	if err := e.Write(&b); err != nil {
		t.Fatal(err)
	}
	got, err := estate.Read(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(e, got); d != "" {
		t.Error(d)
	}
}

// TestEveryInvariantCanFail breaks a good estate in each way that Check knows.
func TestEveryInvariantCanFail(t *testing.T) {
	e := good()
	if list := e.Check(); len(list) > 0 {
		t.Fatalf("a good estate is refused: %v", list)
	}
	for name, c := range map[string]struct {
		harm func(*estate.Estate)
		want string
	}{
		"version":    {func(e *estate.Estate) { e.Version = 9 }, "has version 9"},
		"same id":    {func(e *estate.Estate) { e.Workloads[1].ID = "/a"; e.Dependencies = nil }, "no ID of its own"},
		"replicas":   {func(e *estate.Estate) { e.Workloads[0].Replicas = -1 }, "negative number"},
		"container":  {func(e *estate.Estate) { e.Workloads[0].Containers = nil }, "has no container"},
		"run":        {func(e *estate.Estate) { e.Workloads[1].Run = nil }, "without a way to run"},
		"volume":     {func(e *estate.Estate) { e.Workloads[0].Volumes[0].Name = "" }, "volume without a name"},
		"mount":      {func(e *estate.Estate) { e.Workloads[0].Containers[0].Mounts[0].Volume = "w" }, "mounts volume w"},
		"mount path": {func(e *estate.Estate) { e.Workloads[0].Containers[0].Mounts[0].Path = "v" }, "not absolute"},
		"port":       {func(e *estate.Estate) { e.Workloads[0].Containers[0].Ports[0].Number = 0 }, "listens on port 0"},
		"request":    {func(e *estate.Estate) { e.Workloads[0].Containers[0].CPU = -1 }, "less than nothing"},
		"variable":   {func(e *estate.Estate) { e.Workloads[0].Containers[0].Env[0].Name = "" }, "variable without a name"},
		"endpoint":   {func(e *estate.Estate) { e.Endpoints[0].Backends[0].Workload = "/z" }, "leads to /z"},
		"dependency": {func(e *estate.Estate) { e.Dependencies[0].To = "/z" }, "names /z"},
	} {
		e := good()
		c.harm(&e)
		list := e.Check()
		if len(list) == 0 || !strings.Contains(list[0].Problem, c.want) {
			t.Errorf("%s: %v, want %q", name, list, c.want)
		}
	}
}
