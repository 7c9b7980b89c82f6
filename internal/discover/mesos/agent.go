package mesos

import (
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
)

type host struct {
	estate.Host
	address string // of the agent's process
	roles   map[string]bool
}

// hosts are the agents seen, one for each machine however often it was seen.
type hosts struct {
	byID   map[string]*host
	byName map[string]*host
	list   []*host
}

// find gives the host with that ID or, failing that, name; a new one if there
// is none. An agent that came back under a new ID is the same machine.
func (h *hosts) find(id, name string) *host {
	x := h.byID[id]
	if x == nil && name != "" {
		x = h.byName[name]
	}
	if x == nil {
		x = &host{roles: map[string]bool{}}
		h.list = append(h.list, x)
	}
	if x.ID == "" {
		x.ID = id
	}
	if x.Name == "" {
		x.Name = name
	}
	if id != "" {
		h.byID[id] = x
	}
	if name != "" {
		h.byName[name] = x
	}
	return x
}

const hostReason = "describes a machine of the source; constraints are compared with it, and the plan sizes new nodes"

// agent reads one agent. info holds its description and around its state; in
// the master's state they are one object.
func (s *scan) agent(info, around *jsonpos.Value) *host {
	s.touch(info)
	name, id := get(info, "hostname"), bare(get(info, "id"))
	if text(name) == "" && text(id) == "" {
		if info != nil {
			s.warn(NamelessAgent, info, "agent", "has neither a host name nor an ID, and was left out", "export the master's state again")
		}
		return nil
	}
	h := s.r.hosts.find(text(id), text(name))
	s.hostNote(name)
	s.hostNote(id)
	if pid := get(around, "pid"); text(pid) != "" {
		h.address = address(text(pid))
		s.hostNote(pid)
	}
	if v := get(around, "version"); text(v) != "" {
		h.Version = text(v)
		s.hostNote(v)
	}
	s.active(h, around)
	s.domain(h, get(info, "domain"))
	s.attributes(h, get(info, "attributes"))
	s.capacity(h, info, around)
	return h
}

func (s *scan) hostNote(v *jsonpos.Value) {
	s.note(v, ledger.Approximate, HostSeen, "", hostReason)
}

func (s *scan) active(h *host, v *jsonpos.Value) {
	a := get(v, "active")
	if a.Kind() != jsonpos.Bool {
		return
	}
	h.Active = a.Text() == "true"
	s.hostNote(a)
	if d := get(v, "deactivated"); d.Kind() == jsonpos.Bool {
		h.Active = h.Active && d.Text() != "true"
		s.hostNote(d)
	}
}

// address gives the IP in "slave(1)@10.0.1.108:5051".
func address(pid string) string {
	_, at, ok := strings.Cut(pid, "@")
	if !ok {
		return ""
	}
	if i := strings.LastIndexByte(at, ':'); i >= 0 {
		at = at[:i]
	}
	return strings.Trim(at, "[]")
}

func (s *scan) domain(h *host, v *jsonpos.Value) {
	fault := get(v, "fault_domain")
	for _, f := range []struct {
		at   *jsonpos.Value
		into *string
	}{{get(get(fault, "region"), "name"), &h.Region}, {get(get(fault, "zone"), "name"), &h.Zone}} {
		if text(f.at) != "" {
			*f.into = text(f.at)
			s.note(f.at, ledger.Decision, AttributeSeen, "policy#spec.nodes",
				"constraints on it are compared with this value; policy maps it to a zone or region of the target")
		}
	}
}

