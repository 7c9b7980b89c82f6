package jsonpos

import "slices"

// New makes a value for a tree that another parser reads (package yamlpos).
// Line and column count from 1.
func New(kind Kind, text string, line, column int) *Value {
	return &Value{kind: kind, text: text, line: int32(line), column: int32(column), index: -1}
}

// Append adds e as the last element of array v.
func (v *Value) Append(e *Value) {
	e.parent, e.index = v, int32(len(v.elems))
	v.elems = append(v.elems, e)
}

// Set adds e under key to object v and reports whether the key was there
// before: the last one counts, the earlier one is gone.
func (v *Value) Set(key string, e *Value, line, column int) (replaced bool) {
	e.parent, e.key, e.index = v, key, -1
	e.keyPos = [2]int32{int32(line), int32(column)}
	if old := v.Get(key); old != nil {
		for i, x := range v.elems {
			if x == old {
				v.elems = append(v.elems[:i:i], v.elems[i+1:]...)
				break
			}
		}
		replaced = true
	}
	v.elems = append(v.elems, e)
	return replaced
}

// Point makes v an alias of target.
func (v *Value) Point(target *Value) { v.kind, v.target = Alias, target }

// Whole takes what the end of the input cuts out of v, and reports whether v
// still stands: a list loses its last element, an object falls as a whole,
// unless what is cut is a list under one of the given keys.
func (v *Value) Whole(lists ...string) bool {
	if !v.Broken() {
		return true
	}
	if len(v.elems) == 0 {
		return v.kind == Array
	}
	last := v.elems[len(v.elems)-1]
	switch {
	case v.kind == Array && !last.Whole(lists...):
		v.elems = v.elems[:len(v.elems)-1]
	case v.kind == Object && (last.kind != Array || !slices.Contains(lists, last.key) || !last.Whole(lists...)):
		return false
	}
	return true
}
