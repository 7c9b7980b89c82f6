// Package names finds the names of the old world in everything that a workload
// says, and tells what each leads to. It takes the builder after all readers
// have read, and gives dependencies, the values that patterns of constraints
// stand for, and warnings. It never changes a text: it says what could be put
// in, and render does.
//
// The contract with render. A Dependency whose Fate is Rewritten has a Match
// that is one whole token of the text in Place, as estate.Tokens cuts it; with
// estate.Substitute it is replaced by HOST.NAMESPACE.svc.CLUSTERDOMAIN, with
// ":PORT" behind it if Match has a port. Which Service that is:
//
//   - Endpoint names a virtual address: the Service of that endpoint, at the
//     endpoint's own port, which is Listen.
//   - otherwise the Service of To, at the port that leads to container port
//     Port. Endpoint may then name the route of the old load balancer that
//     Match went by; clients go straight to the workload.
//   - Port 0: the client knows the port by itself; the Service of To must
//     serve the numbers that the containers listen on.
//
// Where Match has no port and Listen is not 0, clients connect to Listen (it
// follows from the URL's scheme): a Service that serves another number needs
// the port put in.
//
// A name in a secret, in a label, or in a workload that an operator replaces is
// never Rewritten. Bridged names stay as they are and must be answered in the
// new world, Unresolved ones need a person. References to variables that the
// old scheduler set ("$PORT0") are Bridged without To: render sets the
// variables.
package names

import (
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/estate"
)

// A Finder is the last of the readers (discover.Finisher).
type Finder struct{}

// New gives a Finder.
func New() Finder { return Finder{} }

// Finish does all of it.
func (Finder) Finish(b *discover.Builder) {
	s := &search{
		b: b, x: newIndex(b), warned: map[warning]bool{}, constraints: map[constraintKey][]discover.Text{},
	}
	for _, t := range b.Texts() {
		if t.Place.Field == constraintField {
			k := constraintKey{t.Workload, t.Place.Key}
			s.constraints[k] = append(s.constraints[k], t)
			continue
		}
		s.text(t)
	}
	s.images()
	s.patterns()
	s.declared()
	s.cycles()
}

// constraintField is where package field registers the patterns of constraints.
const constraintField = "constraint"

// A search is one run over all texts.
type search struct {
	b           *discover.Builder
	x           *index
	warned      map[warning]bool
	constraints map[constraintKey][]discover.Text
}

type warning struct {
	from  estate.Name
	match string
}

type constraintKey struct {
	workload estate.Name
	source   string
}

// A finding is what one name leads to.
type finding struct {
	match    string
	to       []estate.Name // the first is the one that is rewritten to
	endpoint string
	port     int
	listen   int
	way      estate.EdgeWay
	fate     estate.Fate
	code     diag.Code
	why      string // if it is not rewritten
}

// place is where a text stands, as the search needs it.
type place struct {
	text discover.Text
	from *estate.Workload
	at   estate.Origin
	raw  string
	// seen keeps one finding for each match of the text.
	seen map[string]bool
}

func (s *search) text(t discover.Text) {
	raw := t.String()
	w := s.b.Workload(t.Workload)
	if raw == "" || w == nil {
		return
	}
	p := &place{
		text: t, from: w, raw: raw, seen: map[string]bool{},
		at: estate.Origin{File: t.File, Pointer: t.At.Pointer()},
	}
	s.names(p)
	if !t.Secret { // of a secret nothing but a host is looked at
		s.variables(p)
		s.paths(p)
	}
}

// names looks at every token of the text.
func (s *search) names(p *place) {
	for t := range estate.Tokens(p.raw) {
		if p.path(t) {
			continue
		}
		if f, ok := s.x.resolve(p, t); ok {
			f.match = p.raw[t.Start:t.End]
			s.found(p, f)
		}
	}
}

// path reports whether the token cannot be a host: a segment of a path, or the
// user or password of a URL.
func (p *place) path(t estate.Token) bool {
	before, after := p.raw[:t.Start], p.raw[t.End:]
	return strings.HasSuffix(before, "/") && !strings.HasSuffix(before, "//") || strings.HasPrefix(after, "@")
}

