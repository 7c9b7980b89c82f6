package haproxy

import (
	"strconv"
	"strings"

	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/estate"
)

// appReader reads as much of an app as the tests of labels need: ports,
// checks, image, instances. It notes everything that it does not read.
type appReader struct{}

func (appReader) Recognise(d *discover.Document) bool {
	r := d.Root
	if r.Kind() == jsonpos.Array && len(r.Elems()) > 0 {
		r = r.Elems()[0]
	}
	return r.Has("id")
}

func (appReader) Read(d *discover.Document, b *discover.Builder) {
	apps := []*jsonpos.Value{d.Root}
	if d.Root.Kind() == jsonpos.Array {
		apps = d.Root.Elems()
	}
	for _, v := range apps {
		readApp(d, v, b)
	}
}

func readApp(d *discover.Document, v *jsonpos.Value, b *discover.Builder) {
	c := estate.Container{Name: "main", Shell: v.Get("cmd").Text(), Image: v.At("container", "docker", "image").Text()}
	for _, a := range v.Get("args").Elems() {
		c.Args = append(c.Args, a.Text())
	}
	for i, p := range v.Get("portDefinitions").Elems() {
		port := estate.Port{Number: 31000 + i, ServicePort: num(p.Get("port").Text()), Protocols: []string{"tcp"}}
		if n := num(p.Get("containerPort").Text()); n > 0 {
			port.Number = n
		}
		if proto := p.Get("protocol").Text(); proto != "" {
			port.Protocols = strings.Split(proto, ",")
		}
		c.Ports = append(c.Ports, port)
	}
	for _, h := range v.Get("healthChecks").Elems() {
		check := estate.HealthCheck{Kind: estate.CheckKind(strings.ToLower(strings.TrimPrefix(h.Get("protocol").Text(), "MESOS_"))), Path: h.Get("path").Text()}
		if i := num(h.Get("portIndex").Text()); i < len(c.Ports) {
			check.Port = c.Ports[i].Number
		}
		c.Checks = append(c.Checks, check)
	}
	w := b.Add(estate.Workload{
		ID: estate.Name(v.Get("id").Text()), Kind: estate.Service, Replicas: max(1, num(v.Get("instances").Text())),
		Origin: estate.Origin{File: d.File, Pointer: v.Pointer()}, Containers: []estate.Container{c},
	}, v.Pos(d.File))
	if w == nil {
		return
	}
	if labels := v.Get("labels"); labels != nil {
		b.Labels(d.File, w, labels)
	}
	b.Note(d.File, w.ID, v, discover.Ruling{Verdict: ledger.Exact, Code: "T000", Reason: "of the test's reader"})
}

func readers() []any { return []any{appReader{}, New(), Others{}} }

func num(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}
