package manifest_test

import (
	"flag"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation"
	"pgregory.net/rapid"

	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/render"
)

// dump keeps what was rendered of generated estates, for a real server to judge:
// lab/dryrun -manifests takes each folder below it.
var dump = flag.String("dump", "", "folder for what is rendered of generated estates")

// words are texts that are no names, or not for everybody.
var words = rapid.OneOf(
	rapid.SampledFrom([]string{
		"", "a", "A", "cart", "my_app", "1st", "-", "x--y", "ä", "a.b", "A_B", "/", "..", "a:b", "$(X)", "$$", "yes", "null", "0x1", "1e3", "~",
		"kube-system", "default", "a\nb", "a\tb", " a ", "{{ x }}", "\"", "'", "#", "*.example.com", "10.0.0.1", "a,b", "::1", "\u2028", "\x00",
	}),
	rapid.StringMatching(`[a-zA-Z0-9._/-]{1,80}`), rapid.StringN(1, 20, 90),
)

func name(t *rapid.T, what string) string {
	return rapid.OneOf(words, rapid.StringMatching(`[a-z][a-z0-9-]{0,70}`)).Draw(t, what)
}

func list[T any](t *rapid.T, what string, most int, f func(i int) T) []T {
	var out []T
	for i := range rapid.IntRange(0, most).Draw(t, what) {
		out = append(out, f(i))
	}
	return out
}

func table(t *rapid.T, what string) map[string]string {
	return rapid.MapOfN(words.Filter(func(s string) bool { return s != "" }), words, 0, 3).Draw(t, what)
}

func seconds(t *rapid.T, what string) unit.Seconds {
	return unit.Seconds(rapid.SampledFrom([]float64{0, 0.1, 1, 5, 7.5, 60, 300, 86400, 1e12}).Draw(t, what))
}

func truth(t *rapid.T, what string) bool { return rapid.Bool().Draw(t, what) }

func port(t *rapid.T) int {
	return rapid.SampledFrom([]int{1, 80, 80, 443, 8080, 31000, 65535}).Draw(t, "port")
}

