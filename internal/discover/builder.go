package discover

import (
	"cmp"
	"slices"
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/estate"
)

// A Builder gathers what the readers find. Readers get it with each document.
type Builder struct {
	readers  []Reader
	labelers []LabelReader
	opts     Options

	estate  estate.Estate
	order   []*estate.Workload
	byID    map[estate.Name]*estate.Workload
	entries []ledger.Entry
	at      map[*jsonpos.Value]int
	texts   []Text
	diags   diag.List
	counts  map[countKey]int
}

type countKey struct{ file, pattern string }

func newBuilder(readers []any, opts Options) *Builder {
	b := &Builder{
		opts: opts, byID: map[estate.Name]*estate.Workload{}, at: map[*jsonpos.Value]int{},
		counts: map[countKey]int{},
	}
	b.estate.Version = estate.Version
	b.estate.Hosts, b.estate.Endpoints, b.estate.Dependencies = []estate.Host{}, []estate.Endpoint{}, []estate.Dependency{}
	for _, r := range readers {
		if x, ok := r.(Reader); ok {
			b.readers = append(b.readers, x)
		}
		if x, ok := r.(LabelReader); ok {
			b.labelers = append(b.labelers, x)
		}
	}
	return b
}

// Report keeps a diagnostic.
func (b *Builder) Report(d diag.Diagnostic) { b.diags = append(b.diags, d) }

// A Ruling is the part of a ledger entry that a reader decides.
type Ruling struct {
	Verdict ledger.Verdict
	Code    diag.Code
	// Target is the symbolic object and the path in it: "workload#spec.replicas".
	// Objects: workload, pod, container, service, route, config, secret,
	// volume, policy, account, budget, autoscaler, job. Render puts the file in.
	Target string
	// Reason is one clause. Of a decision it says the default that is proposed.
	Reason string
}

// Note enters what becomes of the leaf v, or, for an object or array, of every
// leaf below it that has no entry yet. A leaf has one entry: noting it again
// replaces the first. A nil v is no leaf.
func (b *Builder) Note(file string, w estate.Name, v *jsonpos.Value, r Ruling) {
	if v == nil {
		return
	}
	if v.IsLeaf() {
		b.enter(file, w, v, r)
		return
	}
	v.Leaves(func(leaf *jsonpos.Value) {
		if !b.Noted(leaf) {
			b.enter(file, w, leaf, r)
		}
	})
}

// NoteWhole enters v, object or array, as one entry that stands for all below
// it. Only an unknown key is noted so.
func (b *Builder) NoteWhole(file string, w estate.Name, v *jsonpos.Value, r Ruling) {
	if v != nil {
		b.enter(file, w, v, r)
	}
}

// Noted reports whether v itself has an entry.
func (b *Builder) Noted(v *jsonpos.Value) bool {
	_, ok := b.at[v]
	return ok
}

// Amend changes the ruling of a leaf that was noted before.
func (b *Builder) Amend(v *jsonpos.Value, change func(*ledger.Entry)) {
	if i, ok := b.at[v]; ok {
		change(&b.entries[i])
	}
}

// Evidence notes a field that tells how things run. All fields of one file
// with the same pattern (a pointer without indices) share one informational
// entry, which counts them; its place is that of the first. Of an object or
// array all leaves below it are counted, and have no entry of their own.
func (b *Builder) Evidence(file, pattern string, v *jsonpos.Value) {
	k := countKey{file, pattern}
	i, ok := b.counts[k]
	if !ok {
		i = len(b.entries)
		b.counts[k] = i
		b.entries = append(b.entries, ledger.Entry{
			File: file, Pointer: pattern, Line: v.Line(), Column: v.Column(), Verdict: ledger.Informational,
			Code: EvidenceOnly, Reason: "tells how things ran, and is not used",
		})
	}
	b.entries[i].Count += leaves(v)
	b.at[v] = i
}

func leaves(v *jsonpos.Value) int {
	n := 0
	v.Leaves(func(*jsonpos.Value) { n++ })
	return n
}

