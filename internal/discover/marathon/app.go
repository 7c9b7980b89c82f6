package marathon

import (
	"strconv"
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/discover/field"
	"github.com/tranship/tranship/internal/discover/marathon/normal"
	"github.com/tranship/tranship/internal/estate"
)

// An app is one that is being read.
type app struct {
	field.Scope
	v *jsonpos.Value
	n normal.App
	w *estate.Workload
	c *estate.Container
	// docker is container.docker, nil if there is none.
	docker *jsonpos.Value
}

// version keys do not tell one definition from another.
var evidenceKeys = []string{
	"versionInfo", "tasksStaged", "tasksRunning", "tasksHealthy", "tasksUnhealthy", "deployments", "tasks",
	"lastTaskFailure", "taskStats", "tasksStats", "readinessCheckResults",
}

// Definition gives a digest of what an app is, apart from its id, its version,
// the number of its copies, and what tells how it ran.
func Definition(v *jsonpos.Value) string {
	return field.Digest(v, append([]string{"id", "version", "instances"}, evidenceKeys...)...)
}

func (r *reader) app(v *jsonpos.Value, in estate.Name) {
	id := r.name(v, in)
	a := &app{Scope: r.scope(id), v: v}
	w := estate.Workload{
		ID: id, Kind: estate.Service, Group: parent(id), Replicas: 1,
		Origin:     estate.Origin{File: r.doc.File, Pointer: v.Pointer()},
		Containers: []estate.Container{{Name: containerName(id)}},
	}
	w.SourceVersion = field.Digest(v, append([]string{"id"}, evidenceKeys...)...)
	if x := v.Get("version"); x.Kind() == jsonpos.String && x.Text() != "" {
		w.SourceVersion = x.Text()
	}
	if have := r.b.Workload(id); have != nil && have.SourceVersion == w.SourceVersion && w.SourceVersion != "" {
		a.Note(v.Get("id"), ledger.Decision, Identity, "", "the same app again")
		a.Note(v, ledger.Informational, SameAgain, "", "the same definition stands in "+have.Origin.File+have.Origin.Pointer)
		return
	}
	if a.w = r.b.Add(w, v.Pos(r.doc.File)); a.w == nil {
		a.Note(v, ledger.Dropped, discover.DuplicateID, "", "a second definition of the same app, and was left out")
		return
	}
	a.c = &a.w.Containers[0]
	a.read()
}

// containerName gives the last part of the id as Kubernetes takes it for a
// container.
func containerName(id estate.Name) string {
	name := strings.ReplaceAll(tame(field.Short(id)), ".", "-")
	return strings.Trim(name[:min(len(name), 63)], "-")
}

// read reads all keys of the app. Each reads its own and notes it; the order
// matters only where it is said.
func (a *app) read() {
	a.identity()
	a.n = normal.Normalise(a.v, a.Scope)
	a.docker = a.v.At("container", "docker")
	if a.docker.Kind() != jsonpos.Object {
		a.docker = nil
	}
	a.Secrets(a.v.Get("secrets"), a.w) // before those who refer to them
	a.networks()
	a.portList() // before the checks
	a.container()
	a.command()
	a.Resources(a.v, a.c)
	a.Limits(a.v.Get("resourceLimits"), a.c)
	a.volumes()
	a.c.Env = a.Env(a.v.Get("env"), a.w, a.c.Name)
	a.fetch()
	a.healthChecks()
	a.readinessChecks()
	a.check()
	a.w.Constraints = a.Constraints(a.v.Get("constraints"))
	a.strategy()
	a.roles()
	a.dependencies()
	a.instances()
	a.labels()
	a.DockerParameters(a.docker.Get("parameters"), a.w, a.c) // after all that may say the same
	a.settle()
	a.inject() // after all texts
	for _, i := range a.n.Ignored {
		a.Note(i.At, ledger.Informational, Ignored, "", i.Why)
	}
	a.kind() // last: what it is may overrule what was noted
}

// labels hands the labels to whoever reads them.
func (a *app) labels() {
	if l := a.v.Get("labels"); l != nil && !l.IsNull() && a.Is(l, jsonpos.Object) {
		a.B.Labels(a.File, a.w, l)
	} else {
		a.Empty(l)
	}
}

// identity enters the id and what tells how things ran.
func (a *app) identity() {
	if id := a.v.Get("id"); id != nil {
		a.Note(id, ledger.Decision, Identity, "workload#metadata.name",
			"its group becomes a namespace by policy; proposed is the name "+field.Short(a.ID)+", and the whole id as an annotation")
	}
	if v := a.v.Get("version"); v != nil && !a.Empty(v) {
		a.Note(v, ledger.Informational, Version, "", "kept to notice that the app has changed since")
	}
	for _, key := range evidenceKeys {
		if v := a.v.Get(key); v != nil && !a.Empty(v) {
			a.Evidence(v)
		}
	}
	if v := a.v.Get("storeUrls"); v != nil && !a.Empty(v) {
		a.Note(v, ledger.Dropped, StoreURLs, "", "Marathon's artifact store went with version 1.1, and nothing used them after that")
	}
}