func genContainer(t *rapid.T, i int, volumes []estate.Volume) estate.Container {
	k := estate.Container{
		Name: fmt.Sprintf("%s%d", name(t, "container"), i), Image: rapid.SampledFrom([]string{"", "nginx", "r.example.com:5000/a/b:1", " x "}).Draw(t, "image"),
		Shell: words.Draw(t, "shell"), WorkingDir: rapid.SampledFrom([]string{"", "/w"}).Draw(t, "dir"), AlwaysPull: truth(t, "pull"),
		CPU: unit.CPU(rapid.IntRange(0, 4000).Draw(t, "cpu")), Memory: unit.Bytes(rapid.Int64Range(0, 1<<33).Draw(t, "memory")),
		Disk: unit.Bytes(rapid.Int64Range(0, 1<<30).Draw(t, "disk")), GPUs: rapid.IntRange(0, 2).Draw(t, "gpus"), NoMemoryLimit: truth(t, "free"),
		Sandbox: rapid.SampledFrom([]string{"", "/mnt/mesos/sandbox"}).Draw(t, "sandbox"), TTY: truth(t, "tty"),
	}
	if truth(t, "limits") {
		k.CPULimit, k.MemoryLimit = new(unit.CPU(rapid.IntRange(0, 3000).Draw(t, "cpulimit"))), new(unit.Bytes(rapid.Int64Range(0, 1<<32).Draw(t, "memlimit")))
	}
	k.Args = list(t, "args", 2, func(int) string { return words.Draw(t, "arg") })
	k.Env = list(t, "env", 4, func(int) estate.EnvVar {
		v := estate.EnvVar{Name: rapid.SampledFrom([]string{"A", "B", "A B", "é", "1", "a.b"}).Draw(t, "var")}
		switch rapid.IntRange(0, 2).Draw(t, "source") {
		case 0:
			v.Value = words.Draw(t, "value")
		case 1:
			v.Secret = &estate.SecretRef{Name: name(t, "secret"), Key: words.Draw(t, "key")}
		default:
			v.Fact = rapid.SampledFrom([]estate.Fact{estate.Address, estate.CopyName, estate.HostName}).Draw(t, "fact")
		}
		return v
	})
	k.Ports = list(t, "ports", 4, func(int) estate.Port {
		p := estate.Port{Name: words.Draw(t, "portname"), Number: port(t), HostPort: rapid.SampledFrom([]int{0, 0, 31000}).Draw(t, "hostport"), Published: rapid.SampledFrom([]int{0, 0, 80, 70000}).Draw(t, "published")}
		p.Protocols = rapid.SampledFrom([][]string{nil, {"tcp"}, {"udp"}, {"tcp", "udp"}, {"sctp"}, {"odd"}}).Draw(t, "protocols")
		p.Last = rapid.SampledFrom([]int{0, 0, p.Number + 3, 65535}).Draw(t, "last")
		p.HostIP = rapid.SampledFrom([]string{"", "10.0.0.1", "odd"}).Draw(t, "hostip")
		return p
	})
	k.Checks = list(t, "checks", 3, func(int) estate.HealthCheck {
		return estate.HealthCheck{
			Kind: rapid.SampledFrom([]estate.CheckKind{estate.HTTP, estate.HTTPS, estate.TCP, estate.Command}).Draw(t, "kind"), Path: words.Draw(t, "path"),
			Port: rapid.SampledFrom([]int{0, 80, 70000}).Draw(t, "checkport"), Shell: words.Draw(t, "checkshell"), Interval: seconds(t, "interval"), Timeout: seconds(t, "timeout"),
			Grace: seconds(t, "grace"), Delay: seconds(t, "delay"), StartInterval: seconds(t, "start"), Failures: rapid.SampledFrom([]int{0, 1, 3, 1 << 40}).Draw(t, "failures"),
			Kills: truth(t, "kills"), Advisory: truth(t, "advisory"), Loopback: truth(t, "loopback"),
		}
	})
	k.Artifacts = list(t, "artifacts", 2, func(int) estate.Artifact {
		return estate.Artifact{URI: rapid.SampledFrom([]string{"https://e.example/a'b.zip", "s3://b/x", "http://e.example/", "ftp://e.example/-x.tgz"}).Draw(t, "uri"), Extract: truth(t, "extract"), Executable: truth(t, "exec"), Path: words.Draw(t, "to")}
	})
	for _, v := range volumes {
		if truth(t, "mounted") {
			k.Mounts = append(k.Mounts, estate.Mount{
				Volume: v.Name, Path: "/" + words.Draw(t, "at"), SubPath: rapid.SampledFrom([]string{"", "s", "../x", "/a"}).Draw(t, "sub"), ReadOnly: truth(t, "ro"),
				Propagation: rapid.SampledFrom([]string{"", "both", "to-container"}).Draw(t, "propagation"),
			})
		}
	}
	k.Security = estate.Security{
		User: rapid.SampledFrom([]string{"", "root", "1:2", "app", "-1", "99999999999"}).Draw(t, "user"), Groups: rapid.SampledFrom([][]string{nil, {"1", "1"}, {"wheel"}}).Draw(t, "groups"),
		Privileged: truth(t, "privileged"), NoNewPrivs: truth(t, "nonew"), Add: rapid.SampledFrom([][]string{nil, {"CAP_SYS_ADMIN"}, {"all", "ALL"}}).Draw(t, "add"),
		Seccomp: rapid.SampledFrom([]string{"", "unconfined", "../x", "/abs", "p.json"}).Draw(t, "seccomp"), AppArmor: rapid.SampledFrom([]string{"", "unconfined", "docker-default", "mine"}).Draw(t, "apparmor"),
	}
	return k
}

func genVolume(t *rapid.T, i int) estate.Volume {
	return estate.Volume{
		Name: fmt.Sprintf("%s%d", words.Draw(t, "volume"), i),
		Kind: rapid.SampledFrom([]estate.VolumeKind{
			estate.HostVolume, estate.EphemeralVolume, estate.PersistentVolume, estate.ExternalVolume, estate.SecretVolume, estate.ConfigVolume, estate.NFSVolume,
		}).Draw(t, "volumekind"),
		HostPath: rapid.SampledFrom([]string{"/x", "/x/../y", "", "rel"}).Draw(t, "hostpath"), Size: unit.Bytes(rapid.Int64Range(0, 1<<40).Draw(t, "size")),
		Medium: rapid.SampledFrom([]string{"", "memory", "root"}).Draw(t, "medium"), Driver: rapid.SampledFrom([]string{"", "rexray", "efs", "X Y", "ebs.csi.aws.com"}).Draw(t, "driver"),
		Handle: words.Draw(t, "handle"), Access: rapid.SampledFrom([]estate.Access{"", estate.OneWriter, estate.ManyReaders, estate.ManyWriters}).Draw(t, "access"),
		Block: rapid.IntRange(0, 5).Draw(t, "block") == 0, Shared: truth(t, "shared"), Server: rapid.SampledFrom([]string{"", "nfs.example.com"}).Draw(t, "server"),
		Export: rapid.SampledFrom([]string{"", "/x", "rel"}).Draw(t, "export"), Config: words.Draw(t, "config"), Items: rapid.SampledFrom([]map[string]string{nil, {"a/b": "c"}, {"k": "../x"}}).Draw(t, "items"),
		Mode: rapid.SampledFrom([]*int{nil, new(0o400), new(-1), new(99999)}).Draw(t, "mode"),
	}
}

