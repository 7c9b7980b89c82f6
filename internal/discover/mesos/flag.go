package mesos

import (
	"path"
	"strings"

	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/ledger"
)

// A flagSet is what the flags of one agent say of CPU time.
type flagSet struct {
	host      string // ID, name or address, empty if the answer does not say whose flags these are
	throttles bool
}

// agentOnly are flags that an agent has and a master has not.
var agentOnly = map[string]bool{
	"cgroups_enable_cfs": true, "containerizers": true, "isolation": true, "docker_socket": true,
	"cgroups_hierarchy": true, "executor_registration_timeout": true, "launcher_dir": true,
}

// flags reads an agent's flags, as an object or as a list. Whose they are says
// id, else the flags themselves, else the name that capture gave the file.
func (s *scan) flags(v *jsonpos.Value, id string) {
	s.touch(v)
	f := flagSet{host: id}
	agent := false
	var cfs, cfsName *jsonpos.Value
	each := func(name string, at *jsonpos.Value) {
		agent = agent || agentOnly[name]
		switch name {
		case "cgroups_enable_cfs":
			cfs = at
		case "hostname", "ip":
			if f.host == "" || name == "hostname" && id == "" {
				f.host = text(at)
			}
		}
	}
	if v.Kind() == jsonpos.Object {
		for _, e := range v.Elems() {
			each(e.Key(), e)
		}
	} else {
		for _, e := range s.each(v) {
			name := get(e, "name")
			if text(name) == "cgroups_enable_cfs" {
				cfsName = name
			}
			each(text(name), get(e, "value"))
		}
	}
	if !agent {
		return
	}
	if f.host == "" {
		base := path.Base(s.file)
		f.host = strings.TrimSuffix(base, path.Ext(base))
	}
	if cfs == nil {
		s.r.flags = append(s.r.flags, f) // Mesos' own default is not to throttle
		return
	}
	f.throttles = strings.EqualFold(text(cfs), "true")
	s.r.flags = append(s.r.flags, f)
	reason := "agents gave CPU by shares: no CPU limit is proposed"
	if f.throttles {
		reason = "agents held tasks to their CPU: a limit equal to the request is proposed"
	}
	s.note(cfs, ledger.Decision, Throttling, "container#resources.limits.cpu", reason)
	s.note(cfsName, ledger.Decision, Throttling, "container#resources.limits.cpu", reason)
}
