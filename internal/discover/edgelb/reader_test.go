package edgelb

import (
	"strconv"

	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/estate"
)

// appReader reads as much of an app as the tests of pools need: its ports,
// instances, labels, and a virtual address. It notes everything else.
type appReader struct{}

func (appReader) Recognise(d *discover.Document) bool { return len(apps(d)) > 0 }

func apps(d *discover.Document) (out []*jsonpos.Value) {
	for _, v := range append([]*jsonpos.Value{d.Root}, d.Root.Elems()...) {
		if v.Has("id") {
			out = append(out, v)
		}
	}
	return out
}

func (appReader) Read(d *discover.Document, b *discover.Builder) {
	for _, v := range apps(d) {
		id := estate.Name(v.Get("id").Text())
		w := estate.Workload{ID: id, Kind: estate.Service, Replicas: 1, Origin: estate.Origin{File: d.File, Pointer: v.Pointer()}}
		if n, err := strconv.Atoi(v.Get("instances").Text()); err == nil {
			w.Replicas = n
		}
		if v.Has("framework") {
			w.Kind = estate.Framework
		}
		containers := v.Get("containers").Elems()
		if len(containers) == 0 {
			containers = []*jsonpos.Value{v}
		}
		for i, e := range containers {
			c := estate.Container{Name: "c" + strconv.Itoa(i), Shell: "true"}
			if n := e.Get("name").Text(); n != "" {
				c.Name = n
			}
			for _, p := range e.Get("ports").Elems() {
				n, _ := strconv.Atoi(p.Text())
				c.Ports = append(c.Ports, estate.Port{Name: p.Key(), Number: n})
			}
			w.Containers = append(w.Containers, c)
		}
		if vip := v.Get("vip").Text(); vip != "" {
			b.Estate().Endpoints = append(b.Estate().Endpoints, estate.Endpoint{
				ID: "vip:" + vip, Kind: estate.VirtualAddress, Address: vip, Port: 555,
				Backends: []estate.Backend{{Workload: id, Port: w.Containers[0].Ports[0].Number}},
			})
		}
		if p := b.Add(w, v.Pos(d.File)); p != nil && v.Has("labels") {
			b.Labels(d.File, p, v.Get("labels"))
		}
		b.Note(d.File, id, v, discover.Ruling{Verdict: ledger.Decision, Code: "T000", Reason: "of the test's reader"})
	}
}

func readers() []any { return []any{New(), appReader{}, AutoPool{}} }