func genWorkload(t *rapid.T, i int) estate.Workload {
	w := estate.Workload{
		ID: estate.Name(fmt.Sprintf("/%s/%s%d", name(t, "group"), name(t, "id"), i)), Labels: table(t, "labels"), Description: words.Draw(t, "description"),
		Kind:     rapid.SampledFrom([]estate.Kind{estate.Service, estate.Service, estate.Daemon, estate.Job, estate.Schedule}).Draw(t, "workloadkind"),
		Replicas: rapid.SampledFrom([]int{0, 1, 2, 7, 1 << 40}).Draw(t, "replicas"), Singleton: rapid.IntRange(0, 4).Draw(t, "singleton") == 0,
		Network: rapid.SampledFrom([]estate.NetworkMode{estate.Own, estate.HostNet, estate.Isolated}).Draw(t, "network"), Role: words.Draw(t, "role"),
	}
	w.Volumes = list(t, "volumes", 3, func(i int) estate.Volume { return genVolume(t, i) })
	w.Containers = append(w.Containers, genContainer(t, 0, w.Volumes))
	if truth(t, "second") {
		w.Containers = append(w.Containers, genContainer(t, 1, w.Volumes))
	}
	w.Constraints = list(t, "constraints", 3, func(int) estate.Constraint {
		return estate.Constraint{
			Attribute: rapid.SampledFrom([]string{"hostname", "@zone", "rack", "a b", "é"}).Draw(t, "attribute"),
			Rule:      rapid.SampledFrom([]estate.RuleName{estate.Apart, estate.Together, estate.In, estate.NotIn, estate.Spread, estate.AtMost, estate.Exists}).Draw(t, "rule"),
			Values:    list(t, "values", 2, func(int) string { return words.Draw(t, "value") }), Count: rapid.IntRange(0, 3).Draw(t, "count"), Soft: truth(t, "soft"), Source: "s",
		}
	})
	if truth(t, "update") {
		w.Update = &estate.Update{
			MinHealthy: rapid.Float64Range(0, 1).Draw(t, "healthy"), MaxOver: rapid.SampledFrom([]float64{0, 0.3, 1}).Draw(t, "over"), Delay: seconds(t, "updatedelay"),
			Parallel: rapid.SampledFrom([]int{0, 0, 2, 1 << 40}).Draw(t, "parallel"), StartFirst: truth(t, "first"),
		}
	}
	if truth(t, "grace") {
		w.KillGrace = new(seconds(t, "killgrace"))
	}
	if truth(t, "lost") {
		w.Unreachable = &estate.Unreachable{Replace: seconds(t, "replace"), Disabled: truth(t, "disabled")}
	}
	w.Secrets = list(t, "secrets", 2, func(i int) estate.Secret {
		return estate.Secret{Name: name(t, "declared"), Keys: []string{words.Draw(t, "skey"), "k"}, Source: words.Draw(t, "source"), Pull: truth(t, "ispull"), External: truth(t, "external")}
	})
	w.Configs = list(t, "configs", 2, func(i int) estate.ConfigRef {
		return estate.ConfigRef{Name: name(t, "configname"), Data: table(t, "data")}
	})
	if truth(t, "hostview") {
		w.Host = &estate.HostView{
			Name: words.Draw(t, "hostname"), Domain: words.Draw(t, "domain"), PIDs: truth(t, "pids"), IPC: truth(t, "ipc"), ShareProcesses: truth(t, "share"),
			Aliases: []estate.HostAlias{{Name: words.Draw(t, "alias"), Address: rapid.SampledFrom([]string{"10.0.0.1", "host-gateway"}).Draw(t, "aliasip")}},
			DNS:     []string{"10.0.0.2", "10.0.0.2", words.Draw(t, "dns")}, Search: []string{words.Draw(t, "search")}, DNSOptions: []string{words.Draw(t, "option")},
			Sysctls: map[string]string{"net.core.somaxconn": "1", "kernel.shmmax": "1", words.Draw(t, "sysctl"): "2"},
		}
	}
	if w.Kind == estate.Job || w.Kind == estate.Schedule {
		w.Run = &estate.Run{Retry: truth(t, "retry"), ActiveDeadline: seconds(t, "active"), Suspended: truth(t, "suspended"), Completions: rapid.IntRange(0, 3).Draw(t, "completions")}
		w.Run.Schedules = list(t, "schedules", 3, func(int) estate.Times {
			return estate.Times{
				ID: words.Draw(t, "schedule"), Cron: rapid.SampledFrom([]string{"0 0 * * *", "odd", "@daily", "TZ=UTC 0 0 * * *", "0 0 31 2 *"}).Draw(t, "cron"),
				Zone: rapid.SampledFrom([]string{"", "UTC", "Europe/Paris", "../x"}).Draw(t, "zone"), StartDeadline: seconds(t, "startby"), Forbid: truth(t, "forbid"), Enabled: truth(t, "enabled"),
			}
		})
	}
	if w.Kind == estate.Service && truth(t, "scaled") {
		w.Autoscale = &estate.Autoscale{Min: rapid.IntRange(0, 3).Draw(t, "min"), Max: rapid.IntRange(0, 5).Draw(t, "max"), CPU: rapid.SampledFrom([]int{0, 50, 1 << 40}).Draw(t, "percent")}
	}
	w.Networks = list(t, "networks", 2, func(int) estate.NetworkRef {
		return estate.NetworkRef{Name: words.Draw(t, "net"), Aliases: []string{words.Draw(t, "netalias")}}
	})
	w.PullSecrets = list(t, "pulls", 2, func(int) estate.SecretRef { return estate.SecretRef{Name: name(t, "pullname")} })
	return w
}

