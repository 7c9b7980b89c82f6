package swarm

import (
	"io/fs"
	"path"
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/estate"
)

type fsys = fs.FS

// A note is a ruling that is not final: the same leaf may stand in several
// services by way of an anchor.
type note struct {
	id estate.Name
	r  discover.Ruling
}

// rank orders verdicts by how much a changed value changes: where a leaf is
// used twice, the larger holds.
func rank(r discover.Ruling) int {
	switch r.Verdict {
	case ledger.Exact:
		return 6
	case ledger.Equivalent:
		return 5
	case ledger.Decision:
		return 4
	case ledger.Approximate:
		return 3
	case ledger.Dropped:
		return 2
	}
	if r.Code == Overridden {
		return 0
	}
	return 1
}

// note enters what becomes of v, or of all leaves below it, anchors included.
func (s *scope) note(id estate.Name, v *jsonpos.Value, r discover.Ruling) {
	s.below(v, 0, func(leaf *jsonpos.Value) { s.put(id, leaf, r) })
}

func (s *scope) below(v *jsonpos.Value, depth int, f func(*jsonpos.Value)) {
	v = real(v)
	if v == nil || depth > maxDepth {
		return
	}
	if v.IsLeaf() {
		f(v)
		return
	}
	for _, e := range v.Elems() {
		if strings.HasPrefix(e.Key(), "x-") {
			continue // an extension key, entered as a whole in the end
		}
		s.below(e, depth+1, f)
	}
}

func (s *scope) put(id estate.Name, leaf *jsonpos.Value, r discover.Ruling) {
	if p, v := s.lost(leaf); p != nil {
		if p.Kind == UnknownField {
			return // entered as a whole in the end
		}
		r = dropped(RefusedValue, "could not be read, and was left out")
		if v != leaf && p.Kind == RefusedField {
			r.Reason = "stands in a part that could not be read, and was left out"
		}
		if p.Kind != RefusedField {
			r.Reason = "refers to a file that is not there or cannot be read, and was left out"
			r.Code = MissingFile
		}
	}
	if rank(r) >= 5 || r.Code == discover.EmptyValue && leaf.Text() != "" {
		if len(s.l.Expand(leaf.Text()).Unset) > 0 {
			r = decision(UnsetVariable, r.Target, "which value the variable has; proposed is none")
		}
	}
	if have, ok := s.notes[leaf]; ok {
		if rank(r) > rank(have.r) {
			s.notes[leaf] = note{id, r}
		}
		return
	}
	s.notes[leaf] = note{id, r}
	s.order = append(s.order, leaf)
}

// lost gives the problem that left leaf out, and where it lies.
func (s *scope) lost(leaf *jsonpos.Value) (*Problem, *jsonpos.Value) {
	if len(s.gone) == 0 {
		return nil, nil
	}
	for v := leaf; v != nil; v = v.Parent() {
		if p, ok := s.gone[v]; ok {
			return &p, v
		}
	}
	return nil, nil
}

// text gives a leaf's text with its variables expanded, and reports what is
// wrong with them once.
func (s *scope) text(v *jsonpos.Value) string { return s.l.Expand(real(v).Text()).Text }

// variables reports variables of the file that have no value.
func (s *scope) variables() {
	seen := map[*jsonpos.Value]bool{}
	s.root.Leaves(func(leaf *jsonpos.Value) {
		if leaf.Kind() != jsonpos.String || seen[leaf] || !strings.Contains(leaf.Text(), "$") {
			return
		}
		seen[leaf] = true
		x := s.l.Expand(leaf.Text())
		for _, name := range x.Unset {
			s.report(UnsetVariable, diag.Warning, "variable "+name, leaf, "has no value in the .env file beside the definition, and no default",
				"put it into that file, or set it in the deployment; it is read as empty")
		}
		if x.Bad {
			s.report(BadTemplate, diag.Warning, "field "+leaf.Pointer(), leaf, "has a dollar that starts no variable, and is read as it stands",
				"write $$ for a plain dollar")
		}
	})
}

