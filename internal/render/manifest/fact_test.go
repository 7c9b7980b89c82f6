package manifest_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/render"
)

// unseen are facts that rightly do not show, each with the reason.
var unseen = map[string]string{
	"Origin":                      "a place",
	"SourceVersion":               "tells versions apart",
	"Running":                     "evidence",
	"Operator":                    "of what is not rendered",
	"Stateful":                    "said by the volumes",
	"Containers.Env.Injected":     "who set the variable",
	"Unreachable.Default":         "nobody wrote the values",
	"Unreachable.Expunge":         "Kubernetes does not forget",
	"Containers.Ports.Protocols":  "another word is none",
	"Containers.NoCPULimit":       "there is none without it",
	"Containers.NoMemoryLimit":    "one container asks for no memory",
	"Volumes.Shared":              "of a kind that is never shared",
	"Volumes.Block":               "only a claim can be a device",
	"Volumes.External":            "of a kind that is made with the copy",
	"Constraints.Pattern":         "its values and its source show",
	"InitContainers.Checks":       "they are not asked of what ends",
	"InitContainers.Readiness":    "they are not asked of what ends",
	"InitContainers.Ports":        "nobody connects to what ends",
	"InitContainers.Env.Injected": "who set the variable",
}

// full gives a service that says something in every field.
func full() estate.Workload {
	n := 3
	cpu, memory := unit.CPU(700), 512*unit.MiB
	grace, mode, code := unit.Seconds(20), 0o400, true
	_ = code
	ref := &estate.SecretRef{Name: "own", Key: "k"}
	c := estate.Container{
		Name: "main", Image: "i:1", Command: []string{"c"}, Args: []string{"a"}, WorkingDir: "/w",
		Env: []estate.EnvVar{{Name: "A", Value: "v"}, {Name: "B", Secret: ref}, {Name: "C", Fact: estate.Address}}, EnvConfigs: []string{"conf"},
		CPU: 500, Memory: 256 * unit.MiB, Disk: unit.MiB, GPUs: 1, CPULimit: &cpu, MemoryLimit: &memory,
		Ports: []estate.Port{{
			Name: "http", Number: 80, Last: 82, Protocols: []string{"tcp"}, HostPort: 8080, HostIP: "10.0.0.1", ServicePort: 10001,
			Published: 81, Labels: map[string]string{"l": "v"}, Networks: []string{"net"},
		}},
		Checks: []estate.HealthCheck{
			{Kind: estate.HTTP, Path: "/", Port: 80, Interval: 20, Timeout: 5, Grace: 60, Delay: 2, Failures: 3, Kills: true},
			{Kind: estate.Command, Shell: "true", Interval: 7.5, Timeout: 1, Grace: 5, StartInterval: 1, Failures: 2},
			{Kind: estate.Command, Command: []string{"true"}, Interval: 7, Timeout: 1, Grace: 5, Failures: 2, Advisory: true},
		},
		Readiness: []estate.ReadinessCheck{{Name: "r", Kind: estate.HTTP, Path: "/r", Port: 80, Interval: 10, Timeout: 2, Statuses: []int{200}}},
		Artifacts: []estate.Artifact{{URI: "https://e.example/a.zip", Extract: true, Path: "p"}, {URI: "https://e.example/b", Executable: true, Cache: true, Secret: ref}},
		Mounts: []estate.Mount{
			{Volume: "data", Path: "/d"},
			{Volume: "host", Path: "/h", SubPath: "s", ReadOnly: true, Propagation: "to-container"},
			{Volume: "tmp", Path: "/t"},
			{Volume: "ext", Path: "/e"},
			{Volume: "sec", Path: "/s"},
			{Volume: "cfg", Path: "/c"},
			{Volume: "nfs", Path: "/n"},
		},
		Security: estate.Security{
			User: "1:2", Groups: []string{"3"}, Add: []string{"NET_ADMIN"}, Drop: []string{"ALL"}, Seccomp: "p.json", AppArmor: "prof",
			SELinux: map[string]string{"level": "s0"}, ProcessesLimit: 9, ReadOnlyRoot: true, NoNewPrivs: true,
		},
		Sandbox: "/mnt/mesos/sandbox",
	}
	first := c
	first.Name, first.Checks, first.Readiness, first.Ports, first.Artifacts = "first", nil, nil, nil, nil
	imageless := estate.Container{Name: "second", Build: "./dir", Shell: "true"}
	return estate.Workload{
		ID: "/a/b", Kind: estate.Service, Group: "/a", Description: "d", Replicas: 4, Containers: []estate.Container{c, imageless},
		InitContainers: []estate.Container{first},
		Volumes: []estate.Volume{
			{Name: "data", Kind: estate.PersistentVolume, Size: unit.GiB, MaxSize: 2 * unit.GiB, Medium: "mount", Profile: "fast"},
			{Name: "host", Kind: estate.HostVolume, HostPath: "/srv"},
			{Name: "tmp", Kind: estate.EphemeralVolume, Size: unit.MiB, Medium: "memory"},
			{
				Name: "ext", Kind: estate.ExternalVolume, Size: unit.GiB, Driver: "x.csi.example.com", Handle: "h", Attributes: map[string]string{"a": "v"},
				FSType: "xfs", MountFlags: []string{"noatime"}, Access: estate.OneWriter, StageSecret: ref, PublishSecret: ref, External: true,
			},
			{Name: "sec", Kind: estate.SecretVolume, Secret: ref, Items: map[string]string{"k": "f"}, Mode: &mode},
			{Name: "cfg", Kind: estate.ConfigVolume, Config: "conf", Items: map[string]string{"k": "f"}, Mode: &mode},
			{Name: "nfs", Kind: estate.NFSVolume, Server: "s.example.com", Export: "/x", MountFlags: []string{"hard"}},
		},
		Networks:    []estate.NetworkRef{{Name: "net", Aliases: []string{"other"}, Labels: map[string]string{"l": "v"}, Address: "10.1.1.1"}},
		Labels:      map[string]string{"team": "till", "odd key": "v"},
		Constraints: []estate.Constraint{{Attribute: "rack", Rule: estate.In, Pattern: "r.*", Values: []string{"r1"}, Source: "rack LIKE r.*"}, {Attribute: "@zone", Rule: estate.Spread, Count: 2, Source: "z"}},
		Role:        "web", AcceptedRoles: []string{"slave_public"},
		Update:      &estate.Update{MinHealthy: 0.5, MaxOver: 0.25, Delay: 5, Monitor: 5},
		Unreachable: &estate.Unreachable{Replace: 60, Expunge: 120}, KillGrace: &grace,
		Secrets:     []estate.Secret{{Name: "own", Keys: []string{"k"}, Source: "path", At: []estate.Origin{{File: "f", Pointer: "/p"}}, File: "x"}},
		PullSecrets: []estate.SecretRef{{Name: "own"}},
		Host: &estate.HostView{
			Name: "h", Domain: "d", Aliases: []estate.HostAlias{{Name: "x", Address: "10.0.0.9"}}, DNS: []string{"10.0.0.2"}, Search: []string{"e.example"},
			DNSOptions: []string{"ndots:1"}, Sysctls: map[string]string{"net.core.somaxconn": "1"}, ShareProcesses: true,
		},
		Autoscale: &estate.Autoscale{Min: 2, Max: n, CPU: 50, Memory: 60, Other: []string{"mesos"}}, BlueGreen: &estate.BlueGreen{Group: "g", Colour: "blue", Target: 2},
		DependsOn: []estate.Name{"/a/c"}, Configs: []estate.ConfigRef{{Name: "conf", Data: map[string]string{"k": "v"}, File: "site.conf"}},
	}
}