func genEndpoint(t *rapid.T, i int, ids []estate.Name) estate.Endpoint {
	ep := estate.Endpoint{
		ID: fmt.Sprintf("e:%d", i), Kind: rapid.SampledFrom([]estate.EndpointKind{estate.Route, estate.Route, estate.VirtualAddress}).Draw(t, "endpointkind"),
		Port: rapid.SampledFrom([]int{0, 80, 443, 10001, 70000}).Draw(t, "edgeport"), Protocol: rapid.SampledFrom([]string{"tcp", "udp", ""}).Draw(t, "protocol"),
		Address: words.Draw(t, "address"), Groups: rapid.SampledFrom([][]string{nil, {"*"}, {"external", "internal"}, {"Ext_1"}}).Draw(t, "groups"), Mode: rapid.SampledFrom([]string{"http", "tcp"}).Draw(t, "mode"),
		Hosts: list(t, "hosts", 20, func(j int) string {
			return rapid.SampledFrom([]string{fmt.Sprintf("h%d.example.com", j), "A.example.com", "<host>", "*.example.com"}).Draw(t, "host")
		}),
		HSTS: truth(t, "hsts"), Sticky: rapid.SampledFrom([]*estate.Sticky{nil, {Cookie: "c"}}).Draw(t, "sticky"), Times: &estate.Timeouts{Server: seconds(t, "server")},
	}
	ep.Rules = list(t, "rules", 40, func(int) estate.Match {
		return estate.Match{
			Path: rapid.SampledFrom([]string{"", "/a", "/a//b", "/%2f", "a", "/x/../y", "/é", "/" + strings.Repeat("l", 1100)}).Draw(t, "rulepath"), NoCase: truth(t, "nocase"),
			PathKind: rapid.SampledFrom([]estate.PathMatch{estate.StringPrefix, estate.PathExact, estate.PathRegex, estate.PathSuffix}).Draw(t, "pathkind"),
			Host:     rapid.SampledFrom([]string{"", "", "r.example.com", "bad host"}).Draw(t, "rulehost"), Header: rapid.SampledFrom([]string{"", "", "X: y", "odd"}).Draw(t, "header"),
		}
	})
	if truth(t, "tls") {
		ep.TLS = &estate.TLS{FromClients: truth(t, "clients"), Redirect: truth(t, "redirect"), RedirectPath: rapid.SampledFrom([]string{"", "/r", "r"}).Draw(t, "redirectpath"), Certs: []string{words.Draw(t, "cert")}, Passthrough: rapid.IntRange(0, 5).Draw(t, "through") == 0}
	}
	if truth(t, "rewrite") {
		ep.Rework = &estate.Rewrite{
			From: rapid.SampledFrom([]string{"", "/a", "/a/b", "odd"}).Draw(t, "from"), Path: rapid.SampledFrom([]string{"", "/", "/z"}).Draw(t, "topath"), Host: words.Draw(t, "tohost"),
			RedirectPath: rapid.SampledFrom([]string{"", "/home", "home"}).Draw(t, "home"), RequestHeaders: table(t, "request"), ResponseHeaders: table(t, "response"),
		}
	}
	ep.Backends = list(t, "backends", 18, func(int) estate.Backend {
		b := estate.Backend{Port: port(t), Weight: rapid.SampledFrom([]*int{nil, new(0), new(5), new(1 << 40), new(-1)}).Draw(t, "weight")}
		if truth(t, "inside") {
			b.Workload = rapid.SampledFrom(ids).Draw(t, "backend")
		} else {
			b.Address = rapid.SampledFrom([]string{"10.0.0.1", "h.example.com", "127.0.0.1", "a b", "fe80::1", "2001:db8::1"}).Draw(t, "backendaddress")
		}
		return b
	})
	if truth(t, "allow") {
		ep.Allow = []string{rapid.SampledFrom([]string{"10.0.0.0/8", "10.0.0.1", "odd"}).Draw(t, "allowed")}
	}
	return ep
}

