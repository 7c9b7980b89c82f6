// Package edgelb reads the pools of DC/OS' Edge-LB (version 2 of their schema)
// and the labels that make pools by themselves. It takes pool definitions, one
// or many a file, and gives one infrastructure workload a pool and one route
// for each of its links, tied to workloads once all are known. It never keeps
// the value of a pool's environment variable.
package edgelb

import (
	"slices"
	"strconv"
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/discover/field"
	"github.com/tranship/tranship/internal/estate"
)

// Reader reads pools (discover.Reader) and ties their services to workloads
// once all are known (discover.Finisher). One Reader reads one snapshot at a time.
type Reader struct {
	pools []*pool
}

// New gives a Reader that has read nothing.
func New() *Reader { return &Reader{} }

// A pool is one definition while it is read.
type pool struct {
	field.Scope
	v        *jsonpos.Value
	w        *estate.Workload
	backends map[string]*backend
	routes   []route
}

// A route is an endpoint whose backends are not resolved yet.
type route struct {
	ep   estate.Endpoint
	to   string // the backend's name
	link *jsonpos.Value
}

// Recognise says whether the document holds a pool, or a list of them.
func (r *Reader) Recognise(d *discover.Document) bool {
	if isPool(d.Root) {
		return true
	}
	for _, e := range listOf(d.Root) {
		if isPool(unwrap(e)) {
			return true
		}
	}
	return isPool(unwrap(d.Root))
}

// isPool tells a pool by its HAProxy configuration.
func isPool(v *jsonpos.Value) bool {
	h := v.Get("haproxy")
	return h.Kind() == jsonpos.Object && (h.Has("frontends") || h.Has("backends"))
}

// listOf gives the elements of a list of pools: an array, or one below "pools".
func listOf(v *jsonpos.Value) []*jsonpos.Value {
	if p := v.Get("pools"); p.Kind() == jsonpos.Array {
		return p.Elems()
	}
	if v.Kind() == jsonpos.Array {
		return v.Elems()
	}
	return nil
}

// unwrap takes a pool out of the object that names its version, as the API's
// lists have it.
func unwrap(v *jsonpos.Value) *jsonpos.Value {
	if v.Kind() != jsonpos.Object || isPool(v) {
		return v
	}
	for _, key := range []string{"v2", "V2", "v1", "V1", "pool"} {
		if p := v.Get(key); isPool(p) {
			return p
		}
	}
	return v
}

// Read reads every pool of the document.
func (r *Reader) Read(d *discover.Document, b *discover.Builder) {
	list := listOf(d.Root)
	if isPool(d.Root) || len(list) == 0 {
		list = []*jsonpos.Value{d.Root}
	}
	if v := d.Root.Get("apiVersion"); v != nil && !isPool(d.Root) {
		b.Note(d.File, "", v, rulings["/apiVersion"])
	}
	for _, e := range list {
		v := unwrap(e)
		switch {
		case !isPool(v):
			b.Report(diag.Diagnostic{
				Code: NotAPool, Severity: diag.Error, Pos: e.Pos(d.File), Subject: "pool",
				Problem: "has no HAProxy configuration, and was left out", Hint: "export it again: dcos edgelb show POOL --json",
			})
		case isV1(v, d.Root):
			notYet(d.File, v, b)
		default:
			r.read(d.File, v, b)
		}
	}
}

// isV1 tells the first version of the schema: it says so, or it has servers
// where the second has services.
func isV1(v, root *jsonpos.Value) bool {
	for _, x := range []*jsonpos.Value{v.Get("apiVersion"), root.Get("apiVersion")} {
		if x.Kind() == jsonpos.String {
			return strings.EqualFold(x.Text(), "V1")
		}
	}
	if p := v.Parent(); p != nil && v.Parent().Get(v.Key()) == v && strings.EqualFold(v.Key(), "v1") {
		return true
	}
	return slices.ContainsFunc(v.At("haproxy", "backends").Elems(), func(e *jsonpos.Value) bool {
		return e.Has("servers") && !e.Has("services")
	})
}

func notYet(file string, v *jsonpos.Value, b *discover.Builder) {
	b.Note(file, "", v, discover.Ruling{
		Verdict: ledger.Dropped, Code: discover.NotReadYet, Reason: "a pool of Edge-LB's schema V1, which is not read yet",
	})
	b.Report(diag.Diagnostic{
		Code: discover.NotReadYet, Severity: diag.Warning, Pos: v.Pos(file), Subject: "pool " + v.Get("name").Text(),
		Problem: "is of Edge-LB's schema V1, which is not read yet",
		Hint:    "Edge-LB since 1.0 gives every pool in V2 as well: dcos edgelb show POOL --json",
	})
}

func (r *Reader) read(file string, v *jsonpos.Value, b *discover.Builder) {
	name := strings.TrimSpace(v.Get("name").Text())
	if v.Get("name").Kind() != jsonpos.String || name == "" {
		b.Report(diag.Diagnostic{
			Code: NoPoolName, Severity: diag.Warning, Pos: v.Pos(file), Subject: "pool",
			Problem: "has no name", Hint: "it was read under a name of its own; export it again to have its routes under the right one",
		})
		name = "unnamed-" + strconv.Itoa(len(r.pools)+1)
	}
	w := b.Add(estate.Workload{
		ID: estate.Name("/edgelb/pools/" + strings.Trim(name, "/")), Kind: estate.Infrastructure,
		Origin: estate.Origin{File: file, Pointer: v.Pointer()}, SourceVersion: field.Digest(v), Group: "/edgelb/pools", Replicas: 1,
		Operator: &estate.Operator{
			Package: "edgelb-pool", Name: "a Gateway API implementation",
			Advice: "its routes become HTTPRoutes and TCPRoutes of a Gateway; nothing of the pool itself is moved",
		},
	}, v.Pos(file))
	if w == nil {
		b.Note(file, "", v, discover.Ruling{
			Verdict: ledger.Dropped, Code: discover.DuplicateID, Reason: "a pool of this name is defined already",
		})
		return
	}
	p := &pool{Scope: field.Scope{B: b, File: file, ID: w.ID, Kind: "pool"}, v: v, w: w, backends: map[string]*backend{}}
	p.note(v, "")
	p.settings()
	for i, e := range v.At("haproxy", "backends").Elems() {
		p.backend(i, e)
	}
	for i, e := range v.At("haproxy", "frontends").Elems() {
		p.frontend(i, e, name)
	}
	r.pools = append(r.pools, p)
}
