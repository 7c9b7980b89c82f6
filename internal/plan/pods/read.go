package pods

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/jsonpos"
)

// Bounds of what is read: beyond them nothing real is meant.
const (
	maxReplicas = 1_000_000
	maxSize     = 1 << 40
)

// Read reads pods. What is wrong is left out and said; the rest is given.
func Read(file string, data []byte) (Set, diag.List) {
	r := reader{file: file, names: map[string]bool{}}
	tree := jsonpos.Parse(file, data)
	if tree.End != nil {
		r.say(NotPods, diag.Error, tree.End.Pos, "file", "cannot be read further: "+strings.ReplaceAll(tree.End.Text, "\n", " "), `write {"pods": [...]}`)
	}
	for _, d := range tree.Duplicates {
		r.say(KeyTwice, diag.Warning, d.Pos, "key "+d.Text, "stands twice", "the last one counts")
	}
	switch {
	case tree.Root.Kind() != jsonpos.Object:
		if tree.End == nil {
			r.say(NotPods, diag.Error, tree.Root.Pos(file), "file", "is "+tree.Root.Kind().String()+", not an object", `write {"pods": [...]}`)
		}
	default:
		r.root(tree.Root)
	}
	r.diags.Sort()
	return r.set, r.diags
}

type reader struct {
	file  string
	set   Set
	names map[string]bool
	diags diag.List
}

func (r *reader) say(code diag.Code, severity diag.Severity, at diag.Pos, subject, problem, hint string) {
	r.diags = append(r.diags, diag.Diagnostic{Code: code, Severity: severity, Pos: at, Subject: subject, Problem: problem, Hint: hint})
}

func (r *reader) unknown(v *jsonpos.Value, subject string) {
	r.say(UnknownField, diag.Warning, v.Pos(r.file), subject, "has the field "+v.Key()+", which is not known", "it is left out")
}

func (r *reader) root(root *jsonpos.Value) {
	if !root.Has("pods") && !root.Broken() {
		r.say(NotPods, diag.Error, root.Pos(r.file), "file", `has no "pods"`, `write {"pods": [...]}`)
	}
	for _, v := range root.Elems() {
		switch v.Key() {
		case "pods":
			if v.Kind() != jsonpos.Array {
				r.say(NotPods, diag.Error, v.Pos(r.file), "pods", "is "+v.Kind().String()+", not an array", `write {"pods": [...]}`)
				continue
			}
			for _, e := range v.Elems() {
				if !e.Broken() {
					r.pod(e)
				}
			}
		case "daemonset":
			if v.Kind() == jsonpos.Object && !v.Broken() {
				r.daemonset(v)
			} else if !v.Broken() && !v.IsNull() {
				r.say(NotPods, diag.Error, v.Pos(r.file), "daemonset", "is "+v.Kind().String()+", not an object", "")
			}
		default:
			r.unknown(v, "file")
		}
	}
}

func (r *reader) pod(v *jsonpos.Value) {
	at := v.Pos(r.file)
	if v.Kind() != jsonpos.Object {
		r.say(NotPods, diag.Error, at, "pod", "is "+v.Kind().String()+", not an object", "it is left out")
		return
	}
	p := Pod{Replicas: 1, line: at.Line, column: at.Column}
	if n := v.Get("name"); n.Kind() == jsonpos.String {
		p.Name = n.Text()
	}
	if p.Name == "" {
		r.say(NoName, diag.Error, at, "pod", "has no name", "it is left out")
		return
	}
	subject := "pod " + p.Name
	ok := true
	for _, f := range v.Elems() {
		switch f.Key() {
		case "name":
		case "replicas":
			var n int64
			ok = r.number(f, subject, &n, maxReplicas) && ok
			if !f.IsNull() {
				p.Replicas = int(n)
			}
		case "maxPerNode":
			var n int64
			ok = r.number(f, subject, &n, maxReplicas) && ok
			p.MaxPerNode = int(n)
		case "cpuMilli":
			ok = r.number(f, subject, &p.CPUMilli, maxSize) && ok
		case "memMiB":
			ok = r.number(f, subject, &p.MemMiB, maxSize) && ok
		case "ephemeralMiB":
			ok = r.number(f, subject, &p.EphemeralMiB, maxSize) && ok
		case "gpu":
			ok = r.number(f, subject, &p.GPU, maxSize) && ok
		default:
			r.unknown(f, subject)
		}
	}
	if r.names[p.Name] {
		r.say(NameTwice, diag.Error, v.Get("name").Pos(r.file), subject, "stands twice", "these are left out; give them another name or add the replicas")
		return
	}
	r.names[p.Name] = true
	if ok {
		r.set.Pods = append(r.set.Pods, p)
	}
}

func (r *reader) daemonset(v *jsonpos.Value) {
	for _, f := range v.Elems() {
		switch f.Key() {
		case "cpuMilli":
			r.number(f, "daemonset", &r.set.Daemonset.CPUMilli, maxSize)
		case "memMiB":
			r.number(f, "daemonset", &r.set.Daemonset.MemMiB, maxSize)
		case "pods":
			r.number(f, "daemonset", &r.set.Daemonset.Pods, maxSize)
		default:
			r.unknown(f, "daemonset")
		}
	}
}

// number reads a number from 0 to most, rounded up, and reports whether it is one.
func (r *reader) number(v *jsonpos.Value, subject string, into *int64, most int64) bool {
	if v.IsNull() {
		return true
	}
	problem := v.Kind().String() + ", not a number"
	if v.Kind() == jsonpos.Number {
		n, err := strconv.ParseInt(v.Text(), 10, 64)
		f, wide := strconv.ParseFloat(v.Text(), 64)
		switch {
		case err == nil && n >= 0 && n <= most:
			*into = n
			return true
		case wide == nil && f >= 0 && f <= float64(most):
			*into = int64(math.Ceil(f))
			return true
		case f < 0:
			problem = v.Text() + ", below zero"
		default:
			problem = fmt.Sprintf("%s, more than %d", v.Text(), most)
		}
	}
	r.say(BadNumber, diag.Error, v.Pos(r.file), subject, v.Key()+" is "+problem, "it is left out")
	return false
}
