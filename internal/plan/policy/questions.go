package policy

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/estate"
)

// A Question is one field of tranship.yaml that settles decisions.
type Question struct {
	Field string // "spec.network.host"
	Ask   string
	// Default is what holds while nobody answers.
	Default string
	// Example is a value to begin with, as YAML.
	Example string
	// Codes of the ledger's decisions that it settles.
	Codes []diag.Code
	// answer reads the field, for one workload; empty is unanswered.
	answer func(p *Policy, id estate.Name) string
}

// AnswerTo gives the policy's answer to a decision of that code about that
// workload, and whether there is one. An answer by code wins over a field.
func AnswerTo(p *Policy, code diag.Code, id estate.Name) (string, bool) {
	if a, ok := p.Said(code, id); ok {
		return a, true
	}
	for _, q := range questions {
		if slices.Contains(q.Codes, code) {
			a := q.answer(p, id)
			return a, a != ""
		}
	}
	return "", false
}

// Questions gives all questions, in the order of the file.
func Questions() []Question { return questions }

// A table of fields and the codes of the decisions that they settle. Codes
// stand here by value, since policy knows no reader; a test of package app
// holds that each is a code.
var questions = []Question{
	{
		Field: "spec.namespaces.by", Ask: "Which namespaces do groups become: top, group or one?",
		Default: "top: the first group of the ID", Example: "top",
		Codes: []diag.Code{"M104", "M115", "B103", "J102", "C101"},
		answer: func(p *Policy, id estate.Name) string {
			n := p.Spec.Namespaces
			switch {
			case p.For(id).Namespace != "":
				return p.For(id).Namespace
			case n.By != "":
				return n.By
			case len(n.Map) > 0:
				return "map"
			}
			return n.Default
		},
	},
	{
		Field: "spec.secrets.store", Ask: "Where will secrets' values come from: stub or external?",
		Default: "stub: a Secret without values, to be filled by hand", Example: "external",
		Codes:  []diag.Code{"D010", "D011", "F104", "F117", "F146", "C111", "C112", "C152", "L105", "L106", "H112", "H155"},
		answer: func(p *Policy, _ estate.Name) string { return p.Spec.Secrets.Store },
	},
	{
		Field: "spec.network.host", Ask: "Do workloads on the machine's network keep it: pod or host?",
		Default: "pod: an address of their own", Example: "pod",
		Codes: []diag.Code{"F151", "C136"},
		answer: func(p *Policy, id estate.Name) string {
			if a := p.For(id).Network; a != "" {
				return a
			}
			return p.Spec.Network.Host
		},
	},
	{
		Field: "spec.network.hostPorts", Ask: "Do fixed ports of machines stay: drop or keep?",
		Default: "drop: clients come by the Service", Example: "drop",
		Codes: []diag.Code{"M162", "B135"},
		answer: func(p *Policy, id estate.Name) string {
			if a := p.For(id).HostPorts; a != "" {
				return a
			}
			return p.Spec.Network.HostPorts
		},
	},
	{
		Field: "spec.network.policies", Ask: "Do the old networks' borders stay: none or deny?",
		Default: "none: every pod may connect to every other", Example: "deny",
		Codes:  []diag.Code{"F153", "M167", "B107", "C133"},
		answer: func(p *Policy, _ estate.Name) string { return p.Spec.Network.Policies },
	},
	{
		Field: "spec.cpuLimits", Ask: "Do containers get a CPU limit: auto, none or request?",
		Default: "auto: only where agents held tasks to their share", Example: "auto",
		Codes: []diag.Code{"A140", "A142"},
		answer: func(p *Policy, id estate.Name) string {
			if a := p.For(id).CPULimits; a != "" {
				return string(a)
			}
			return string(p.Spec.CPULimits)
		},
	},
	{
		Field: "spec.users", Ask: "Which numbers do the users' names have in the images?",
		Default: "the image's own user; root is 0", Example: "{nobody: 65534}",
		Codes: []diag.Code{"M140", "J118", "B108", "C108"},
		answer: func(p *Policy, id estate.Name) string {
			if u := p.For(id).User; u != nil {
				return fmt.Sprint(*u)
			}
			return given(len(p.Spec.Users))
		},
	},
	{
		Field: "spec.storage.class", Ask: "Which storage class makes volumes?",
		Default: "gp3", Example: "gp3",
		Codes: []diag.Code{"F142", "C141"},
		answer: func(p *Policy, _ estate.Name) string {
			if p.Spec.Storage.Class == "" {
				return given(len(p.Spec.Storage.Classes))
			}
			return p.Spec.Storage.Class
		},
	},
	{
		Field: "spec.storage.handles", Ask: "Which volumes of the target hold the data of external volumes?",
		Default: "a static volume with the old name as its handle", Example: "{data-vol: vol-0123456789abcdef0}",
		Codes:  []diag.Code{"F144", "C142"},
		answer: func(p *Policy, _ estate.Name) string { return given(len(p.Spec.Storage.Handles)) },
	},
	{
		Field: "spec.storage.hostPath", Ask: "Do paths of the old machines become paths of the nodes: keep or none?",
		Default: "keep: the same path of the node, to be filled by somebody", Example: "none",
		Codes:  []diag.Code{"M143", "M144", "B116", "J121"},
		answer: func(p *Policy, _ estate.Name) string { return p.Spec.Storage.HostPath },
	},
	{
		Field: "spec.nodes.labels", Ask: "Which node labels take the place of the agents' attributes?",
		Default: "mesos.attr/NAME", Example: "{disktype: example.com/disk}",
		Codes:  []diag.Code{"A102"},
		answer: func(p *Policy, _ estate.Name) string { return given(len(p.Spec.Nodes.Labels)) },
	},
	{
		Field: "spec.nodes.zones", Ask: "Which zones take the place of the old ones?",
		Default: "the same names", Example: "{rack-1: us-east-1a}",
		Codes: []diag.Code{"F126"},
		answer: func(p *Policy, _ estate.Name) string {
			return given(len(p.Spec.Nodes.Zones) + len(p.Spec.Nodes.Regions))
		},
	},
	{
		Field: "spec.nodes.roles", Ask: "Which nodes take what was bound to a role of Mesos (slave_public)?",
		Default: "any node", Example: "{slave_public: example.com/edge=true}",
		Codes:  []diag.Code{"M124", "B111"},
		answer: func(p *Policy, _ estate.Name) string { return given(len(p.Spec.Nodes.Roles)) },
	},
	{
		Field: "spec.edge.groups", Ask: "Which class of gateway or ingress takes the place of each load balancer group?",
		Default: "one Gateway for each group", Example: "{external: {class: public}}",
		Codes:  []diag.Code{"H101", "L102", "L103", "H106"},
		answer: func(p *Policy, _ estate.Name) string { return given(len(p.Spec.Edge.Groups)) },
	},
	{
		Field: "spec.edge.certificates", Ask: "Which secrets hold the load balancers' certificates?",
		Default: "a secret named after the file", Example: "{/etc/ssl/site.pem: site-tls}",
		Codes:  []diag.Code{"H109", "L125", "L107"},
		answer: func(p *Policy, _ estate.Name) string { return given(len(p.Spec.Edge.Certificates)) },
	},
	{
		Field: "spec.images.registries", Ask: "From which registry do nodes pull, by the old one's prefix?",
		Default: "the old registry", Example: "{registry.example.com: 111122223333.dkr.ecr.us-east-1.amazonaws.com}",
		Codes:  []diag.Code{"F106", "C104"},
		answer: func(p *Policy, _ estate.Name) string { return given(len(p.Spec.Images.Registries)) },
	},
	{
		Field: "spec.images.base", Ask: "Which image runs what ran on the machine's own files?",
		Default: "none: the workload waits for an image", Example: "debian:12-slim",
		Codes: []diag.Code{"M130", "J107", "C105"},
		answer: func(p *Policy, id estate.Name) string {
			if a := p.For(id).Image; a != "" {
				return a
			}
			return p.Spec.Images.Base
		},
	},
}

