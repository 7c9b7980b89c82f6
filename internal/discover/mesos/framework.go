package mesos

import (
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/estate"
)

// A framework is a scheduler that was registered.
type framework struct {
	id, name string
	role     string
	active   bool
	counted  int // running tasks by the summary's count
	origin   estate.Origin
	pos      diag.Pos
	leaves   []*jsonpos.Value
}

// framework reads one registered scheduler. info holds its description and
// around its state; in the master's state they are one object.
func (s *scan) framework(info, around *jsonpos.Value) *framework {
	s.touch(info)
	id, name := bare(get(info, "id")), get(info, "name")
	if text(id) == "" && text(name) == "" {
		return nil
	}
	key := text(id)
	if key == "" {
		key = "name:" + text(name)
	}
	f := s.r.frameworks[key]
	if f == nil {
		f = &framework{
			id: text(id), active: true, pos: info.Pos(s.file),
			origin: estate.Origin{File: s.file, Pointer: around.Pointer()},
		}
		s.r.frameworks[key] = f
		s.r.named = append(s.r.named, f)
	}
	s.of(f, id)
	if text(name) != "" {
		f.name = text(name)
		s.of(f, name)
	}
	if a := get(around, "active"); a.Kind() == jsonpos.Bool {
		f.active = a.Text() == "true"
		s.of(f, a)
	}
	if role := get(info, "role"); text(role) != "" {
		f.role = text(role)
		s.of(f, role)
	} else if roles := get(info, "roles").Elems(); len(roles) > 0 && f.role == "" {
		f.role = text(roles[0])
		s.of(f, roles[0])
	}
	if n, ok := parse(text(around.Get("TASK_RUNNING"))); ok && n < 1e9 {
		f.counted = int(n)
		s.of(f, around.Get("TASK_RUNNING"))
	}
	return f
}

func (s *scan) of(f *framework, v *jsonpos.Value) {
	s.note(v, ledger.Decision, FrameworkSeen, "", "tells whose tasks were running")
	if v != nil {
		f.leaves = append(f.leaves, v)
	}
}

// ours reports whether the framework's tasks come from definitions that other
// readers read: Marathon, whatever number of them, and Metronome.
func (f *framework) ours() bool {
	n := strings.ToLower(f.name)
	return n == "metronome" || n == "marathon" || strings.HasPrefix(n, "marathon-") || strings.HasSuffix(n, "/marathon") ||
		strings.HasSuffix(n, "-marathon")
}

// workloadID gives a framework without a definition an ID that no app can
// have, since no app's path has an upper-case letter or a colon.
func (f *framework) workloadID() estate.Name {
	return estate.Name("/framework:" + strings.Trim(f.name, "/"))
}