// found keeps what a name leads to and tells the ledger.
func (s *search) found(p *place, f finding) {
	if p.seen[f.match] {
		return
	}
	p.seen[f.match] = true
	f = p.allow(f)
	d := estate.Dependency{
		From: p.from.ID, Way: f.way, Match: f.match, Port: f.port, Listen: f.listen, Endpoint: f.endpoint,
		Place: p.text.Place, At: p.at, Fate: f.fate, Why: f.why,
	}
	if d.Way == "" {
		d.Way = estate.ByName
	}
	e := s.b.Estate()
	for i, to := range f.to {
		d.To = to
		if i > 0 { // further copies behind the same name: edges, nothing to put in
			d.Fate, d.Why = estate.None, ""
		}
		e.Dependencies = append(e.Dependencies, d)
	}
	if len(f.to) == 0 {
		e.Dependencies = append(e.Dependencies, d)
	}
	if !runs(p.from) || f.fate == estate.None {
		return
	}
	if p.text.At != nil {
		s.amend(p.text.At, f)
	}
	if f.fate == estate.Unresolved && !s.warned[warning{p.from.ID, f.match}] {
		s.warned[warning{p.from.ID, f.match}] = true
		s.b.Report(diag.Diagnostic{
			Code: f.code, Severity: diag.Warning, Pos: p.text.At.Pos(p.at.File), Subject: discover.Subject("workload", p.from.ID),
			Problem: "names " + f.match + where(p.text.Place) + ": " + f.why, Hint: hint(f.code),
		})
	}
}

func where(p estate.Place) string {
	if p.Field == "" {
		return ""
	}
	return " in " + strings.TrimSpace(p.Field+" "+p.Key)
}

// allow takes back what cannot be put into this place.
func (p *place) allow(f finding) finding {
	switch {
	case f.fate == estate.None:
	case !runs(p.from):
		f.fate, f.why = estate.None, "the workload that says so is not moved: an operator takes its place"
	case f.fate != estate.Rewritten:
	case p.text.Secret:
		f.fate, f.code, f.why = estate.Bridged, NameBridged, "it stands in a secret, whose value is never changed"
	case p.text.Place.Field == "label":
		f.fate, f.code, f.why = estate.Bridged, NameBridged, "labels are kept as they are, as annotations"
	}
	return f
}

// runs reports whether the workload is rendered.
func runs(w *estate.Workload) bool {
	return w.Kind != estate.Framework && w.Kind != estate.Infrastructure
}

var rank = map[ledger.Verdict]int{
	ledger.Exact: 0, ledger.Equivalent: 1, ledger.Approximate: 2, ledger.Decision: 3, ledger.Dropped: 4, ledger.Informational: 5,
}

// amend tells the entry of the leaf what the name in it means for it. The worst
// verdict counts; the reasons of both stand.
func (s *search) amend(leaf *jsonpos.Value, f finding) {
	verdict, reason := ledger.Decision, "an old name in it needs a person: "+f.why
	switch {
	case f.fate == estate.Rewritten:
		verdict, reason = ledger.Equivalent, "an old name in it is replaced by that of the Service of "+string(f.to[0])
	case f.code == InjectedVariable:
		verdict, reason = ledger.Equivalent, f.why
	case f.fate == estate.Bridged:
		verdict, reason = ledger.Approximate, "an old name in it stays, and is answered while both worlds run: "+f.why
	}
	s.rule(leaf, verdict, f.code, reason)
}

func (s *search) rule(leaf *jsonpos.Value, verdict ledger.Verdict, code diag.Code, reason string) {
	const enough = 400 // a text with a hundred names needs no hundred reasons
	s.b.Amend(leaf, func(e *ledger.Entry) {
		switch {
		case rank[verdict] > rank[e.Verdict]:
			e.Verdict, e.Code, e.Reason = verdict, code, reason
		case e.Verdict != ledger.Informational && !strings.Contains(e.Reason, reason) && len(e.Reason) < enough:
			e.Reason += "; " + reason
		}
	})
}
