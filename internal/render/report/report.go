// Package report renders report.html: both bills, the nodes with their failures,
// sizes, spend, waves, inventory, verdicts, open decisions and the dependency
// graph on one page that needs nothing else, every figure with the way to its
// reason. It takes a plan with its finished ledger and a drawing of the graph.
// It never shows a value of a field that does not reach Kubernetes, nor a secret's.
package report

import (
	"bytes"
	"cmp"
	"embed"
	"fmt"
	"html/template"
	"slices"
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/render"
)

//go:embed *.tmpl
var pages embed.FS

// What is listed at most: places of one question, workloads; and of how many
// workloads on their texts are cut short.
const (
	most      = 12
	mostRows  = 5000
	manyRows  = 1000
	shortText = 60
)

// Render gives report.html. drawing is an SVG of Edges, or empty.
func Render(p *plan.Plan, entries []ledger.Entry, drawing []byte) (render.File, error) {
	t, err := template.New("report.html.tmpl").Funcs(template.FuncMap{"fig": fig}).ParseFS(pages, "*.tmpl")
	if err != nil {
		return render.File{}, fmt.Errorf("read the report's template: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, newView(p, entries, drawing)); err != nil {
		return render.File{}, fmt.Errorf("render report: %w", err)
	}
	return render.File{Path: "report.html", Data: b.Bytes()}, nil
}

type view struct {
	Name      string
	AsOf      string
	Fields    int
	Verdicts  []verdict
	Codes     []ledger.Tally
	Moved     []row
	MovedMore int // rows that are left out
	Replaced  []row
	Questions []question
	Names     []name
	Copies    int
	MovedAll  int
	Graph     template.HTML

	Head    head
	Bill    bill
	Packing packing
	Sizing  sizing
	Spend   spend
	Board   board
}

type verdict struct {
	Verdict ledger.Verdict
	Count   int
	Share   float64 // percent
	From    float64 // percent, where its bar begins
	Means   string
}

type row struct {
	ID       string // of the row
	SizeAt   string // where its size is explained
	Why      string
	Workload *estate.Workload
	Size     plan.Size
	CPU      string
	Memory   string
	Mode     plan.Mode
	Wave     int
	WaveAt   string
	Open     int
	Images   string
}

type question struct {
	Code   diag.Code
	Field  string
	Ask    string
	Reason string
	Count  int
	Places []string
	More   int
}

type name struct {
	From, Match, To, Why string
	Fate                 estate.Fate
}

func newView(p *plan.Plan, entries []ledger.Entry, drawing []byte) view {
	v := view{
		Name: cmp.Or(p.Policy.Metadata.Name, "migration"), AsOf: p.AsOf, Codes: ledger.Count(entries),
		Graph: template.HTML(drawing), //nolint:gosec // drawn by graphviz from escaped names
	}
	at := newPlaces(p)
	v.Sizing = newSizing(p, at)
	v.Bill = newBill(p)
	v.Packing = newPacking(p, at)
	v.Spend = newSpend(p)
	v.Board = newBoard(p)
	for _, t := range v.Codes {
		v.Fields += t.Count
	}
	v.bars()
	v.rows(p, entries, at)
	v.questions(entries)
	for _, d := range p.Estate.Dependencies {
		if d.Fate == estate.Bridged || d.Fate == estate.Unresolved {
			v.Names = append(v.Names, name{From: string(d.From), Match: d.Match, To: string(d.To), Fate: d.Fate, Why: d.Why})
		}
	}
	v.Head = newHead(p, &v)
	return v
}

func (v *view) bars() {
	at := 0.0
	for _, x := range ledger.Verdicts() {
		n := 0
		for _, t := range v.Codes {
			if t.Verdict == x {
				n += t.Count
			}
		}
		share := 0.0
		if v.Fields > 0 {
			share = 100 * float64(n) / float64(v.Fields)
		}
		v.Verdicts = append(v.Verdicts, verdict{Verdict: x, Count: n, Share: share, From: at, Means: meaning(x)})
		at += share
	}
}

// meaning says a verdict in words.
func meaning(v ledger.Verdict) string {
	switch v {
	case ledger.Exact:
		return "The same behaviour."
	case ledger.Equivalent:
		return "The same behaviour under a condition that the entry writes down."
	case ledger.Decision:
		return "A choice was needed: a default was proposed, and the policy can answer it."
	case ledger.Approximate:
		return "It behaves differently, and the entry says how."
	case ledger.Dropped:
		return "It cannot be carried, and the entry says what that costs."
	}
	return "It carries no behaviour."
}

func (v *view) rows(p *plan.Plan, entries []ledger.Entry, places *places) {
	opened := map[string]int{}
	for _, e := range entries {
		if e.Verdict == ledger.Decision && e.Answer == "" {
			opened[e.Workload]++
		}
	}
	sizes := map[estate.Name]plan.Size{}
	for _, s := range p.Sizes {
		sizes[s.Workload] = s
	}
	type place struct {
		wave int
		mode plan.Mode
	}
	at := map[estate.Name]place{}
	for _, w := range p.Waves {
		for _, g := range w.Groups {
			for _, id := range g.Workloads {
				at[id] = place{w.Number, g.Mode}
			}
		}
	}
	for i := range p.Estate.Workloads {
		w := &p.Estate.Workloads[i]
		r := row{Workload: w, Size: sizes[w.ID], Open: opened[string(w.ID)], Wave: at[w.ID].wave, Mode: at[w.ID].mode}
		r.ID, r.SizeAt = places.rows[w.ID], places.of(w.ID)
		if r.Wave > 0 {
			r.WaveAt = id("wave", r.Wave)
			if len(p.Waves) > mostWaves {
				r.WaveAt = "why-waves"
			}
		}
		r.Why = cmp.Or(r.Size.Reason.Meaning(), "the plan has no size for it")
		if r.SizeAt == r.ID && r.Size.Why != "" {
			r.Why = r.Size.Why
		}
		var total plan.ContainerSize
		var images []string
		for _, c := range r.Size.Containers {
			total.CPU += c.CPU
			total.Memory += c.Memory
		}
		for _, c := range w.Containers {
			images = append(images, cmp.Or(c.Image, "no image"))
		}
		r.CPU, r.Memory, r.Images = total.CPU.String(), size(total.Memory), strings.Join(images, ", ")
		if len(p.Estate.Workloads) > manyRows {
			r.Why, r.Images = cut(r.Why, shortText), cut(r.Images, shortText)
		}
		if plan.Moves(w, &p.Policy) {
			v.Copies += r.Size.Replicas
			if v.MovedAll++; v.MovedAll > mostRows {
				v.MovedMore++
				continue
			}
			v.Moved = append(v.Moved, r)
		} else {
			v.Replaced = append(v.Replaced, r)
		}
	}
}

func (v *view) questions(entries []ledger.Entry) {
	at := map[diag.Code]int{}
	for _, e := range entries {
		if e.Verdict != ledger.Decision || e.Answer != "" {
			continue
		}
		i, ok := at[e.Code]
		if !ok {
			i = len(v.Questions)
			at[e.Code] = i
			q := question{Code: e.Code, Reason: e.Reason}
			if asked, ok := policy.QuestionOf(e.Code); ok {
				q.Field, q.Ask = asked.Field, asked.Ask
			}
			v.Questions = append(v.Questions, q)
		}
		q := &v.Questions[i]
		q.Count++
		if len(q.Places) < most {
			q.Places = append(q.Places, e.File+"#"+e.Pointer)
		} else {
			q.More++
		}
	}
	slices.SortFunc(v.Questions, func(a, b question) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(string(a.Code), string(b.Code)))
	})
}
