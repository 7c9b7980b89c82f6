// Package size says what each workload asks for: copies, CPU and memory, from
// what it was seen to use or else from what it declared, each with its reason.
// It takes an estate, usage and a policy and gives sizes, and the joint tail of
// copies that share a node. It never sets a CPU limit and never takes a core
// of one kind of machine for a core of another.
package size

import (
	"fmt"
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/plan/usage"
)

// Rules are the numbers that sizes follow from: policy's, or the defaults.
type Rules struct {
	Declared      bool    // keep what was declared
	CPUPercentile float64 // 80
	CPUMargin     float64 // 0
	MemoryMargin  float64 // 0.15
	CPUFloor      unit.CPU
	MemoryFloor   unit.Bytes
	OOMFactor     float64 // 1.25
	MinPoints     int     // 100
}

// jobPoints is how many points of a job are enough: its runs are short.
const jobPoints = 5

// RulesOf gives the rules of a policy.
//
// CPU is compressible and shared: a copy asks for what it usually uses, the
// 80th percentile, and the tail is looked at where copies share a node (see
// Tails). Memory is neither: it is the peak with a margin.
func RulesOf(p *policy.Policy) Rules {
	s := &p.Spec.Sizing
	r := Rules{
		Declared: s.From == "declared", CPUPercentile: 80, MemoryMargin: 0.15, CPUFloor: 10, MemoryFloor: 32 * unit.MiB,
		OOMFactor: 1.25, MinPoints: 100,
	}
	if s.CPUPercentile > 0 {
		r.CPUPercentile = min(s.CPUPercentile, 100)
	}
	if s.CPUMargin != nil {
		r.CPUMargin = max(*s.CPUMargin, 0)
	}
	if s.MemoryMargin != nil {
		r.MemoryMargin = max(*s.MemoryMargin, 0)
	}
	if s.CPUFloor > 0 {
		r.CPUFloor = s.CPUFloor
	}
	if s.MemoryFloor > 0 {
		r.MemoryFloor = s.MemoryFloor
	}
	if s.OOMFactor >= 1 {
		r.OOMFactor = s.OOMFactor
	}
	if s.MinPoints > 0 {
		r.MinPoints = s.MinPoints
	}
	return r
}

// Make sizes every workload that moves, in the estate's order.
func Make(e *estate.Estate, set *usage.Set, p *policy.Policy) ([]plan.Size, diag.List) {
	m := maker{e: e, p: p, rules: RulesOf(p), seen: observe(e, set)}
	sizes := []plan.Size{}
	for i := range e.Workloads {
		if w := &e.Workloads[i]; plan.Moves(w, p) {
			sizes = append(sizes, m.size(w))
		}
	}
	if len(m.unseen) > 0 && len(set.Series) > 0 && !m.rules.Declared { // without any usage the plan says so once
		names := strings.Join(m.unseen[:min(len(m.unseen), 5)], ", ")
		if len(m.unseen) > 5 {
			names += " and others"
		}
		m.report(Unseen, diag.Note, "sizes", fmt.Sprintf("%s without usage enough: %s", workloads(len(m.unseen)), names),
			"what they declared stays; give their usage with --usage")
	}
	m.diags.Sort()
	return sizes, m.diags
}

func workloads(n int) string {
	if n == 1 {
		return "1 workload"
	}
	return fmt.Sprintf("%d workloads", n)
}

type maker struct {
	e      *estate.Estate
	p      *policy.Policy
	rules  Rules
	seen   map[estate.Name]*observed
	unseen []string
	diags  diag.List
}

func (m *maker) report(code diag.Code, s diag.Severity, subject, problem, hint string) {
	m.diags = append(m.diags, diag.Diagnostic{Code: code, Severity: s, Subject: subject, Problem: problem, Hint: hint})
}

func subject(w *estate.Workload) string { return "workload " + string(w.ID) }

