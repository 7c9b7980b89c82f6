package haproxy

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/tranship/tranship/internal/base/corpus"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/discover/discovertest"
	"github.com/tranship/tranship/internal/estate"
)

// A judged is one of the cases beside a configuration: what marathon-lb was given.
type judged struct {
	Groups     []string
	HaproxyMap bool
	Services   []struct {
		ID          string
		ServicePort int
		HealthCheck map[string]any
		StrictMode  bool
		Labels      map[string]string
		Other       map[string][]string
		Backends    []struct {
			Host, IP string
			Port     int
		}
	}
	AlsoSet []string
}

// apps writes the case as applications: services of one id are its ports, and
// the load balancer runs as one more. tasks has the addresses behind each
// container port.
func (c *judged) apps() (text string, tasks map[string][]string) {
	type app struct {
		ID        string            `json:"id"`
		Args      []string          `json:"args,omitempty"`
		Container any               `json:"container,omitempty"`
		Ports     []map[string]any  `json:"portDefinitions"`
		Checks    []map[string]any  `json:"healthChecks"`
		Labels    map[string]string `json:"labels"`
	}
	lb := &app{ID: "/lb", Args: []string{"sse"}, Container: map[string]any{"docker": map[string]any{"image": "mesosphere/marathon-lb:v1.15"}}}
	for _, g := range c.Groups {
		lb.Args = append(lb.Args, "--group", g)
	}
	if c.HaproxyMap {
		lb.Args = append(lb.Args, "--haproxy-map")
	}
	list := []*app{lb}
	tasks = map[string][]string{}
	for _, s := range c.Services {
		i := slices.IndexFunc(list, func(a *app) bool { return a.ID == s.ID })
		if i < 0 {
			i = len(list)
			list = append(list, &app{ID: s.ID, Labels: map[string]string{}})
		}
		a := list[i]
		n := len(a.Ports)
		number := 8000 + n
		a.Ports = append(a.Ports, map[string]any{"port": s.ServicePort, "containerPort": number})
		if s.HealthCheck["protocol"] != nil {
			s.HealthCheck["portIndex"] = n
			a.Checks = append(a.Checks, s.HealthCheck)
		}
		for k, v := range s.Labels {
			a.Labels[strings.Replace(k, "HAPROXY_0_", "HAPROXY_"+strconv.Itoa(n)+"_", 1)] = v
		}
		if g := s.Other["haproxy_groups"]; g != nil {
			a.Labels["HAPROXY_"+strconv.Itoa(n)+"_GROUP"] = strings.Join(g, ",")
		}
		if s.StrictMode && !slices.Contains(lb.Args, "--strict-mode") {
			lb.Args = append(lb.Args, "--strict-mode")
		}
		for _, b := range s.Backends {
			at := place(estate.Name(s.ID), number)
			tasks[at] = append(tasks[at], b.IP+":"+strconv.Itoa(b.Port))
		}
	}
	data, _ := json.Marshal(list)
	return string(data), tasks
}

func place(w estate.Name, port int) string { return string(w) + ":" + strconv.Itoa(port) }

// carried makes the table of what the routes of groups do.
func carried(r discover.Result, groups []string, tasks map[string][]string) *table {
	t := newTable()
	list := slices.Clone(r.Estate.Endpoints)
	slices.SortStableFunc(list, func(a, b estate.Endpoint) int {
		return cmp.Or(cmp.Compare(b.Order, a.Order), cmp.Compare(ownerOf(a), ownerOf(b)), cmp.Compare(servicePort(a), servicePort(b)))
	})
	for _, ep := range list {
		in := slices.ContainsFunc(ep.Groups, func(g string) bool { return slices.Contains(groups, g) })
		if in = in || slices.Contains(groups, "*"); !in || ep.Disabled {
			continue
		}
		name := strings.ReplaceAll(strings.TrimPrefix(string(ownerOf(ep)), "/"), "/", "_") + "_" + strconv.Itoa(servicePort(ep))
		t.add(ep, name, tasks)
	}
	slices.SortFunc(list, func(a, b estate.Endpoint) int { return cmp.Compare(servicePort(b), servicePort(a)) })
	for _, ep := range list {
		name := strings.ReplaceAll(strings.TrimPrefix(string(ownerOf(ep)), "/"), "/", "_") + "_" + strconv.Itoa(servicePort(ep))
		if _, ok := t.Backends[name]; ok && ep.Mode == "http" {
			t.ByID[string(ownerOf(ep))] = name
		}
	}
	t.tidy()
	return t
}

