// Package pod reads Marathon's pods: a pod by itself, lists of them, pods with
// their status, and pods that stand in a group. It takes JSON values and gives
// workloads of several containers, with a ledger entry for each leaf. It never
// leaves out a container because one of its fields cannot be read.
package pod

import (
	"path"
	"slices"
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/discover/field"
	"github.com/tranship/tranship/internal/estate"
)

// Reader reads pods.
type Reader struct{}

// Recognise takes a pod, a pod's status, and an array in which one stands.
func (Reader) Recognise(d *discover.Document) bool {
	if d.Root.Kind() != jsonpos.Array {
		return isPod(d.Root)
	}
	return slices.ContainsFunc(d.Root.Elems(), isPod)
}

// Read reads all pods of the document.
func (r Reader) Read(d *discover.Document, b *discover.Builder) {
	if d.Root.Kind() != jsonpos.Array {
		r.ReadPod(d, d.Root, "/", b)
		return
	}
	for _, e := range d.Root.Elems() {
		switch {
		case isPod(e):
			r.ReadPod(d, e, "/", b)
		case e.Kind() == jsonpos.Array: // each pod's versions
			for _, x := range e.Elems() {
				if isPod(x) {
					r.ReadPod(d, x, "/", b)
				}
			}
		}
	}
}

// isPod tells a pod by its containers, and a pod's status by its spec. What has
// an apiVersion is one of Kubernetes'.
func isPod(v *jsonpos.Value) bool {
	if v.Kind() != jsonpos.Object || v.Has("apiVersion") {
		return false
	}
	if spec := v.Get("spec"); spec.Kind() == jsonpos.Object {
		return spec.Get("containers").Kind() == jsonpos.Array
	}
	list := v.Get("containers")
	if list.Kind() != jsonpos.Array {
		return false
	}
	if v.Has("id") {
		return true
	}
	return slices.ContainsFunc([]string{"scaling", "networks", "scheduling", "volumes"}, v.Has)
}

// ReadPod reads one pod, or one pod's status, of the group.
func (Reader) ReadPod(d *discover.Document, v *jsonpos.Value, group estate.Name, b *discover.Builder) {
	if v.IsNull() {
		return
	}
	def, status := v, (*jsonpos.Value)(nil)
	if spec := v.Get("spec"); spec.Kind() == jsonpos.Object {
		def, status = spec, v
	}
	p := &pod{def: def}
	p.Scope = field.Scope{B: b, File: d.File, Kind: "pod"}
	p.ID = p.id(d, status, group)
	p.read(status)
}

// pod is one pod that is being read.
type pod struct {
	field.Scope
	def *jsonpos.Value
	w   *estate.Workload
	// places of the containers' objects, in the order of w.Containers.
	at []*jsonpos.Value
	// from is the first of the builder's texts that is the pod's.
	from int
	// byName leads from an endpoint's name to its number.
	byName map[string]int
}

// Resolve gives the absolute form of an ID that may be relative to group.
func Resolve(id string, group estate.Name) estate.Name {
	if !strings.HasPrefix(id, "/") {
		id = string(group) + "/" + id
	}
	return estate.Name(path.Clean("/" + id))
}

func (p *pod) id(d *discover.Document, status *jsonpos.Value, group estate.Name) estate.Name {
	v := p.def.Get("id")
	if v.Kind() != jsonpos.String || strings.Trim(v.Text(), "/.") == "" {
		v = status.Get("id")
	}
	if v.Kind() == jsonpos.String && strings.Trim(v.Text(), "/.") != "" {
		return Resolve(v.Text(), group)
	}
	stem := path.Base(d.File)
	stem = strings.TrimSuffix(stem, path.Ext(stem))
	id := Resolve(strings.ToLower(stem), group)
	if status != nil || p.def.Parent() != nil {
		id += estate.Name("-" + strings.Trim(strings.ReplaceAll(p.def.Pointer(), "/", "-"), "-"))
	}
	p.B.Report(diag.Diagnostic{
		Code: NoID, Severity: diag.Warning, Pos: p.def.Pos(d.File), Subject: "pod " + string(id), Problem: "has no id; it is named after its file",
		Hint: "give it the id that it runs under",
	})
	return id
}

// Definition gives a digest of what a pod is, apart from its id, its version and
// the number of its instances.
func Definition(v *jsonpos.Value) string {
	return field.Digest(v, "id", "version", "scaling/instances")
}

