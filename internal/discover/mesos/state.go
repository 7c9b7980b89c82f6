package mesos

import (
	"strings"

	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/ledger"
)

// state reads the master's state, its summary, and the lists that are parts
// of it. With frameworks come their tasks.
func (s *scan) state(v *jsonpos.Value) {
	for _, key := range []string{"slaves", "recovered_slaves"} {
		for _, a := range s.each(v.Get(key)) {
			s.agent(a, a)
		}
	}
	for _, f := range s.each(v.Get("frameworks")) {
		fw := s.framework(f, f)
		for _, t := range s.each(f.Get("tasks")) {
			s.task(t, fw)
		}
	}
	for _, t := range s.each(v.Get("tasks")) {
		s.task(t, nil)
	}
}

// agentState reads the state of one agent: itself, its flags, what runs on it.
func (s *scan) agentState(v *jsonpos.Value) {
	h := s.agent(v, v)
	if h == nil {
		s.flags(v.Get("flags"), "")
	} else {
		s.flags(v.Get("flags"), h.ID)
	}
	for _, f := range s.each(v.Get("frameworks")) {
		fw := s.framework(f, f)
		for _, e := range s.each(f.Get("executors")) {
			for _, t := range s.each(e.Get("tasks")) {
				s.task(t, fw)
			}
		}
	}
}

// operator reads an answer of the operator API, whatever it answers.
func (s *scan) operator(v *jsonpos.Value) {
	for _, e := range v.Elems() {
		switch strings.ToLower(strings.ReplaceAll(e.Key(), "_", "")) {
		case "getstate":
			s.touch(e)
			s.operator(e)
		case "getagents":
			s.touch(e)
			for _, a := range s.each(get(e, "agents")) {
				s.agent(get(a, "agent_info"), a)
			}
			for _, a := range s.each(get(e, "recovered_agents")) {
				s.agent(a, a)
			}
		case "getframeworks":
			s.touch(e)
			for _, f := range s.each(get(e, "frameworks")) {
				s.framework(get(f, "framework_info"), f)
			}
		case "gettasks":
			s.touch(e)
			for _, key := range []string{"tasks", "launched_tasks"} {
				for _, t := range s.each(get(e, key)) {
					s.task(t, nil)
				}
			}
		case "getflags":
			s.touch(e)
			s.flags(get(e, "flags"), "")
		case "getquota":
			s.touch(e)
			s.quotas(get(e, "status"))
		case "getroles":
			s.touch(e)
			s.roles(get(e, "roles"))
		}
	}
}

// each gives the objects of an array and marks the array and them as read key
// by key.
func (s *scan) each(v *jsonpos.Value) []*jsonpos.Value {
	if v.Kind() != jsonpos.Array || v.IsLeaf() {
		return nil
	}
	out := make([]*jsonpos.Value, 0, len(v.Elems()))
	for _, e := range v.Elems() {
		if e.Kind() == jsonpos.Object && !e.IsLeaf() {
			s.touch(e)
			out = append(out, e)
		}
	}
	return out
}

// platform reads the version of DC/OS, whose agents throttle unless told not to.
func (s *scan) platform(v *jsonpos.Value) {
	if text(v) == "" {
		return
	}
	s.r.platform = text(v)
	s.note(v, ledger.Decision, PlatformSeen, "policy#spec.cpuLimits",
		"agents of DC/OS throttle CPU by default, so that a limit equal to the request is proposed where no agent's flags were seen")
}

// marathonInfo reads the one setting of Marathon that changes what tasks see.
func (s *scan) marathonInfo(v *jsonpos.Value) {
	p := v.At("marathon_config", "env_vars_prefix")
	if text(p) == "" {
		return
	}
	s.note(p, ledger.Decision, EnvPrefix, "policy#spec.environment",
		"this Marathon puts the prefix before PORT* and HOST; the plain names are proposed")
	s.warn(EnvPrefix, p, "marathon", "puts the prefix "+text(p)+" before PORT* and HOST in every task's environment",
		"check the commands that read them")
}
