// Package marathon reads Marathon's apps: one, a list, a group tree, a part of
// one. It takes documents and gives workloads, with a ledger entry for each
// leaf, after normalising what is written in an old form exactly as Marathon
// did. It never fails an app for one bad field, and never guesses in silence.
package marathon

import (
	"path"
	"strconv"
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/discover/field"
	"github.com/tranship/tranship/internal/estate"
)

// Reader reads Marathon's definitions (discover.Reader), and ties together
// what several of them share once all are read (discover.Finisher).
type Reader struct{}

// Recognise says whether the document is an app, a list or a group, by its keys.
func (Reader) Recognise(d *discover.Document) bool {
	s := shapeOf(d.Root)
	return s != unknown && s != podShape
}

// Read reads the document's apps.
func (Reader) Read(d *discover.Document, b *discover.Builder) {
	r := reader{doc: d, b: b}
	r.value(d.Root, "/", 0)
}

// A reader reads one document.
type reader struct {
	doc *discover.Document
	b   *discover.Builder
	// unnamed counts the apps without an id.
	unnamed int
}

// maxDepth bounds the nesting of groups; the parser bounds it too.
const maxDepth = 100

// value reads v, which stands in the group of that name.
func (r *reader) value(v *jsonpos.Value, in estate.Name, depth int) {
	switch shapeOf(v) {
	case appShape:
		r.app(v, in)
	case podShape:
		r.b.ReadPod(r.doc, v, in)
	case group:
		r.group(v, in, depth)
	case single:
		r.app(v.Get("app"), in)
	case list:
		for _, e := range v.Elems() {
			r.element(e, in, depth, appShape)
		}
	case scheduled:
		r.b.Report(diag.Diagnostic{
			Code: discover.NotReadYet, Severity: diag.Warning, Pos: v.Pos(r.doc.File),
			Subject: "Chronos job " + v.Get("name").Text(), Problem: "is not read yet, and was skipped",
			Hint: "write it as a Metronome job, or as a CronJob by hand",
		})
		r.b.Note(r.doc.File, "", v, discover.Ruling{
			Verdict: ledger.Dropped, Code: discover.NotReadYet, Reason: "a Chronos job, which tranship cannot read yet",
		})
	}
}

// element reads one element of an array whose elements should have that shape.
// What is broken, or of no use, costs itself only.
func (r *reader) element(e *jsonpos.Value, in estate.Name, depth int, want shape) {
	if e.IsNull() {
		r.scope("").Empty(e)
		return
	}
	s := objectOnly(e)
	if s == unknown && want == appShape && e.Get("id").Kind() == jsonpos.String && !e.Has("run") {
		s = appShape // an id alone, in a list of apps, is an app: the rest are defaults
	}
	switch s {
	case unknown:
		r.scope("").Report(NotAnApp, diag.Error, e, "the element at "+e.Pointer()+" is no definition that Marathon knows",
			"it was left out and the rest was read; correct it at the source")
		r.b.Note(r.doc.File, "", e, discover.Ruling{
			Verdict: ledger.Dropped, Code: NotAnApp, Reason: "stands among definitions and is none, and was left out",
		})
	case appShape:
		r.app(e, in)
	default:
		r.value(e, in, depth+1)
	}
}

func (r *reader) scope(id estate.Name) field.Scope {
	return field.Scope{B: r.b, File: r.doc.File, ID: id, Kind: "app"}
}

// name gives an app's absolute id. One without an id gets the file's name.
func (r *reader) name(v *jsonpos.Value, in estate.Name) estate.Name {
	id := v.Get("id")
	if id.Kind() == jsonpos.String && strings.Trim(id.Text(), "/ ") != "" {
		return resolve(in, id.Text())
	}
	r.unnamed++
	base := path.Base(r.doc.File)
	base = tame(strings.TrimSuffix(base, path.Ext(base)))
	if r.unnamed > 1 {
		base += "-" + strconv.Itoa(r.unnamed)
	}
	name := resolve(in, base)
	r.scope(name).Report(NoID, diag.Warning, v, "has no id; it is called "+string(name)+" after its file",
		"this is a part of an app, as an upgrade is: export the app itself, or give it its id")
	return name
}

// tame makes a word that Marathon takes as a part of an id.
func tame(s string) string {
	s = strings.Trim(strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '.':
			return c
		case c >= 'A' && c <= 'Z':
			return c + 'a' - 'A'
		}
		return '-'
	}, s), "-.")
	if s == "" {
		return "app"
	}
	return s
}

// resolve gives an id as seen from a group: absolute as it is, relative below
// it, ".." its parent.
func resolve(in estate.Name, id string) estate.Name {
	id = strings.TrimSpace(id)
	if !strings.HasPrefix(id, "/") {
		id = string(in) + "/" + id
	}
	return estate.Name(path.Clean("/" + id))
}

// parent gives the group around an id: "/" at the top.
func parent(id estate.Name) estate.Name { return estate.Name(path.Dir(string(id))) }
