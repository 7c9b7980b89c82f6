// Package mesos reads what Mesos and its neighbours tell of how things run:
// the master's state, state-summary and operator API, agents' flags and
// quotas, and Marathon's lists of tasks. It takes documents and gives hosts,
// quotas, what was seen running of each workload, and the frameworks that
// nobody else accounts for. It never makes a workload of a task: definitions
// say what shall run, and this package only what ran.
package mesos

import (
	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/discover"
)

// A Reader reads evidence. It gathers over all documents of one reading and is
// empty again when that is finished; it serves one reading at a time.
type Reader struct {
	hosts      hosts
	tasks      map[string]*task
	order      []*task
	frameworks map[string]*framework // by ID
	named      []*framework
	flags      []flagSet
	quotas     map[string]*quota
	roles      []*quota
	platform   string // version of DC/OS, if one was seen
}

// New gives a reader.
func New() *Reader {
	r := &Reader{}
	r.reset()
	return r
}

func (r *Reader) reset() {
	*r = Reader{
		hosts: hosts{byID: map[string]*host{}, byName: map[string]*host{}},
		tasks: map[string]*task{}, frameworks: map[string]*framework{}, quotas: map[string]*quota{},
	}
}

// Recognise tells evidence by its keys.
func (r *Reader) Recognise(d *discover.Document) bool { return shapeOf(d.Root) != noShape }

// Read takes what is of use out of d, with an entry for each field used. Of
// the rest each key has one entry for the whole document.
func (r *Reader) Read(d *discover.Document, b *discover.Builder) {
	s := &scan{r: r, b: b, file: d.File, used: map[*jsonpos.Value]bool{}}
	s.touch(d.Root)
	switch shapeOf(d.Root) {
	case operatorAnswer:
		s.operator(d.Root)
	case masterState:
		s.state(d.Root)
	case agentState:
		s.agentState(d.Root)
	case flagList:
		s.flags(d.Root.Get("flags"), "")
	case quotaList:
		s.quotas(d.Root)
	case roleList:
		s.roles(d.Root.Get("roles"))
	case marathonTasks:
		s.marathonTasks(d.Root.Get("tasks"))
	case platformVersion:
		s.platform(d.Root.Get("version"))
	case marathonInfo:
		s.marathonInfo(d.Root)
	}
	s.rest(d.Root)
}

// A scan is the reading of one document.
type scan struct {
	r    *Reader
	b    *discover.Builder
	file string
	// used holds the values that have an entry at or below them, so that the
	// rest can be told apart in one pass.
	used map[*jsonpos.Value]bool
}

// touch marks v as one whose keys are accounted for one by one.
func (s *scan) touch(v *jsonpos.Value) {
	for ; v != nil && !s.used[v]; v = v.Parent() {
		s.used[v] = true
	}
}

// note enters the leaf v as used.
func (s *scan) note(v *jsonpos.Value, verdict ledger.Verdict, code diag.Code, target, reason string) {
	if v == nil || !v.IsLeaf() {
		return
	}
	s.touch(v)
	s.b.Note(s.file, "", v, discover.Ruling{Verdict: verdict, Code: code, Target: target, Reason: reason})
}

// rest enters what was not used, one entry for each key. It never goes below a
// key of which nothing was used: a state of 100 MB has some hundred entries.
func (s *scan) rest(v *jsonpos.Value) {
	switch {
	case s.b.Noted(v):
	case v.IsLeaf() || !s.used[v]:
		s.b.Evidence(s.file, pattern(v), v)
	default:
		for _, e := range v.Elems() {
			s.rest(e)
		}
	}
}

// pattern gives v's pointer without the indices of arrays.
func pattern(v *jsonpos.Value) string {
	p := v.Parent()
	switch {
	case p == nil:
		return ""
	case p.Kind() == jsonpos.Array:
		return pattern(p)
	}
	return pattern(p) + "/" + jsonpos.Escape(v.Key())
}

// get gives the value under the first key that is there: answers came in
// snake_case, and by way of some libraries in camelCase.
func get(v *jsonpos.Value, keys ...string) *jsonpos.Value {
	for _, k := range keys {
		if e := v.Get(k); e != nil {
			return e
		}
		if e := v.Get(camel(k)); e != nil {
			return e
		}
	}
	return nil
}

func camel(key string) string {
	out := make([]byte, 0, len(key))
	for i := 0; i < len(key); i++ {
		if key[i] == '_' && i+1 < len(key) && i > 0 {
			i++
			c := key[i]
			if c >= 'a' && c <= 'z' {
				c -= 'a' - 'A'
			}
			out = append(out, c)
			continue
		}
		out = append(out, key[i])
	}
	return string(out)
}

// bare unwraps protobuf's messages of one field: {"value": "x"}.
func bare(v *jsonpos.Value) *jsonpos.Value {
	if e := v.Get("value"); e != nil {
		return e
	}
	return v
}

// text gives a leaf's text, empty for what is no plain value.
func text(v *jsonpos.Value) string {
	switch v.Kind() {
	case jsonpos.String, jsonpos.Number, jsonpos.Bool:
		return v.Text()
	}
	return ""
}