// finish settles what depends on the whole file, and enters all notes.
func (s *scope) finish() {
	s.variables()
	s.root.Leaves(func(leaf *jsonpos.Value) {
		if leaf.Kind() == jsonpos.Alias {
			s.alias(leaf)
		}
	})
	s.extensions(s.root)
	for v, p := range s.gone {
		if p.Kind != UnknownField {
			continue
		}
		var id estate.Name
		if p.Path[0] == "services" {
			id = s.id(p.Path[1])
		}
		s.b.NoteWhole(s.file, id, v, dropped(discover.UnknownKey, "no key that the source's schema or tranship knows; it is kept here and goes nowhere"))
	}
	for _, v := range s.order {
		n := s.notes[v]
		if s.hints[v] {
			continue // a label, which has its entry
		}
		s.b.Note(s.file, n.id, v, n.r)
	}
}

// alias enters an alias: it stands for the fields of its anchor, which have
// entries of their own.
func (s *scope) alias(v *jsonpos.Value) {
	if _, ok := s.notes[v]; ok {
		return
	}
	target := real(v)
	if target.IsLeaf() {
		if n, ok := s.notes[target]; ok {
			s.put(n.id, v, n.r)
			return
		}
	}
	var best *note
	labels := false
	s.below(target, 0, func(leaf *jsonpos.Value) {
		if n, ok := s.notes[leaf]; ok && (best == nil || rank(n.r) > rank(best.r)) {
			best = &n
		}
		labels = labels || s.hints[leaf]
	})
	switch {
	case labels && (best == nil || rank(best.r) < 5):
		s.put("", v, equivalent(Alias, "", "stands for the anchor's fields, each of which has its own entry"))
	case best == nil:
		if s.inExtension(v) {
			return
		}
		s.put("", v, informational(Alias, "stands for an anchor that says nothing that is used"))
	default:
		r := best.r
		if rank(r) == 6 {
			r.Verdict = ledger.Equivalent
		}
		r.Code, r.Reason = Alias, "stands for the anchor's fields, each of which has its own entry"
		s.put(best.id, v, r)
	}
}

func (s *scope) inExtension(v *jsonpos.Value) bool {
	for ; v != nil; v = v.Parent() {
		if strings.HasPrefix(v.Key(), "x-") {
			return true
		}
	}
	return false
}

// extensions enters the extension keys that nothing refers to, each as a whole.
func (s *scope) extensions(v *jsonpos.Value) {
	for _, e := range v.Elems() {
		if v.Kind() != jsonpos.Object || !strings.HasPrefix(e.Key(), "x-") {
			s.extensions(e)
			continue
		}
		used := false
		e.Leaves(func(leaf *jsonpos.Value) {
			_, ok := s.notes[leaf]
			used = used || ok || s.hints[leaf]
		})
		if !used {
			s.b.NoteWhole(s.file, "", e, unusedExtension)
			continue
		}
		e.Leaves(func(leaf *jsonpos.Value) {
			if _, ok := s.notes[leaf]; !ok && !s.hints[leaf] {
				s.b.Note(s.file, "", leaf, unusedExtension)
			}
		})
	}
}

// beside reads a file by its path as the definition has it. It gives the
// path in the snapshot even where there is no such file.
func (s *scope) beside(rel string) (file string, data []byte, ok bool) {
	if rel == "" || path.IsAbs(rel) || strings.HasPrefix(rel, "~") || s.fs == nil {
		return rel, nil, false
	}
	file = path.Join(path.Dir(s.file), rel)
	if !fs.ValidPath(file) {
		return rel, nil, false
	}
	st, err := fs.Stat(s.fs, file)
	if err != nil || st.IsDir() || st.Size() > maxFile {
		return file, nil, false
	}
	data, err = fs.ReadFile(s.fs, file)
	return file, data, err == nil
}

// maxFile bounds what is read of a file beside the definition.
const maxFile = 1 << 20
