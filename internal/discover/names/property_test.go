package names

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tranship/tranship/internal/discover/discovertest"
	"github.com/tranship/tranship/internal/estate"
)

type planted struct {
	text string
	to   estate.Name
}

// forms gives an old name of app i of some group, with what it leads to.
func forms(i int) []planted {
	id := estate.Name(fmt.Sprintf("/g%d/app%d", i%3, i))
	task := fmt.Sprintf("app%d-g%d", i, i%3)
	dotted := fmt.Sprintf("app%d.g%d", i, i%3)
	port := 31000 + i
	return []planted{
		{fmt.Sprintf("%s.marathon.mesos:%d", task, port), id},
		{fmt.Sprintf("%s.marathon.mesos:%d", dotted, port), id},
		{task + ".marathon.mesos", id},
		{fmt.Sprintf("_%s._tcp.marathon.mesos", task), id},
		{fmt.Sprintf("%s.marathon.autoip.dcos.thisdcos.directory:%d", task, port), id},
		{task + ".marathon.containerip.dcos.thisdcos.directory:8080", id},
		{fmt.Sprintf("vip%d.marathon.l4lb.thisdcos.directory:80", i), id},
		{fmt.Sprintf("vip%d.marathon.l4lb.thisdcos.directory", i), id},
		{fmt.Sprintf("marathon-lb.marathon.mesos:%d", 10100+i), id},
		{fmt.Sprintf("gone%d.marathon.mesos:80", i), ""},
		{fmt.Sprintf("zk-%d.zk:2181", i+1), ""},
		{"leader.mesos:5050", ""},
	}
}

func TestEveryPlantedNameIsFoundAndLeadsHome(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(t, "apps")
		var apps []string
		wanted := map[string]planted{}
		for i := range n {
			f := forms(rapid.IntRange(0, n-1).Draw(t, "target"))
			p := rapid.SampledFrom(f).Draw(t, "form")
			before := rapid.SampledFrom([]string{"", "http://", "x=", "tcp://u:", "a,", "run --host ", "\"", "(", "zk://1.2.3.4:1,"}).Draw(t, "before")
			if before == "tcp://u:" {
				before = "tcp://u:x@"
			}
			after := rapid.SampledFrom([]string{"", "/x", ",b", " -v", "\"", ")", ";", "?q=1"}).Draw(t, "after")
			where := rapid.SampledFrom([]string{"env", "cmd"}).Draw(t, "where")
			text := before + p.text + after
			env, cmd := "noname", "true"
			if where == "env" {
				env = text
			} else {
				cmd = text
			}
			id := fmt.Sprintf("/g%d/app%d", i%3, i)
			wanted[id] = p
			apps = append(apps, fmt.Sprintf(`{"id": %q, "cmd": %q, "env": {"X": %q}, "container": {"portMappings": [
			  {"containerPort": 8080, "hostPort": %d, "servicePort": %d, "labels": {"VIP_0": "/vip%d:80"}}]}}`, id, cmd, env, 31000+i, 10100+i, i))
		}
		r := discovertest.One([]any{stub{}, New()}, "["+strings.Join(apps, ",")+"]")
		for id, p := range wanted {
			found := false
			for _, d := range r.Estate.Dependencies {
				found = found || string(d.From) == id && d.Match == p.text && d.To == p.to
				if d.Fate == estate.Rewritten {
					if got := estate.Substitute("<"+d.Match+">", map[string]string{d.Match: "new"}); got != "<new>" {
						t.Fatalf("match %q of %s cannot be put in: %q", d.Match, id, got)
					}
				}
			}
			if !found {
				t.Fatalf("%q in %s was not found, or leads elsewhere: %+v", p.text, id, r.Estate.Dependencies)
			}
		}
	})
}

func TestNothingIsFoundInTextsWithoutNames(t *testing.T) {
	word := rapid.StringMatching(`[a-z0-9.:/=_-]{1,12}`).Filter(func(s string) bool {
		return !strings.Contains(s, "mesos") && !strings.Contains(s, "directory") && !strings.Contains(s, ".zk") && !strings.Contains(s, "zk:")
	})
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOf(word).Draw(t, "words"), " ")
		r := discovertest.One([]any{stub{}, New()}, fmt.Sprintf(`[{"id": "/a", "cmd": %q, "container": {"portMappings": [
		  {"containerPort": 1, "hostPort": 2, "servicePort": 3, "labels": {"VIP_0": "v:1"}}]}}]`, text))
		if len(r.Estate.Dependencies) != 0 {
			t.Fatalf("in %q was found %+v", text, r.Estate.Dependencies)
		}
	})
}

func FuzzTexts(f *testing.F) {
	for i := range 2 {
		for _, p := range forms(i) {
			f.Add("http://"+p.text+"/", p.text)
		}
	}
	f.Add("${X}.marathon.mesos $PORT0 ${MESOS_X", "/opt/mesosphere/ zk://a:1,,b/ /dcos-service-x")
	f.Add(".mesos -.mesos _.mesos _._.mesos", "a..marathon.mesos:0 .l4lb.thisdcos.directory ..dcos.thisdcos.directory")
	b := fakeBuilder(f, world)
	f.Fuzz(func(t *testing.T, env, cmd string) {
		r := read(map[string]string{
			"world.json": world, "c.json": fmt.Sprintf(`{"id": "/client", "env": {"X": %q}, "cmd": %q}`, env, cmd),
		})
		for _, d := range r.Estate.Dependencies {
			if d.Fate == estate.Rewritten && (d.To == "" || d.Match == "" || b.Workload(d.To) == nil) {
				t.Errorf("rewritten to nothing: %+v", d)
			}
			if d.Fate != estate.None && d.Fate != estate.Rewritten && d.Why == "" {
				t.Errorf("no reason: %+v", d)
			}
		}
	})
}

func FuzzPattern(f *testing.F) {
	for _, p := range []string{"a.*", `\Qa\E`, "[a&&b]", "(?<x>a)", "a++", `\`, "[", "[^]]", "(?"} {
		f.Add(p, "a")
	}
	f.Fuzz(func(t *testing.T, pattern, value string) {
		if re, err := javaPattern(pattern); err == nil {
			re.MatchString(value)
		}
	})
}