// capacity reads what the agent has, what is promised and who reserved it.
func (s *scan) capacity(h *host, info, around *jsonpos.Value) {
	total := s.resources(get(around, "total_resources"))
	if total.empty() {
		total = s.resources(get(info, "resources"))
	}
	if !total.empty() {
		h.CPU, h.Memory, h.Disk, h.GPUs = total.cpu(), total.memory(), total.disk(), total.gpus()
	}
	used := s.resources(get(around, "allocated_resources"))
	if used.empty() {
		used = s.resources(get(around, "used_resources"))
	}
	if !used.empty() {
		h.UsedCPU, h.UsedMemory = used.cpu(), used.memory()
	}
	for role := range total.roles {
		h.roles[role] = true
	}
	if v := get(around, "reserved_resources"); v.Kind() == jsonpos.Object {
		for _, r := range v.Elems() {
			if r.Key() == "*" || r.Kind() != jsonpos.Object {
				continue
			}
			h.roles[r.Key()] = true
			s.note(firstLeaf(r), ledger.Approximate, HostSeen, "", "the role that has this reserved is kept with the machine")
		}
	}
}

func firstLeaf(v *jsonpos.Value) *jsonpos.Value {
	for v != nil && !v.IsLeaf() {
		v = v.Elems()[0]
	}
	return v
}

// resources are sums of scalars over roles and disks.
type resources struct {
	sum   map[string]float64
	roles map[string]bool
}

func (r resources) empty() bool { return len(r.sum) == 0 }

func (r resources) cpu() unit.CPU {
	c, err := unit.Cores(r.sum["cpus"])
	if err != nil {
		return 0
	}
	return c
}

func (r resources) memory() unit.Bytes { return mebibytes(r.sum["mem"]) }
func (r resources) disk() unit.Bytes   { return mebibytes(r.sum["disk"]) }

func (r resources) gpus() int {
	if n := r.sum["gpus"]; n > 0 && n < 1e6 {
		return int(n)
	}
	return 0
}

func mebibytes(n float64) unit.Bytes {
	b, err := unit.Mebibytes(n)
	if err != nil {
		return 0
	}
	return b
}

// resources reads {"cpus": 4} of the state and [{"name": "cpus", "scalar":
// {"value": 4}}] of the operator API.
func (s *scan) resources(v *jsonpos.Value) resources {
	out := resources{sum: map[string]float64{}, roles: map[string]bool{}}
	if v.Kind() == jsonpos.Object {
		for _, e := range v.Elems() {
			if e.Key() == "cpus" || e.Key() == "mem" || e.Key() == "disk" || e.Key() == "gpus" {
				s.amount(out, e.Key(), e)
			}
		}
		return out
	}
	for _, e := range s.each(v) {
		name := text(get(e, "name"))
		amount := get(get(e, "scalar"), "value")
		switch name {
		case "cpus", "mem", "disk", "gpus":
			if e.Has("revocable") {
				continue // lent capacity, gone under load
			}
			s.amount(out, name, amount)
		default:
			continue
		}
		s.hostNote(get(e, "name"))
		s.reservation(out, e)
	}
	return out
}

func (s *scan) reservation(out resources, e *jsonpos.Value) {
	if role := get(e, "role"); text(role) != "" && text(role) != "*" {
		out.roles[text(role)] = true
		s.hostNote(role)
	}
	for _, r := range s.each(get(e, "reservations")) {
		if role := get(r, "role"); text(role) != "" && text(role) != "*" {
			out.roles[text(role)] = true
			s.hostNote(role)
		}
	}
}

func (s *scan) amount(out resources, name string, v *jsonpos.Value) {
	n, ok := s.number(v, "resource "+name)
	if !ok {
		return
	}
	out.sum[name] += n
	s.hostNote(v)
}

// number reads a finite amount that is not negative; anything else is left
// out with a warning, for evidence is no definition.
func (s *scan) number(v *jsonpos.Value, what string) (float64, bool) {
	if v.IsNull() {
		return 0, false
	}
	n, ok := parse(text(v))
	if !ok {
		s.warn(BadEvidence, v, what, "is "+v.Kind().String()+" that gives no amount, and was left out", "export it again")
	}
	return n, ok
}

func (s *scan) warn(code diag.Code, v *jsonpos.Value, subject, problem, hint string) {
	s.b.Report(diag.Diagnostic{
		Code: code, Severity: diag.Warning, Pos: v.Pos(s.file), Subject: subject, Problem: problem, Hint: hint,
	})
}
