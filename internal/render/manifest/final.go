package manifest

import (
	"strings"

	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/policy"
)

// files are where the objects of one workload went.
type files struct {
	workload, service, address, route, config, secret, volume string
	account, policy, budget, autoscaler                       string
	// template is the path of the pod in the workload's object.
	template   string
	containers int
	claims     bool // each copy has its own volumes
	// things are the objects of named configs, secrets and volumes.
	things map[string]string
}

func (f *files) thing(kind, name, file string) {
	if f.things == nil {
		f.things = map[string]string{}
	}
	f.things[kind+"/"+name] = file
}

// finalise puts files into the targets of the ledger, and policy's answers
// into its decisions.
func (r *renderer) finalise(p *plan.Plan) []ledger.Entry {
	out := make([]ledger.Entry, len(p.Ledger))
	known, of := map[string]string{}, "" // the targets of one workload, whose entries stand together
	for i, e := range p.Ledger {
		if e.Verdict == ledger.Decision {
			if a, ok := policy.AnswerTo(&p.Policy, e.Code, estate.Name(e.Workload)); ok {
				e.Answer = a
			}
		}
		switch f := r.files[estate.Name(e.Workload)]; {
		case e.Target == "":
		case e.Workload == "":
			e.Target = r.unowned(&e)
		case f != nil:
			if of != e.Workload {
				clear(known)
				of = e.Workload
			}
			t, ok := known[e.Target]
			if !ok {
				t = f.target(e.Target)
				known[e.Target] = t
			}
			e.Target = t
		case len(r.opts.Only) == 0:
			e.Target = "" // its workload became no objects
		}
		out[i] = e
	}
	return out
}

// target gives the file and path of a symbolic target. One that was not
// rendered is with the workload itself, whose annotations keep it.
func (f *files) target(symbol string) string {
	object, at, _ := strings.Cut(symbol, "#")
	in := func(file, prefix string) string {
		if file == "" {
			return f.workload + "#metadata.annotations"
		}
		if prefix != "" {
			at = strings.TrimSuffix(prefix+"."+at, ".")
		}
		return file + "#" + at
	}
	switch object {
	case "workload", "job":
		return in(f.workload, "")
	case "pod":
		return in(f.workload, f.template)
	case "container":
		return in(f.workload, f.template+".spec."+f.place(at))
	case "service":
		if f.service == "" {
			return in(f.address, "")
		}
		return in(f.service, "")
	case "route":
		return in(f.route, "")
	case "config":
		return in(f.config, "")
	case "secret":
		return in(f.secret, "")
	case "volume":
		switch {
		case f.volume != "":
			return in(f.volume, "")
		case f.claims:
			return in(f.workload, "spec.volumeClaimTemplates[]")
		}
		at = ""
		return in(f.workload, f.template+".spec.volumes[]")
	case "policy":
		return in(f.policy, "")
	case "account":
		return in(f.account, "")
	case "budget":
		return in(f.budget, "")
	case "autoscaler":
		return in(f.autoscaler, "")
	}
	return symbol
}

// place gives the list in which a container's field is.
func (f *files) place(at string) string {
	if strings.HasPrefix(at, "initContainers") {
		return "" // a path of the pod itself
	}
	if f.containers == 1 {
		return "containers[0]"
	}
	return "containers[]"
}
