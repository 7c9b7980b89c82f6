package mesos

import (
	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/estate"
)

// A quota is the bound of a role, as far as it was seen.
type quota struct {
	estate.Quota
	limited bool // limits were seen, which count before guarantees
}

// quotas reads the quota answer of every age: infos with a guarantee, which was
// the limit too, and configs with guarantees and limits, wherever they stand.
func (s *scan) quotas(v *jsonpos.Value) {
	s.touch(v)
	for _, info := range s.each(get(v, "infos")) {
		for _, c := range s.each(get(info, "configs")) {
			s.quota(c)
		}
		s.quota(info)
	}
	for _, c := range s.each(get(v, "configs")) {
		s.quota(c)
	}
}

// roles reads the list of roles, whose entries may hold a quota.
func (s *scan) roles(v *jsonpos.Value) {
	for _, r := range s.each(v) {
		if q := get(r, "quota"); q.Kind() == jsonpos.Object {
			if text(get(q, "role")) == "" {
				s.bound(text(get(r, "name")), get(r, "name"), q)
			} else {
				s.quota(q)
			}
		}
	}
}

func (s *scan) quota(v *jsonpos.Value) { s.bound(text(get(v, "role")), get(v, "role"), v) }

func (s *scan) bound(role string, at, v *jsonpos.Value) {
	if role == "" {
		return
	}
	limits := s.bounds(get(v, "limits", "limit"))
	guarantee := resources{}
	if limits.empty() {
		guarantee = s.bounds(get(v, "guarantees", "guarantee"))
	}
	if limits.empty() && guarantee.empty() {
		return
	}
	q := s.r.quotas[role]
	if q == nil {
		q = &quota{Quota: estate.Quota{Role: role}}
		s.r.quotas[role] = q
		s.r.roles = append(s.r.roles, q)
	}
	s.quotaNote(at)
	from := limits
	if limits.empty() {
		if q.limited {
			return
		}
		from = guarantee
	}
	q.limited = !limits.empty()
	q.CPU, q.Memory, q.Disk, q.GPUs = from.cpu(), from.memory(), from.disk(), from.gpus()
}

func (s *scan) quotaNote(v *jsonpos.Value) {
	s.note(v, ledger.Decision, QuotaSeen, "quota#spec.hard",
		"a ResourceQuota is proposed for the namespace of the groups that were charged to the role")
}

// bounds reads {"cpus": {"value": 2}}, {"cpus": 2} and the list of resources.
func (s *scan) bounds(v *jsonpos.Value) resources {
	out := resources{sum: map[string]float64{}}
	add := func(name string, at *jsonpos.Value) {
		if name != "cpus" && name != "mem" && name != "disk" && name != "gpus" {
			return
		}
		if n, ok := s.number(at, "quota of "+name); ok {
			out.sum[name] += n
			s.quotaNote(at)
		}
	}
	if v.Kind() == jsonpos.Object {
		for _, e := range v.Elems() {
			add(e.Key(), bare(e))
		}
		return out
	}
	for _, e := range s.each(v) {
		add(text(get(e, "name")), get(get(e, "scalar"), "value"))
		s.quotaNote(get(e, "name"))
	}
	return out
}