func (b *Builder) enter(file string, w estate.Name, v *jsonpos.Value, r Ruling) {
	e := ledger.Entry{
		File: file, Pointer: v.Pointer(), Line: v.Line(), Column: v.Column(), Workload: string(w),
		Verdict: r.Verdict, Code: r.Code, Target: r.Target, Reason: r.Reason,
	}
	if e.Reason == "" {
		e.Reason = usual[e.Verdict]
	}
	if i, ok := b.at[v]; ok {
		b.entries[i] = e
		return
	}
	b.at[v] = len(b.entries)
	b.entries = append(b.entries, e)
}

// usual are the reasons of entries whose reader has no other to give.
var usual = map[ledger.Verdict]string{
	ledger.Exact: "the same", ledger.Equivalent: "the same, said in another way", ledger.Decision: "a choice for people",
	ledger.Approximate: "nearly the same", ledger.Dropped: "has no counterpart", ledger.Informational: "carries no behaviour",
}

// sweep enters what the reader left below root: for a subtree without any
// entry one for its topmost key, so that nothing is passed over in silence.
func (b *Builder) sweep(file string, root *jsonpos.Value) {
	if root == nil || b.Noted(root) {
		return
	}
	if root.IsLeaf() {
		b.unknown(file, root)
		return
	}
	for _, e := range root.Elems() {
		switch {
		case root.Kind() == jsonpos.Object && !b.Noted(e) && !b.anyNoted(e):
			b.unknown(file, e)
		default:
			b.sweep(file, e)
		}
	}
}

func (b *Builder) anyNoted(v *jsonpos.Value) bool {
	if b.Noted(v) {
		return true
	}
	return slices.ContainsFunc(v.Elems(), b.anyNoted)
}

func (b *Builder) unknown(file string, v *jsonpos.Value) {
	b.enter(file, b.owner(v), v, Ruling{
		Verdict: ledger.Dropped, Code: UnknownKey,
		Reason: "no key that the source's schema or tranship knows; it is kept here and goes nowhere",
	})
}

// owner gives the workload of the nearest noted neighbour that has one.
func (b *Builder) owner(v *jsonpos.Value) estate.Name {
	for p := v.Parent(); p != nil; p = p.Parent() {
		if p.Kind() == jsonpos.Array {
			continue
		}
		for _, e := range p.Elems() {
			if i, ok := b.at[e]; ok && b.entries[i].Workload != "" {
				return estate.Name(b.entries[i].Workload)
			}
		}
	}
	return ""
}

// Add gives the estate a workload and returns a pointer to it that is good
// until the end of reading. A second workload with the same ID is refused with
// a diagnostic, and nil is given.
func (b *Builder) Add(w estate.Workload, pos diag.Pos) *estate.Workload {
	if have := b.byID[w.ID]; have != nil {
		b.Report(diag.Diagnostic{
			Code: DuplicateID, Severity: diag.Error, Pos: pos, Subject: "workload " + string(w.ID),
			Problem: "is defined already in " + have.Origin.File + have.Origin.Pointer + "; this one was left out",
			Hint:    "delete one of the two definitions, or export the running one",
		})
		return nil
	}
	p := &w
	b.byID[w.ID] = p
	b.order = append(b.order, p)
	return p
}

// Workload gives the workload with that ID, nil if there is none.
func (b *Builder) Workload(id estate.Name) *estate.Workload { return b.byID[id] }

// Workloads gives all workloads so far, in the order in which they were read.
func (b *Builder) Workloads() []*estate.Workload { return b.order }

// Estate gives the estate under construction, for hosts, endpoints,
// dependencies, quotas and networks. Its Workloads are set at the end.
func (b *Builder) Estate() *estate.Estate { return &b.estate }

// A Label is one label with its place.
type Label struct {
	Key   string
	Value string
	File  string
	At    *jsonpos.Value
}

// Labels reads an object of labels for w: those that a LabelReader claims go
// to it, all others become annotations. All are kept in w.Labels but those
// that hold a secret, which the claiming reader takes out.
func (b *Builder) Labels(file string, w *estate.Workload, v *jsonpos.Value) {
	if v.IsLeaf() {
		b.Note(file, w.ID, v, Ruling{Verdict: ledger.Informational, Code: EmptyValue, Reason: "no labels"})
		return
	}
	labels := make([]Label, 0, len(v.Elems()))
	for _, e := range v.Elems() {
		labels = append(labels, Label{Key: e.Key(), Value: e.Text(), File: file, At: e})
	}
	b.LabelList(w, labels)
}