func genEstate(t *rapid.T) estate.Estate {
	e := estate.Estate{Workloads: list(t, "workloads", 3, func(i int) estate.Workload { return genWorkload(t, i) })}
	e.Workloads = append(e.Workloads, genWorkload(t, 9))
	var ids []estate.Name
	for _, w := range e.Workloads {
		ids = append(ids, w.ID)
	}
	e.Endpoints = list(t, "endpoints", 4, func(i int) estate.Endpoint { return genEndpoint(t, i, ids) })
	e.Quotas = list(t, "quotas", 2, func(int) estate.Quota {
		return estate.Quota{Role: words.Draw(t, "quota"), CPU: 1000, Memory: 1 << 30, GPUs: 1}
	})
	e.Networks = []estate.Network{{Name: "a", Internal: true}}
	return e
}

func genPolicy(t *rapid.T) policy.Policy {
	p := policy.Default()
	p.Spec.Namespaces.By = rapid.SampledFrom([]string{"", "group", "one"}).Draw(t, "by")
	p.Spec.Secrets.Store = rapid.SampledFrom([]string{"", "external"}).Draw(t, "store")
	p.Spec.Network = policy.Network{Host: rapid.SampledFrom([]string{"", "host"}).Draw(t, "phost"), HostPorts: rapid.SampledFrom([]string{"", "keep"}).Draw(t, "pports"), Policies: rapid.SampledFrom([]string{"", "deny"}).Draw(t, "ppolicies")}
	p.Spec.Edge.Kind = rapid.SampledFrom([]string{"", "ingress"}).Draw(t, "edge")
	p.Spec.Edge.Class = rapid.SampledFrom([]string{"", "nginx"}).Draw(t, "class")
	p.Spec.CPULimits = policy.CPULimits(rapid.SampledFrom([]string{"", "none", "request"}).Draw(t, "pcpu"))
	return p
}