func (a *app) instances() {
	v := a.v.Get("instances")
	if v == nil {
		return
	}
	n, ok := a.Int(v, 0, 100000)
	if !ok {
		return
	}
	a.w.Replicas = n
	a.Note(v, ledger.Exact, Instances, "workload#spec.replicas", "as many copies; 0 is suspended in both worlds")
}

func (a *app) dependencies() {
	v := a.v.Get("dependencies")
	if v == nil || a.Empty(v) || !a.Is(v, jsonpos.Array) {
		return
	}
	for _, e := range v.Elems() {
		if text, ok := a.String(e); ok {
			addDependency(a.w, resolve(a.w.Group, text))
			a.Note(e, ledger.Approximate, Dependency, "",
				"it is moved before this one; Kubernetes itself starts everything at once")
		}
	}
}

// networks enters the networks as they were written and sets the workload's.
func (a *app) networks() {
	if nets := a.v.Get("networks"); nets.Kind() == jsonpos.Array && !nets.IsLeaf() {
		a.Networks(nets, a.w)
		return
	}
	a.Empty(a.v.Get("networks"))
	a.w.Network = estate.HostNet
	for _, n := range a.n.Networks {
		a.network(n)
	}
}

func (a *app) network(n normal.Network) {
	switch n.Mode.Value {
	case normal.Host:
		a.Note(n.Mode.At, ledger.Decision, field.HostNetwork, "pod#spec.hostNetwork",
			"whether the host's own network is needed; proposed is the pod network, with ports as the program has them")
		return
	case normal.Nothing:
		a.w.Network = estate.Isolated
		a.Note(n.Mode.At, ledger.Decision, NoNetwork, "policy#spec",
			"had no network at all; proposed is the pod network with a policy that lets nothing in or out")
		return
	case normal.Bridge:
		a.w.Network = estate.Own
		a.Note(n.Mode.At, ledger.Approximate, field.BridgeNetwork, "pod#spec",
			"an address for each copy in place of ports mapped from the host's")
	default:
		a.w.Network = estate.Own
		a.Note(n.Mode.At, ledger.Decision, field.NetworkName, "pod#spec",
			"an address for each copy, as on the pod network, which is proposed")
	}
	a.networkDetails(n)
}

func (a *app) networkDetails(n normal.Network) {
	ref := estate.NetworkRef{Name: n.Name.Value}
	if n.Name.Set && n.Name.At != n.Mode.At {
		a.Note(n.Name.At, ledger.Decision, field.NetworkName, "policy#metadata.name",
			"what the network kept apart; proposed is the pod network, with a policy that names it")
	}
	if n.Labels != nil && !a.Empty(n.Labels) && a.Is(n.Labels, jsonpos.Object) {
		for _, e := range n.Labels.Elems() {
			text, ok := a.String(e)
			if !ok {
				continue
			}
			if _, found := discover.RedactURLs(text); !found && !a.B.IsSecretName(e.Key()) && ref.Name != "" {
				if ref.Labels == nil {
					ref.Labels = map[string]string{}
				}
				ref.Labels[e.Key()] = text
			}
			a.Note(e, ledger.Decision, field.NetworkName, "policy#metadata.annotations",
				"an instruction to the old network's plugin; proposed is to keep it as a note")
		}
	}
	if ref.Name != "" {
		a.w.Networks = append(a.w.Networks, ref)
	}
}

// roles reads which hosts' resources the app took.
func (a *app) roles() {
	if v := a.v.Get("role"); v != nil {
		if text, ok := a.String(v); ok {
			a.w.Role = text
			a.Note(v, ledger.Decision, Role, "workload#metadata.namespace",
				"whose share of the cluster it was charged to; proposed is the namespace, with a ResourceQuota where Mesos had a quota")
		}
	}
	v := a.v.Get("acceptedResourceRoles")
	if v == nil || a.Empty(v) || !a.Is(v, jsonpos.Array) {
		return
	}
	for _, e := range v.Elems() {
		if text, ok := a.String(e); ok {
			a.w.AcceptedRoles = append(a.w.AcceptedRoles, text)
			reason := "any host; proposed is no rule"
			if text != "*" {
				reason = "hosts that reserve resources for " + strconv.Quote(text) + "; proposed is no rule, policy can name a node label for it"
			}
			a.Note(e, ledger.Decision, AcceptedRole, "pod#spec.nodeSelector", reason)
		}
	}
}

// settle reports what is missing for the app to run on Kubernetes at all.
func (a *app) settle() {
	if a.c.Image == "" {
		a.Report(NoImage, diag.Warning, a.v, "has no image: it ran on the agent's own files",
			"name a base image for it in tranship.yaml (spec.images.base), or build one with what it fetches")
	}
}
