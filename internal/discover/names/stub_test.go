package names

import (
	"strconv"
	"strings"

	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/discover/discovertest"
	"github.com/tranship/tranship/internal/discover/field"
	"github.com/tranship/tranship/internal/estate"
)

// stub reads just enough of Marathon apps, Compose files and hosts to stand
// before the search for names: the search sees workloads and texts alone.
type stub struct{}

func (stub) Recognise(*discover.Document) bool { return true }

func (stub) Read(d *discover.Document, b *discover.Builder) {
	if services := d.Root.Get("services"); services != nil {
		for _, s := range services.Elems() {
			readService(d, b, s)
		}
		return
	}
	for _, a := range d.Root.Get("slaves").Elems() {
		h := estate.Host{Name: a.Get("hostname").Text(), Attributes: map[string]string{}}
		for _, e := range a.Get("attributes").Elems() {
			h.Attributes[e.Key()] = e.Text()
		}
		b.Estate().Hosts = append(b.Estate().Hosts, h)
	}
	if d.Root.Kind() == jsonpos.Object && d.Root.Has("id") {
		readApp(d, b, d.Root)
		return
	}
	for _, e := range d.Root.Elems() {
		readApp(d, b, e)
	}
}

func readApp(d *discover.Document, b *discover.Builder, v *jsonpos.Value) {
	if h := v.Get("host"); h != nil {
		host := estate.Host{Name: h.Text(), Zone: v.Get("zone").Text(), Attributes: map[string]string{}}
		for _, e := range v.Elems() {
			host.Attributes[e.Key()] = e.Text()
		}
		b.Estate().Hosts = append(b.Estate().Hosts, host)
		return
	}
	kind := estate.Service
	if k := v.Get("kind"); k != nil {
		kind = estate.Kind(k.Text())
	}
	w := b.Add(estate.Workload{
		ID: estate.Name(v.Get("id").Text()), Kind: kind, Replicas: 1, Labels: map[string]string{},
		Containers: []estate.Container{{Name: "main", Image: v.Get("image").Text()}},
		Origin:     estate.Origin{File: d.File, Pointer: v.Pointer()},
	}, v.Pos(d.File))
	if w == nil {
		return
	}
	s := field.Scope{B: b, File: d.File, ID: w.ID, Kind: "app"}
	c := &w.Containers[0]
	w.Network = estate.NetworkMode(v.Get("network").Text())
	if n := v.Get("networkName"); n != nil {
		w.Networks = []estate.NetworkRef{{Name: n.Text()}}
	}
	for _, p := range v.At("container", "portMappings").Elems() {
		readPort(w, c, p)
	}
	c.Env = s.Env(v.Get("env"), w, "main")
	inject(c)
	if cmd := v.Get("cmd"); cmd != nil {
		c.Shell = cmd.Text()
		s.Note(cmd, ledger.Exact, "T001", "container#command", "the same")
		b.Text(discover.Text{Workload: w.ID, Place: estate.Place{Container: "main", Field: "shell"}, File: d.File, At: cmd})
	}
	if l := v.Get("labels"); l != nil {
		b.Labels(d.File, w, l)
	}
	w.Constraints = s.Constraints(v.Get("constraints"))
	for _, e := range v.Get("dependencies").Elems() {
		w.DependsOn = append(w.DependsOn, estate.Name(e.Text()))
	}
	if r := v.Get("route"); r != nil {
		n, _ := strconv.Atoi(r.Text())
		ep := estate.Endpoint{
			ID: "route:" + string(w.ID) + ":0", Kind: estate.Route, Port: n,
			Backends: []estate.Backend{{Workload: w.ID, Port: c.Ports[0].Number}},
		}
		if h := v.Get("vhost"); h != nil {
			ep.Hosts = []string{h.Text()}
		}
		if v.Has("auth") {
			ep.Auth = &estate.Auth{}
		}
		b.Estate().Endpoints = append(b.Estate().Endpoints, ep)
	}
}

// inject adds what the readers of Marathon's definitions add.
func inject(c *estate.Container) {
	names := []string{"HOST", "MESOS_SANDBOX", "MESOS_TASK_ID", "MARATHON_APP_ID"}
	for i, p := range c.Ports {
		names = append(names, "PORT"+strconv.Itoa(i), "PORT_"+strconv.Itoa(p.Number), "PORT_"+strings.ToUpper(p.Name))
		if i == 0 {
			names = append(names, "PORT")
		}
	}
	for _, n := range names {
		c.Env = append(c.Env, estate.EnvVar{Name: n, Value: "x", Injected: true})
	}
}

func readPort(w *estate.Workload, c *estate.Container, p *jsonpos.Value) {
	num := func(key string) int {
		n, _ := strconv.Atoi(p.Get(key).Text())
		return n
	}
	port := estate.Port{
		Number: num("containerPort"), HostPort: num("hostPort"), ServicePort: num("servicePort"), Name: p.Get("name").Text(),
		Dynamic: p.Has("dynamic"), Labels: map[string]string{},
	}
	for _, l := range p.Get("labels").Elems() {
		port.Labels[l.Key()] = l.Text()
	}
	c.Ports = append(c.Ports, port)
}

func readService(d *discover.Document, b *discover.Builder, v *jsonpos.Value) {
	w := b.Add(estate.Workload{
		ID: estate.Name("/shop/" + v.Key()), Group: "/shop", Kind: estate.Service, Replicas: 1,
		Origin:     estate.Origin{File: d.File, Pointer: v.Pointer()},
		Containers: []estate.Container{{Name: v.Key(), Image: v.Get("image").Text()}},
	}, v.Pos(d.File))
	for _, n := range v.Get("networks").Elems() {
		ref := estate.NetworkRef{Name: n.Key()}
		for _, a := range n.Get("aliases").Elems() {
			ref.Aliases = append(ref.Aliases, a.Text())
		}
		w.Networks = append(w.Networks, ref)
	}
	for _, e := range v.Get("expose").Elems() {
		n, _ := strconv.Atoi(strings.TrimSpace(e.Text()))
		w.Containers[0].Ports = append(w.Containers[0].Ports, estate.Port{Number: n})
	}
	s := field.Scope{B: b, File: d.File, ID: w.ID, Kind: "service"}
	w.Containers[0].Env = s.Env(v.Get("environment"), w, v.Key())
	if cmd := v.Get("command"); cmd != nil {
		s.Note(cmd, ledger.Exact, "T001", "container#command", "the same")
		b.Text(discover.Text{Workload: w.ID, Place: estate.Place{Container: v.Key(), Field: "shell"}, File: d.File, At: cmd})
	}
}

func read(files map[string]string) discover.Result {
	return discovertest.Read([]any{stub{}, New()}, files)
}
