// Package jsonpos reads JSON into a tree of values that know where they stand:
// line, column and JSON pointer. It takes the bytes of one file and gives the
// tree, or as much of it as could be read together with the reason why it ends.
// It never interprets a value, and it never panics, whatever the bytes are.
package jsonpos

import (
	"strconv"
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
)

// Kind says what a value is.
type Kind uint8

// The kinds of value. Alias is met in YAML only: a value that stands elsewhere.
const (
	Null Kind = iota
	Bool
	Number
	String
	Array
	Object
	Alias
)

// String gives the kind as a user knows it.
func (k Kind) String() string {
	return [...]string{"null", "a boolean", "a number", "a string", "an array", "an object", "an alias"}[k]
}

// A Value is one JSON value and its place. The zero methods of a nil *Value
// answer as an absent key does, so that readers need not ask twice.
type Value struct {
	parent *Value
	target *Value // of an alias
	text   string // a string's value, a number's literal, "true" or "false"
	key    string // in an object
	elems  []*Value
	index  int32 // in an array, -1 in an object
	line   int32
	column int32
	keyPos [2]int32
	kind   Kind
	broken bool
}

// Kind gives the kind; a nil value is Null.
func (v *Value) Kind() Kind {
	if v == nil {
		return Null
	}
	return v.kind
}

// IsNull reports whether the value is absent or null: definitions in the
// field write null for any optional key.
func (v *Value) IsNull() bool { return v == nil || v.kind == Null }

// Broken reports whether the input ended inside this value.
func (v *Value) Broken() bool { return v != nil && v.broken }

// Text gives a string's value, a number's literal, "true" or "false".
func (v *Value) Text() string {
	if v == nil {
		return ""
	}
	return v.text
}

// Elems gives the elements of an array or the values of an object, in order.
func (v *Value) Elems() []*Value {
	if v == nil {
		return nil
	}
	return v.elems
}

// Key gives the key under which the value stands in its object.
func (v *Value) Key() string { return v.key }

// Parent gives the object or array that holds the value, nil at the root.
func (v *Value) Parent() *Value { return v.parent }

// Target gives the value that an alias stands for.
func (v *Value) Target() *Value { return v.target }

// Get gives the value under key, nil if there is none. Of a key that stands
// twice the parser has kept the last, as Marathon does.
func (v *Value) Get(key string) *Value {
	if v == nil || v.kind != Object {
		return nil
	}
	for i := len(v.elems) - 1; i >= 0; i-- {
		if v.elems[i].key == key {
			return v.elems[i]
		}
	}
	return nil
}

// Has reports whether key is there, null or not.
func (v *Value) Has(key string) bool { return v.Get(key) != nil }

// At follows keys down from v; nil as soon as one is missing.
func (v *Value) At(keys ...string) *Value {
	for _, k := range keys {
		v = v.Get(k)
	}
	return v
}

// IsLeaf reports whether v is a leaf of the field ledger: a string, number,
// boolean, null, {} or [].
func (v *Value) IsLeaf() bool {
	return v != nil && (v.kind != Array && v.kind != Object || len(v.elems) == 0)
}

// Leaves calls f for every leaf below v, v itself included, in input order.
func (v *Value) Leaves(f func(*Value)) {
	if v == nil {
		return
	}
	if v.IsLeaf() {
		f(v)
		return
	}
	for _, e := range v.elems {
		e.Leaves(f)
	}
}

// Line gives the line on which the value begins, from 1.
func (v *Value) Line() int { return int(v.line) }

// Column gives the column at which the value begins, in bytes from 1.
func (v *Value) Column() int { return int(v.column) }

// Pos gives the value's place in file.
func (v *Value) Pos(file string) diag.Pos {
	if v == nil {
		return diag.Pos{File: file}
	}
	return diag.Pos{File: file, Line: int(v.line), Column: int(v.column)}
}

// Pointer gives the value's JSON pointer (RFC 6901), empty at the root.
func (v *Value) Pointer() string {
	if v == nil {
		return ""
	}
	var b strings.Builder
	v.pointer(&b)
	return b.String()
}

func (v *Value) pointer(b *strings.Builder) {
	if v.parent == nil {
		return
	}
	v.parent.pointer(b)
	b.WriteByte('/')
	if v.index >= 0 {
		b.WriteString(strconv.Itoa(int(v.index)))
		return
	}
	b.WriteString(Escape(v.key))
}

// Escape writes key as one segment of a JSON pointer.
func Escape(key string) string {
	if strings.ContainsAny(key, "~/") {
		return strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
	}
	return key
}

// Lookup follows a JSON pointer down from v, nil if it leads nowhere.
func (v *Value) Lookup(pointer string) *Value {
	for v != nil && pointer != "" {
		rest, ok := strings.CutPrefix(pointer, "/")
		if !ok {
			return nil
		}
		seg, tail, more := strings.Cut(rest, "/")
		pointer = ""
		if more {
			pointer = "/" + tail
		}
		if v.kind == Array {
			i, err := strconv.Atoi(seg)
			if err != nil || i < 0 || i >= len(v.elems) {
				return nil
			}
			v = v.elems[i]
			continue
		}
		v = v.Get(strings.NewReplacer("~1", "/", "~0", "~").Replace(seg))
	}
	return v
}
