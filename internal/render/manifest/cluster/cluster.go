// Package cluster says where manifests go: the version and the policy of the
// target, and the names that workloads, addresses and what they share get
// there. It takes a plan and gives lookups. It never makes an object, and no
// name depends on the order of its input.
package cluster

import (
	"cmp"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/render"
	"github.com/tranship/tranship/internal/render/manifest/naming"
)

// Prefix of the annotations and labels that tranship sets.
const Prefix = "tranship.dev/"

// NameLabel is the label by which a workload's copies are selected.
const NameLabel = "app.kubernetes.io/name"

// A Cluster is the target.
type Cluster struct {
	Plan      *plan.Plan
	Estate    *estate.Estate
	Policy    *policy.Policy
	Version   Version
	Throttles bool // the source held tasks to their share of processors
	Domain    string

	// Addresses are the virtual addresses, by ID of the first of their endpoints.
	Addresses []*Address

	places   map[estate.Name]Place
	sizes    map[estate.Name]*plan.Size
	used     map[string]naming.Set // names of Services by namespace
	owned    map[ownedKey]Owned
	rewrites map[estate.Name][]*estate.Dependency
	called   map[estate.Name]bool
	callers  map[estate.Name][]estate.Name
	inner    map[string]bool
	members  map[string][]estate.Name
	vips     map[string]*Address
	byHome   map[estate.Name][]*Address
	byBack   map[estate.Name][]*Address
	routes   map[estate.Name][]*estate.Endpoint
	loose    []*estate.Endpoint
	on       map[estate.Name][]string
	prefers  map[estate.Name]map[int][]string
	priority map[estate.Name]string
	bent     map[bend]plan.Bent
	// portNames are those that an address needs; mixed are the addresses.
	portNames map[portKey]string
	mixed     map[string]string
	diags     diag.List
}

// New looks at the whole estate once. All workloads get names, those too that
// are not rendered now, so that a part is named as the whole is.
func New(p *plan.Plan, opts render.Options) (*Cluster, diag.List) {
	c := &Cluster{
		Plan: p, Estate: &p.Estate, Policy: &p.Policy,
		Domain: cmp.Or(p.Policy.Spec.Network.ClusterDomain, "cluster.local"),
		places: map[estate.Name]Place{}, sizes: map[estate.Name]*plan.Size{}, used: map[string]naming.Set{},
		owned: map[ownedKey]Owned{}, rewrites: map[estate.Name][]*estate.Dependency{}, called: map[estate.Name]bool{},
		vips: map[string]*Address{}, byHome: map[estate.Name][]*Address{}, byBack: map[estate.Name][]*Address{},
		routes: map[estate.Name][]*estate.Endpoint{}, portNames: map[portKey]string{}, mixed: map[string]string{},
		callers: map[estate.Name][]estate.Name{}, inner: map[string]bool{}, members: map[string][]estate.Name{},
		on: map[estate.Name][]string{}, prefers: map[estate.Name]map[int][]string{}, priority: map[estate.Name]string{}, bent: map[bend]plan.Bent{},
	}
	v, ok := ParseVersion(opts.KubeVersion)
	if c.Version = v; !ok {
		c.Report(diag.Diagnostic{
			Code: UnknownVersion, Severity: diag.Warning, Subject: "render",
			Problem: "does not know Kubernetes version " + opts.KubeVersion + "; the newest was taken",
			Hint:    "give it as 1.35",
		})
	}
	for i := range p.Sizes {
		c.sizes[p.Sizes[i].Workload] = &p.Sizes[i]
	}
	for i := range c.Estate.Hosts {
		if t := c.Estate.Hosts[i].Throttles; t != nil && *t {
			c.Throttles = true
		}
	}
	c.pools()
	c.place()
	c.endpoints()
	c.meet()
	c.share()
	c.networks()
	for i := range c.Estate.Dependencies {
		d := &c.Estate.Dependencies[i]
		if d.Fate == estate.Rewritten {
			c.rewrites[d.From] = append(c.rewrites[d.From], d)
		}
	}
	return c, c.diags
}

// Report keeps a diagnostic.
func (c *Cluster) Report(d diag.Diagnostic) { c.diags = append(c.diags, d) }

// Diags gives what was reported so far.
func (c *Cluster) Diags() diag.List { return c.diags }

// Warn reports a warning about a workload.
func (c *Cluster) Warn(w *estate.Workload, code diag.Code, problem, hint string) {
	c.say(w, diag.Warning, code, problem, hint)
}

// Note reports a note about a workload.
func (c *Cluster) Note(w *estate.Workload, code diag.Code, problem, hint string) {
	c.say(w, diag.Note, code, problem, hint)
}

func (c *Cluster) say(w *estate.Workload, s diag.Severity, code diag.Code, problem, hint string) {
	c.Report(diag.Diagnostic{
		Code: code, Severity: s, Pos: diag.Pos{File: w.Origin.File}, Subject: "workload " + string(w.ID), Problem: problem, Hint: hint,
	})
}

// Size gives what the plan gives to a workload, nil if it says nothing.
func (c *Cluster) Size(id estate.Name) *plan.Size { return c.sizes[id] }

// Replicas gives how many copies the workload gets.
func (c *Cluster) Replicas(w *estate.Workload) int {
	if s := c.sizes[w.ID]; s != nil {
		return s.Replicas
	}
	return w.Replicas
}

// Called reports whether another workload has a name of this one in it.
func (c *Cluster) Called(id estate.Name) bool { return c.called[id] }

// Renders reports whether a workload becomes objects.
func (c *Cluster) Renders(w *estate.Workload) bool {
	return plan.Moves(w, c.Policy) && len(w.Containers) > 0
}

// HostNetwork reports whether the workload keeps the machine's own network.
func (c *Cluster) HostNetwork(w *estate.Workload) bool {
	said := cmp.Or(c.Policy.For(w.ID).Network, c.Policy.Spec.Network.Host)
	return w.Network == estate.HostNet && said == "host"
}

// HostPorts reports whether ports that were fixed on the machine stay so.
func (c *Cluster) HostPorts(w *estate.Workload) bool {
	return cmp.Or(c.Policy.For(w.ID).HostPorts, c.Policy.Spec.Network.HostPorts) == "keep"
}

// Persistent gives the volumes of which each copy has its own, kept.
func Persistent(w *estate.Workload) []*estate.Volume {
	var out []*estate.Volume
	for i := range w.Volumes {
		if v := &w.Volumes[i]; v.Kind == estate.PersistentVolume && !v.Shared {
			out = append(out, v)
		}
	}
	return out
}

// IsStateful reports whether the workload becomes a StatefulSet.
func IsStateful(w *estate.Workload) bool { return w.Kind == estate.Service && len(Persistent(w)) > 0 }