// TestEveryFactShows changes one fact of a workload after another and looks
// for a difference in what is rendered: what is not carried by a field of
// Kubernetes is at least kept as a note.
func TestEveryFactShows(t *testing.T) {
	base := renderEstate(t, one(full()), policy.Default(), render.Options{}).text()
	plain, err := json.Marshal(full())
	if err != nil {
		t.Fatal(err)
	}
	w := full()
	checked := 0
	vary(reflect.ValueOf(&w).Elem(), "", func(path, to string) {
		name := strings.Trim(indices.Replace(path), ".")
		for key := range unseen {
			if name == key || strings.HasPrefix(name, key+".") {
				return
			}
		}
		checked++
		changed, _ := json.Marshal(w)
		if renderEstate(t, one(clone(t, changed)), policy.Default(), render.Options{}).text() == base {
			t.Errorf("%s = %s shows nowhere", path, to)
		}
	})
	if again, _ := json.Marshal(w); string(again) != string(plain) {
		t.Error("the test has left a change behind")
	}
	t.Logf("%d facts", checked)
}

var indices = strings.NewReplacer("[0]", "", "[1]", "", "[2]", "", "[3]", "", "[4]", "", "[5]", "", "[6]", "")

// TestEveryFactOfARouteShows does the same with a route and a virtual address.
func TestEveryFactOfARouteShows(t *testing.T) {
	weight := 3
	ep := estate.Endpoint{
		ID: "route:/a/b:0", Kind: estate.Route, Backends: []estate.Backend{{Workload: "/a/b", Port: 80, Weight: &weight}, {Address: "10.0.0.7", Port: 81}},
		Port: 8443, Direct: 10001, Groups: []string{"external"}, Mode: "http", Hosts: []string{"a.example.com"},
		Rules: []estate.Match{{Path: "/x", PathKind: estate.StringPrefix}, {Host: "b.example.com", Path: "/y", PathKind: estate.PathRegex, Header: "X: y"}},
		Order: 3, TLS: &estate.TLS{FromClients: true, Certs: []string{"c"}, Redirect: true, RedirectPath: "/r", RedirectExcept: []estate.Match{{Path: "/e"}}, Secret: "s"},
		Rework: &estate.Rewrite{
			From: "/x", Path: "/z", Host: "c.example.com", RedirectPath: "/home", RewriteLocation: true, LocationPath: "/l",
			RequestHeaders: map[string]string{"A": "v"}, ResponseHeaders: map[string]string{"B": "v"},
		},
		Sticky: &estate.Sticky{Cookie: "c"}, HSTS: true, Bind: "* x", Check: &estate.LBCheck{Port: 80, Path: "/", Interval: 5},
		Times: &estate.Timeouts{Client: 50, Server: 60, Connect: 5}, MaxConns: 100, Balance: "leastconn", Raw: map[string]string{"T": "x"},
	}
	vip := estate.Endpoint{
		ID: "vip:/v:90", Kind: estate.VirtualAddress, Port: 90, Protocol: "tcp", Address: "v", Backends: []estate.Backend{{Workload: "/a/b", Port: 80}},
	}
	w := service("/a/b", estate.Container{Ports: []estate.Port{{Number: 80}, {Number: 81}}})
	text := func() string {
		e := one(w)
		e.Endpoints = []estate.Endpoint{ep, vip}
		return renderEstate(t, e, policy.Default(), render.Options{}).text()
	}
	base := text()
	quiet := map[string]string{
		"ID": "a name", "Kind": "another endpoint", "Origin": "a place", "Protocol": "another word is none", "Mode": "another word is none",
		"Backends.Workload": "one that is not there", "Rules.PathKind": "another word is none", "Backends.Backup": "checked elsewhere",
	}
	for _, target := range []*estate.Endpoint{&ep, &vip} {
		vary(reflect.ValueOf(target).Elem(), "", func(path, to string) {
			name := strings.Trim(indices.Replace(path), ".")
			if _, ok := quiet[name]; !ok && text() == base && (target == &ep || name == "Port" || name == "Address" || name == "Backends.Port") {
				t.Errorf("%s%s = %s shows nowhere", target.ID, path, to)
			}
		})
	}
}