func (p *pod) read(status *jsonpos.Value) {
	containers := p.def.Get("containers")
	var at []*jsonpos.Value
	for _, e := range containers.Elems() {
		switch {
		case e.Kind() == jsonpos.Object && !e.IsLeaf():
			at = append(at, e)
		case !p.Empty(e):
			p.Is(e, jsonpos.Object)
		}
	}
	if len(at) == 0 {
		p.Report(NoContainers, diag.Error, p.def, "has no container that can be read, and was left out", "give it one, or delete it")
		p.Note(p.def, ledger.Dropped, NoContainers, "", "of a pod without containers, which was left out")
		p.status(status)
		return
	}
	w := estate.Workload{
		ID: p.ID, Kind: estate.Service, Origin: estate.Origin{File: p.File, Pointer: p.def.Pointer()},
		Group: estate.Name(path.Dir(string(p.ID))), Replicas: 1,
		SourceVersion: field.Digest(p.def, "id", "version"),
	}
	if v := p.def.Get("version"); v.Kind() == jsonpos.String && v.Text() != "" {
		w.SourceVersion = v.Text()
	}
	if have := p.B.Workload(p.ID); have != nil && have.SourceVersion == w.SourceVersion {
		p.Note(p.def, ledger.Informational, SameAgain, "", "the same definition stands in "+have.Origin.File+have.Origin.Pointer)
		if have.Running == nil {
			p.w = have
		}
		p.status(status)
		return
	}
	if p.w = p.B.Add(w, p.def.Pos(p.File)); p.w == nil {
		p.Note(p.def, ledger.Dropped, discover.DuplicateID, "", "of a second definition, which was left out")
		p.status(status)
		return
	}
	p.at, p.from = at, len(p.B.Texts())
	p.top()
	p.containers()
	p.after()
	p.status(status)
}

// top reads the keys of the pod itself that its containers build on.
func (p *pod) top() {
	d, w := p.def, p.w
	p.Note(d.Get("id"), ledger.Decision, Named, "workload#metadata.name",
		"which namespace its group becomes; proposed is the top group's name, and the last part as the name")
	if v := d.Get("version"); !p.Empty(v) {
		p.Note(v, ledger.Informational, Version, "", "when the definition was made")
	}
	if v := d.Get("labels"); v != nil && p.object(v) {
		p.B.Labels(p.File, w, v)
	}
	p.Secrets(d.Get("secrets"), w)
	p.Networks(d.Get("networks"), w)
	p.volumes(d.Get("volumes"))
	p.scaling(d.Get("scaling"))
	p.scheduling(d.Get("scheduling"))
	if v := d.Get("role"); v != nil {
		if text, ok := p.String(v); ok {
			w.Role = text
			p.Note(v, ledger.Decision, Role, "workload#metadata.namespace", "which quota it is charged to; proposed is that of its namespace")
		}
	}
	if v := d.Get("executorResources"); v != nil && p.object(v) {
		for _, key := range []string{"cpus", "mem", "disk", "gpus"} {
			p.Note(v.Get(key), ledger.Informational, ExecutorShare, "", "for Mesos' own executor; Kubernetes has none in the pod")
		}
	}
	if v := d.Get("legacySharedCgroups"); v != nil {
		if _, ok := p.Bool(v); ok {
			p.Note(v, ledger.Decision, SharedCgroup, "container#resources",
				"whether containers lived off each other's share; proposed is each one's own request and limit")
		}
	}
}

// object reports whether v is an object with keys; an empty one is entered.
func (p *pod) object(v *jsonpos.Value) bool {
	return !p.Empty(v) && p.Is(v, jsonpos.Object)
}

// after reads what needs the containers to be there.
func (p *pod) after() {
	var bare []string
	for i := range p.w.Containers {
		if c := &p.w.Containers[i]; c.Image == "" {
			bare = append(bare, c.Name)
		}
	}
	if len(bare) > 0 {
		p.Report(NoImage, diag.Warning, p.def, "has no image for "+strings.Join(bare, ", ")+": it ran on the agent's own files",
			"name a base image for it in tranship.yaml (spec.images.base), or build one with what it fetches")
	}
	if v := p.def.Get("user"); v != nil {
		if text, ok := p.String(v); ok {
			used := false
			for i := range p.w.Containers {
				c := &p.w.Containers[i]
				if c.Security.User == "" {
					c.Security.User, used = text, true
				}
			}
			p.user(v, used)
		}
	}
	if v := p.def.Get("linuxInfo"); v != nil {
		p.sharedLinux(v)
	}
	p.inject()
}

func (p *pod) user(v *jsonpos.Value, used bool) {
	if !used {
		p.Note(v, ledger.Informational, User, "", "every container names its own user")
		return
	}
	p.Note(v, ledger.Decision, User, "pod#spec.securityContext.runAsUser",
		"which number the user has in the image; proposed is to look it up there, root is 0")
}

// sharedLinux gives the pod's own settings to the containers without any.
func (p *pod) sharedLinux(v *jsonpos.Value) {
	if !p.object(v) {
		return
	}
	w := p.w
	var first estate.Container
	shm := len(w.Volumes)
	p.Linux(v, w, &first, false)
	used := false
	for i := range w.Containers {
		c := &w.Containers[i]
		if p.at[i].At("linuxInfo", "seccomp").IsNull() {
			c.Security.Seccomp, used = first.Security.Seccomp, true
		}
		if len(w.Volumes) > shm && !mounts(c, "/dev/shm") {
			c.Mounts = append(c.Mounts, first.Mounts...)
		}
	}
	if x := v.Get("seccomp"); !used && x != nil {
		for _, key := range []string{"unconfined", "profileName"} {
			p.Note(x.Get(key), ledger.Informational, field.Seccomp, "", "every container has its own")
		}
	}
}

func mounts(c *estate.Container, path string) bool {
	for _, m := range c.Mounts {
		if m.Path == path {
			return true
		}
	}
	return false
}