func (t *table) add(ep estate.Endpoint, name string, tasks map[string][]string) {
	var paths []string
	noCase := false
	for _, m := range ep.Rules {
		paths, noCase = append(paths, m.Path), m.NoCase
	}
	shown := showPaths(paths, noCase)
	for _, h := range ep.Hosts {
		schemes := []string{"https"}
		if ep.TLS.Redirect {
			t.Redirects = append(t.Redirects, "http "+h+" "+shown)
		} else {
			schemes = append(schemes, "http")
			t.HTTP[h] = append(t.HTTP[h], shown+": "+name)
		}
		t.HTTPS[h] = append(t.HTTPS[h], shown+": "+name)
		for _, s := range schemes {
			if ep.Auth != nil {
				t.Auths = append(t.Auths, s+" "+h+" "+shown+": "+ep.Auth.Realm+" "+ep.Auth.User)
			}
		}
	}
	addr, opts, _ := strings.Cut(cmp.Or(ep.Bind, "*"), " ")
	bind := addr + ":" + strconv.Itoa(servicePort(ep))
	if ep.TLS != nil && len(ep.TLS.Certs) > 0 {
		bind += " ssl crt " + strings.Join(ep.TLS.Certs, ",")
	}
	t.Ports = append(t.Ports, fmt.Sprintf("%s %s %s", strings.TrimSpace(bind+" "+opts), ep.Mode, name))
	b := backend{Mode: ep.Mode, Balance: ep.Balance, HSTS: ep.HSTS, Allow: ep.Allow}
	for _, x := range ep.Backends {
		b.Servers = append(b.Servers, tasks[place(x.Workload, x.Port)]...)
		if ep.Check != nil && ep.Check.Port != 0 {
			b.Checks = append(b.Checks, tasks[place(x.Workload, ep.Check.Port)]...)
		}
	}
	if ep.Sticky != nil {
		b.Cookie = ep.Sticky.Cookie
	}
	if r := ep.Rework; r != nil {
		b.Strip, b.Location, b.Root = r.From, r.LocationPath, r.RedirectPath
		if r.From != "" {
			b.SetHost = cmp.Or(r.Host, "None")
		}
	}
	slices.Sort(b.Servers)
	slices.Sort(b.Checks)
	t.Backends[name] = b
}

var mapped = regexp.MustCompile(`expected_(domain|app)_map\['(.*)'\] = '(.*)'`)

func (c *judged) maps() (domains [][2]string, ids map[string]string) {
	ids = map[string]string{}
	for _, line := range c.AlsoSet {
		if m := mapped.FindStringSubmatch(line); m != nil && m[1] == "domain" {
			domains = append(domains, [2]string{m[2], m[3]})
		} else if m != nil {
			ids[m[2]] = m[3]
		}
	}
	return domains, ids
}

// judge gives the difference between a configuration and what is read from
// the labels that it was made of. Of a configuration that is cut off only the
// frontends that are whole are compared.
func (c *judged) judge(cfg string) (diff string, cut bool) {
	text, tasks := c.apps()
	domains, ids := c.maps()
	want, cut := tableOf(cfg, domains, ids)
	got := carried(discovertest.One(readers(), text), c.Groups, tasks)
	if cut {
		for _, t := range []*table{want, got} {
			t.HTTPS, t.Ports, t.Backends = nil, nil, nil
			t.Auths = slices.DeleteFunc(t.Auths, func(s string) bool { return strings.HasPrefix(s, "https ") })
		}
	}
	return gocmp.Diff(want, got), cut
}

func cases(t *testing.T) (fsys fs.FS, files []string) {
	fsys, files = corpus.Files(t, []string{"haproxy/marathon-lb-expected"}, ".json")
	return fsys, files
}

func load(t *testing.T, fsys fs.FS, file string) (*judged, string) {
	t.Helper()
	data, err := fs.ReadFile(fsys, file)
	if err != nil {
		t.Fatal(err)
	}
	var c judged
	if err := json.Unmarshal(data, &c); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	cfg, err := fs.ReadFile(fsys, strings.TrimSuffix(file, ".json")+".cfg")
	if err != nil {
		t.Fatal(err)
	}
	return &c, string(cfg)
}

func TestLabelsRouteAsMarathonLBsConfigurationDoes(t *testing.T) {
	fsys, files := cases(t)
	equal, whole := 0, 0
	for _, file := range files {
		c, cfg := load(t, fsys, file)
		if len(c.Services) == 0 {
			continue
		}
		diff, cut := c.judge(cfg)
		if diff != "" {
			t.Errorf("%s: routing differs (-configuration +labels):\n%s", file, diff)
			continue
		}
		equal++
		if !cut {
			whole++
		}
	}
	t.Logf("%d cases equal, %d of them against a configuration that is whole", equal, whole)
	if equal < 18 {
		t.Errorf("%d cases are equal, want 18 at least", equal)
	}
}

// set changes a label of all ports of one application.
func (c *judged) set(id, key, from, to string) {
	for i := range c.Services {
		if s := &c.Services[i]; s.ID == id && s.Labels[key] == from {
			s.Labels[key] = to
		}
	}
}

func TestTheJudgeSeesAWrongReading(t *testing.T) {
	fsys, files := cases(t)
	for _, file := range files {
		c, cfg := load(t, fsys, file)
		for i := range c.Services {
			for key, value := range c.Services[i].Labels {
				if strings.HasSuffix(key, "_BACKEND_HEALTHCHECK_PORT_INDEX") {
					continue // it has a test of its own
				}
				if _, cut := tableOf(cfg, nil, nil); cut && strings.HasSuffix(key, "_USE_HSTS") {
					continue // stands in a part that is cut off
				}
				wrong := "x" + value
				c.set(c.Services[i].ID, key, value, wrong)
				if diff, _ := c.judge(cfg); diff == "" {
					t.Errorf("%s: %s = %q in place of %q makes no difference to the judge", file, key, wrong, value)
				}
				c.set(c.Services[i].ID, key, wrong, value)
			}
		}
	}
}