// given says that a map has entries: each answers for its own key.
func given(n int) string {
	if n == 0 {
		return ""
	}
	return "by its entry"
}

// Raised is a question that an estate asks.
type Raised struct {
	Question
	Count  int    // how many fields ask it
	Reason string // of the first
}

// Raise gives the questions that the ledger's decisions ask, in the order of
// the file; decisions that no field settles come last, by code.
func Raise(entries []ledger.Entry) []Raised {
	byCode := map[diag.Code]int{}
	var out, rest []Raised
	for i, q := range questions {
		out = append(out, Raised{Question: q})
		for _, c := range q.Codes {
			byCode[c] = i
		}
	}
	at := map[diag.Code]int{}
	for _, e := range entries {
		if e.Verdict != ledger.Decision {
			continue
		}
		if i, ok := byCode[e.Code]; ok {
			out[i].Count++
			if out[i].Reason == "" {
				out[i].Reason = e.Reason
			}
			continue
		}
		i, ok := at[e.Code]
		if !ok {
			i = len(rest)
			at[e.Code] = i
			rest = append(rest, Raised{Question: Question{Codes: []diag.Code{e.Code}}, Reason: e.Reason})
		}
		rest[i].Count++
	}
	out = slices.DeleteFunc(out, func(r Raised) bool { return r.Count == 0 })
	slices.SortFunc(rest, func(a, b Raised) int { return strings.Compare(string(a.Codes[0]), string(b.Codes[0])) })
	return append(out, rest...)
}