// size sizes one workload.
func (m *maker) size(w *estate.Workload) plan.Size {
	said := m.p.For(w.ID)
	s := plan.Size{Workload: w.ID, Replicas: w.Replicas, Containers: []plan.ContainerSize{}, Reason: plan.AsDeclared}
	spread := 1.0
	if said.Replicas != nil {
		s.Replicas = max(*said.Replicas, 0)
		s.Reason, s.Why = plan.ByPolicy, fmt.Sprintf("%d copies by policy, %d declared", s.Replicas, w.Replicas)
		if w.Replicas > 0 && s.Replicas > 0 {
			// The load stays: fewer copies do more each.
			spread = float64(w.Replicas) / float64(s.Replicas)
		}
	}
	o := m.seen[w.ID]
	if o == nil || m.rules.Declared {
		o = &observed{}
	}
	s.Scale = m.scale(w, &s, said)
	enough := m.rules.MinPoints
	job := w.Kind == estate.Job || w.Kind == estate.Schedule
	if job {
		enough = jobPoints
	}
	usedAny := false
	for i := range w.Containers {
		c := containerSizing{m: m, w: w, k: &w.Containers[i], seen: o.container(w, i), enough: enough, job: job, spread: spread, scale: s.Scale}
		if i == 0 {
			c.said = said
		}
		k := c.size()
		usedAny = usedAny || k.Used != nil
		s.Containers = append(s.Containers, k)
		if s.Reason == plan.AsDeclared {
			s.Reason = k.Reason
		}
	}
	if !usedAny && len(w.Containers) > 0 && (w.Replicas > 0 || job) {
		m.unseen = append(m.unseen, string(w.ID))
	}
	return s
}

// scale says between which bounds copies follow load, nil if their number is
// fixed. It settles how many are usual.
func (m *maker) scale(w *estate.Workload, s *plan.Size, said policy.Workload) *plan.Scale {
	if w.Kind != estate.Service || w.Singleton {
		return nil
	}
	var x plan.Scale
	why := ""
	switch a := said.Autoscale; {
	case a != nil:
		x = plan.Scale{Min: a.Min, Max: a.Max, CPU: a.CPU, Memory: a.Memory}
		if a.Metric != nil {
			x.Metric = &plan.Metric{Name: a.Metric.Name, Target: a.Metric.Target}
		}
		why = "by policy"
	case w.Autoscale != nil && said.Replicas == nil:
		x = plan.Scale{Min: w.Autoscale.Min, Max: w.Autoscale.Max, CPU: w.Autoscale.CPU, Memory: w.Autoscale.Memory}
		why = "as the source did"
	default:
		return nil
	}
	x.Min = max(x.Min, 1)
	switch {
	case x.Max < x.Min:
		m.report(BadScale, diag.Warning, subject(w), fmt.Sprintf("is to be scaled between %d and %d copies", x.Min, x.Max), "the number of copies stays fixed; give min below max")
		return nil
	case x.CPU <= 0 && x.Memory <= 0 && x.Metric == nil:
		m.report(BadScale, diag.Warning, subject(w), "is to be scaled by nothing", "the number of copies stays fixed; set spec.workloads."+string(w.ID)+".autoscale with cpu, memory or metric")
		return nil
	}
	if s.Replicas > 0 {
		s.Replicas = min(max(s.Replicas, x.Min), x.Max)
	}
	room := 1.0
	if m.p.Spec.Target.Manager == "karpenter" {
		room = 0
	}
	if h := m.p.Spec.Target.Headroom; h != nil {
		room = min(max(*h, 0), 1)
	}
	x.Planned = s.Replicas
	if s.Replicas > 0 {
		x.Planned += int(room*float64(x.Max-s.Replicas) + 0.999999)
	}
	x.Why = fmt.Sprintf("%s: usually %d copies; nodes have room for %d of at most %d", why, s.Replicas, x.Planned, x.Max)
	return &x
}