func clone(t testing.TB, text []byte) estate.Workload {
	t.Helper()
	var w estate.Workload
	if err := json.Unmarshal(text, &w); err != nil {
		t.Fatal(err)
	}
	return w
}

// vary changes every number, text and truth below v for the time of a call.
func vary(v reflect.Value, path string, do func(path, to string)) {
	try := func(to reflect.Value) {
		was := reflect.New(v.Type()).Elem()
		was.Set(v)
		v.Set(to.Convert(v.Type()))
		do(path, fmt.Sprint(to.Interface()))
		v.Set(was)
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			vary(v.Field(i), path+"."+v.Type().Field(i).Name, do)
		}
	case reflect.Pointer:
		if !v.IsNil() {
			vary(v.Elem(), path, do)
		}
	case reflect.Slice:
		for i := range v.Len() {
			vary(v.Index(i), fmt.Sprintf("%s[%d]", path, i), do)
		}
	case reflect.Map:
		var keys []string
		for _, k := range v.MapKeys() {
			keys = append(keys, k.String())
		}
		slices.Sort(keys)
		for _, k := range keys {
			key := reflect.ValueOf(k)
			was := v.MapIndex(key)
			v.SetMapIndex(key, reflect.ValueOf(was.String()+"x"))
			do(path+"."+k, was.String()+"x")
			v.SetMapIndex(key, was)
		}
	case reflect.Bool:
		try(reflect.ValueOf(!v.Bool()))
	case reflect.Int, reflect.Int64:
		if v.Int() != 0 {
			try(reflect.ValueOf(v.Int() + 1))
		}
	case reflect.Float64:
		if v.Float() != 0 {
			try(reflect.ValueOf(v.Float() + 1))
			try(reflect.ValueOf(v.Float() + 0.25))
		}
	case reflect.String:
		if v.String() != "" && !strings.HasSuffix(path, ".Kind") && !strings.HasSuffix(path, ".Volume") {
			try(reflect.ValueOf(v.String() + "0"))
		}
	}
}