// LabelList is Labels for readers whose labels stand in another form than one
// object of plain values. Each key stands once.
func (b *Builder) LabelList(w *estate.Workload, labels []Label) {
	claimed := make([][]Label, len(b.labelers))
	for _, l := range labels {
		if w.Labels == nil {
			w.Labels = map[string]string{}
		}
		if i := slices.IndexFunc(b.labelers, func(r LabelReader) bool { return r.Claims(l.Key) }); i >= 0 {
			w.Labels[l.Key] = l.Value
			claimed[i] = append(claimed[i], l)
			continue
		}
		b.plainLabel(w, l)
	}
	for i, ls := range claimed {
		if len(ls) > 0 {
			b.labelers[i].ReadLabels(w, ls, b)
		}
	}
}

func (b *Builder) plainLabel(w *estate.Workload, l Label) {
	if l.At.Kind() == jsonpos.Object || l.At.Kind() == jsonpos.Array {
		b.Note(l.File, w.ID, l.At, Ruling{
			Verdict: ledger.Dropped, Code: WrongType, Reason: "a label is a string; this one is not, and is left out",
		})
		return
	}
	if clean, found := RedactURLs(l.Value); found {
		w.Labels[l.Key] = clean
		b.Note(l.File, w.ID, l.At, Ruling{
			Verdict: ledger.Approximate, Code: CredentialInURL, Target: "workload#metadata.annotations",
			Reason: "an annotation without the credential that the URL held",
		})
		return
	}
	w.Labels[l.Key] = l.Value
	b.Note(l.File, w.ID, l.At, Ruling{
		Verdict: ledger.Equivalent, Code: LabelKept, Target: "workload#metadata.annotations",
		Reason: "an annotation; a label too where Kubernetes allows its key and value",
	})
	text := Text{Workload: w.ID, Place: estate.Place{Field: "label", Key: l.Key}, File: l.File, At: l.At}
	if l.Value != l.At.Text() {
		text.Raw = l.Value
	}
	b.Text(text)
}

// A Text is a place in which a name of the old world can stand.
type Text struct {
	Workload estate.Name
	Place    estate.Place
	File     string
	At       *jsonpos.Value // its Text() is the raw text
	// Raw is the text if it is not At's.
	Raw string
	// Secret texts are searched, and never rewritten or shown.
	Secret bool
}

// String gives the text to search.
func (t Text) String() string { return cmp.Or(t.Raw, t.At.Text()) }

// Text registers a text for the search for names and dependencies.
func (b *Builder) Text(t Text) { b.texts = append(b.texts, t) }

// Texts gives all registered texts.
func (b *Builder) Texts() []Text { return b.texts }

func (b *Builder) finish(readers []any) Result {
	for _, r := range readers {
		if f, ok := r.(Finisher); ok {
			f.Finish(b)
		}
	}
	b.replaced()
	e := &b.estate
	e.Workloads = make([]estate.Workload, 0, len(b.order))
	for _, w := range b.order {
		e.Workloads = append(e.Workloads, *w)
	}
	e.Sort()
	b.diags = append(b.diags, e.Check()...)
	ledger.Sort(b.entries)
	b.diags.Sort()
	e.Ledger = b.entries
	return Result{Estate: *e, Ledger: b.entries, Diags: b.diags}
}

// replaced corrects the entries of workloads that an operator or the cluster
// takes the place of: nothing of them is rendered, however well it could be.
func (b *Builder) replaced() {
	for i := range b.entries {
		e := &b.entries[i]
		if e.Verdict != ledger.Exact && e.Verdict != ledger.Equivalent {
			continue
		}
		w := b.byID[estate.Name(e.Workload)]
		if w != nil && (w.Kind == estate.Framework || w.Kind == estate.Infrastructure) && w.Origin.File == e.File {
			e.Verdict, e.Target = ledger.Approximate, ""
			e.Reason = "not rendered: something else takes the workload's place"
		}
	}
}

// Subject names a definition in a diagnostic: "app /shop/cart".
func Subject(kind string, id estate.Name) string { return strings.TrimSpace(kind + " " + string(id)) }