// Write gives the text of a tranship.yaml that asks the questions: each field
// is there as a comment with its default, to be answered by taking the # away.
func Write(raised []Raised) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# tranship explain FIELD says what a field means; tranship validate checks this file.\n")
	fmt.Fprintf(&b, "apiVersion: %s\nkind: %s\nspec:\n", APIVersion, Kind)
	fmt.Fprintf(&b, "  # Answers for single workloads, by their ID: namespace, name, image, user, replicas, autoscale, skip.\n  workloads: {}\n")
	open := map[string]bool{}
	for _, r := range raised {
		if r.Field == "" {
			continue
		}
		fmt.Fprintf(&b, "\n  # %s\n  # asked by %s; while unanswered: %s\n", r.Ask, fields(r.Count), r.Default)
		path := strings.Split(strings.TrimPrefix(r.Field, "spec."), ".")
		if len(path) == 2 {
			if !open[path[0]] {
				fmt.Fprintf(&b, "  # %s:\n", path[0])
				open[path[0]] = true
			}
			fmt.Fprintf(&b, "  #   %s: %s\n", path[1], r.Example)
			continue
		}
		fmt.Fprintf(&b, "  # %s: %s\n", path[0], r.Example)
	}
	first := true
	for _, r := range raised {
		if r.Field != "" {
			continue
		}
		if first {
			fmt.Fprintf(&b, "\n  # Decisions that no field settles: an answer is kept with the plan and shown in its report.\n  # answers:\n")
			first = false
		}
		fmt.Fprintf(&b, "  #   - {code: %s, workload: \"/...\", answer: \"\"} # %s: %s\n", r.Codes[0], fields(r.Count), oneLine(r.Reason))
	}
	return b.Bytes()
}

func fields(n int) string {
	if n == 1 {
		return "1 field"
	}
	return fmt.Sprintf("%d fields", n)
}

func oneLine(s string) string { return strings.ReplaceAll(s, "\n", " ") }

// QuestionOf gives the question whose field settles decisions of that code.
func QuestionOf(code diag.Code) (Question, bool) {
	for _, q := range questions {
		if slices.Contains(q.Codes, code) {
			return q, true
		}
	}
	return Question{}, false
}
