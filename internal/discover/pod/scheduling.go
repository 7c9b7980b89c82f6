package pod

import (
	"slices"

	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/estate"
)

func (p *pod) scaling(v *jsonpos.Value) {
	if v == nil || !p.object(v) {
		return
	}
	if x := v.Get("kind"); x != nil {
		if _, ok := p.Choice(x, "fixed"); ok {
			p.Note(x, ledger.Informational, ScalingKind, "", "the one kind that there is")
		}
	}
	if x := v.Get("instances"); x != nil {
		if n, ok := p.Int(x, 0, 1e6); ok {
			p.w.Replicas = n
			p.Note(x, ledger.Exact, Instances, "workload#spec.replicas", "as many copies")
		}
	}
	if x := v.Get("maxInstances"); !p.Empty(x) {
		p.Note(x, ledger.Informational, ScalingKind, "", "Marathon never read it")
	}
}

// resident reports whether the pod has storage that stays on a host.
func (p *pod) resident() bool {
	return slices.ContainsFunc(p.w.Volumes, func(v estate.Volume) bool { return v.Kind == estate.PersistentVolume })
}

func (p *pod) scheduling(v *jsonpos.Value) {
	w := p.w
	w.Update = &estate.Update{MinHealthy: 1, MaxOver: 1}
	w.Unreachable = &estate.Unreachable{Default: true}
	if p.resident() {
		w.Stateful = true
		w.Update = &estate.Update{MinHealthy: 0.5}
		w.Unreachable.Disabled = true
	}
	if v == nil || !p.object(v) {
		return
	}
	if x := v.Get("backoff"); x != nil && p.object(x) {
		p.Backoff(x, "backoff", "backoffFactor", "maxLaunchDelay", "maxLaunchDelaySeconds")
	}
	if x := v.Get("upgrade"); x != nil {
		p.Upgrade(x, w.Update)
	}
	if x := v.Get("killSelection"); x != nil {
		p.KillSelection(x)
	}
	if x := v.Get("unreachableStrategy"); x != nil {
		p.Unreachable(x, w)
	}
	if x := v.Get("placement"); x != nil && p.object(x) {
		w.Constraints = p.Constraints(x.Get("constraints"))
		p.roles(x.Get("acceptedResourceRoles"))
	}
}

func (p *pod) roles(v *jsonpos.Value) {
	if p.Empty(v) || !p.Is(v, jsonpos.Array) {
		return
	}
	for _, e := range v.Elems() {
		if text, ok := p.String(e); ok {
			p.w.AcceptedRoles = append(p.w.AcceptedRoles, text)
			p.Note(e, ledger.Decision, AcceptedRole, "pod#spec.nodeSelector",
				"why it ran on the hosts of that role; proposed is any node, and a way in from outside where slave_public is named")
		}
	}
}

// status reads how the pod's copies ran.
func (p *pod) status(v *jsonpos.Value) {
	if v == nil {
		return
	}
	if id := v.Get("id"); id != nil {
		p.Note(id, ledger.Informational, Named, "", "the same as the definition's own")
		if !p.def.Has("id") {
			p.Note(id, ledger.Decision, Named, "workload#metadata.name",
				"which namespace its group becomes; proposed is the top group's name, and the last part as the name")
		}
	}
	if p.w != nil {
		p.running(v.Get("instances"))
	}
	for _, e := range v.Elems() {
		if e != p.def {
			p.Evidence(e)
		}
	}
}

func (p *pod) running(v *jsonpos.Value) {
	if v.Kind() != jsonpos.Array {
		return
	}
	run := &estate.Running{}
	for _, e := range v.Elems() {
		state := e.Get("status")
		if state.Kind() != jsonpos.String {
			continue
		}
		switch state.Text() {
		case "STABLE":
			run.Healthy++
			run.Instances++
		case "DEGRADED":
			run.Instances++
		}
		p.Note(state, ledger.Approximate, Seen, "", "counted among the copies that ran when the snapshot was taken")
		if host := e.Get("agentHostname"); host.Kind() == jsonpos.String && host.Text() != "" {
			if !slices.Contains(run.Hosts, host.Text()) {
				run.Hosts = append(run.Hosts, host.Text())
			}
			p.Note(host, ledger.Approximate, Seen, "", "where a copy ran when the snapshot was taken")
		}
	}
	p.w.Running = run
}

// killGrace reads each container's lifecycle. The pod has one grace for all of
// them: the longest.
func (p *pod) killGrace() {
	var longest *jsonpos.Value
	several := len(p.at) > 1
	for _, c := range p.at {
		l := c.Get("lifecycle")
		if l == nil || !p.object(l) {
			continue
		}
		x := l.Get("killGracePeriodSeconds")
		if x == nil {
			continue
		}
		n, ok := p.Seconds(x)
		if !ok {
			continue
		}
		if p.w.KillGrace == nil || n > *p.w.KillGrace {
			p.w.KillGrace, longest = &n, x
		}
		p.Note(x, ledger.Approximate, KillGrace, "pod#spec.terminationGracePeriodSeconds",
			"the pod has one grace for all containers, the longest of theirs")
	}
	if longest != nil && !several {
		p.Note(longest, ledger.Equivalent, KillGrace, "pod#spec.terminationGracePeriodSeconds",
			"the same grace, after the time in which load balancers let go of the copy")
	}
}