// TestGeneratedEstatesKeepThePromises renders estates of odd names and values:
// every object is taken, names are legal and their own, selectors are apart,
// and something may always move.
func TestGeneratedEstatesKeepThePromises(t *testing.T) {
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		e, p := genEstate(rt), genPolicy(rt)
		version := rapid.SampledFrom([]string{"", "1.26"}).Draw(rt, "version")
		r := renderEstate(t, e, p, render.Options{KubeVersion: version})
		if n++; *dump != "" && version == "" {
			write(t, filepath.Join(*dump, fmt.Sprint(n)), r.files)
		}
		if again := renderEstate(t, e, p, render.Options{KubeVersion: version}); again.text() != r.text() || len(again.diags) != len(r.diags) {
			rt.Fatal("two runs differ")
		}
		seen := map[string]string{}
		pods := map[string]map[string]string{}
		for _, name := range slices.Sorted(maps.Keys(r.files)) {
			if !isObject(name) {
				continue
			}
			o := judged(t, name, r.files[name])
			legal(rt, name, r.files[name], seen)
			if ns, template, selector := podOf(o); template != nil {
				promises(rt, name, template)
				pods[name] = map[string]string(selector)
				for other, labels := range pods {
					if other != name && strings.HasPrefix(other, "kubernetes/base/"+ns+"/") && len(selector) > 0 && maps.Equal(labels, selector) {
						rt.Errorf("%s and %s have one selector", name, other)
					}
				}
				if d, ok := o.(*appsv1.Deployment); ok && d.Spec.Strategy.RollingUpdate != nil {
					if u := d.Spec.Strategy.RollingUpdate; u.MaxSurge.IntValue()+u.MaxUnavailable.IntValue() < 1 {
						rt.Errorf("%s: nothing may move", name)
					}
				}
			}
		}
		if t.Failed() {
			rt.FailNow()
		}
	})
}

func podOf(o any) (string, *corev1.PodTemplateSpec, labels.Set) {
	switch x := o.(type) {
	case *appsv1.Deployment:
		return x.Namespace, &x.Spec.Template, x.Spec.Selector.MatchLabels
	case *appsv1.StatefulSet:
		return x.Namespace, &x.Spec.Template, x.Spec.Selector.MatchLabels
	case *appsv1.DaemonSet:
		return x.Namespace, &x.Spec.Template, x.Spec.Selector.MatchLabels
	case *batchv1.CronJob:
		return x.Namespace, &x.Spec.JobTemplate.Spec.Template, nil
	case *batchv1.Job:
		return x.Namespace, &x.Spec.Template, nil
	}
	return "", nil, nil
}

// legal holds what every object has against the rules of all.
func legal(t *rapid.T, path, text string, seen map[string]string) {
	m := map[string]string{}
	for line := range strings.Lines(text) {
		k, v, _ := strings.Cut(strings.TrimSpace(line), ": ")
		if k == "kind" && m["kind"] == "" && !strings.HasPrefix(line, " ") || strings.HasPrefix(line, "  n") && (k == "name" || k == "namespace") && m[k] == "" {
			m[k] = strings.Trim(strings.TrimSpace(v), `"'`)
		}
	}
	limit := validation.IsDNS1123Subdomain
	if slices.Contains([]string{"Service", "Namespace"}, m["kind"]) {
		limit = validation.IsDNS1035Label
	}
	if errs := limit(m["name"]); len(errs) > 0 {
		t.Errorf("%s: name %q: %v", path, m["name"], errs)
	}
	key := m["kind"] + "/" + m["namespace"] + "/" + m["name"]
	if seen[key] != "" {
		t.Errorf("%s and %s are both %s", seen[key], path, key)
	}
	seen[key] = path
}

func promises(t *rapid.T, path string, p *corev1.PodTemplateSpec) {
	for k, v := range p.Labels {
		if errs := append(validation.IsQualifiedName(k), validation.IsValidLabelValue(v)...); len(errs) > 0 {
			t.Errorf("%s: label %q=%q: %v", path, k, v, errs)
		}
	}
	for _, c := range p.Spec.Containers {
		if h := c.Lifecycle; h != nil && h.PreStop.Sleep != nil && h.PreStop.Sleep.Seconds >= *p.Spec.TerminationGracePeriodSeconds {
			t.Errorf("%s: copies sleep for longer than they have", path)
		}
		for _, port := range c.Ports {
			if errs := validation.IsValidPortName(port.Name); len(errs) > 0 {
				t.Errorf("%s: port %q: %v", path, port.Name, errs)
			}
		}
		for _, probe := range []*corev1.Probe{c.LivenessProbe, c.ReadinessProbe, c.StartupProbe} {
			if probe != nil && (probe.FailureThreshold < 1 || probe.PeriodSeconds < 1 || probe.TimeoutSeconds < 1) {
				t.Errorf("%s: probe %+v", path, probe)
			}
		}
		if limit, request := c.Resources.Limits.Memory(), c.Resources.Requests.Memory(); !limit.IsZero() && limit.Cmp(*request) < 0 {
			t.Errorf("%s: memory limit %s is below the request %s", path, limit, request)
		}
	}
}
