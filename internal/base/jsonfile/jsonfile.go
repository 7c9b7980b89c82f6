// Package jsonfile writes and reads the large JSON files that one stage hands
// to the next, element by element, and gives their canonical form. It takes
// values that encoding/json can write. It never holds a whole file in memory.
//
// Canonical JSON, here, is what RFC 8785 asks for of the values that these
// files hold: keys sorted, no white space, characters unescaped where JSON
// allows it, numbers as encoding/json writes them.
package jsonfile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
)

// Streams are the large arrays of a value by their path ("/estate/workloads"):
// they are written in place of what the value itself has there.
type Streams map[string]iter.Seq[any]

// Elements makes a stream of a slice.
func Elements[T any](s []T) iter.Seq[any] {
	return func(yield func(any) bool) {
		for i := range s {
			if !yield(&s[i]) {
				return
			}
		}
	}
}

// Canonical writes v in canonical form.
func Canonical(w io.Writer, v any, s Streams) error { return write(w, v, s, false) }

// Write writes the same JSON with line breaks between members at the top and
// between the elements of streams, so that people and diff can read it.
func Write(w io.Writer, v any, s Streams) error { return write(w, v, s, true) }

func write(w io.Writer, v any, s Streams, breaks bool) error {
	data, err := marshal(v)
	if err != nil {
		return err
	}
	tree, err := decode(data)
	if err != nil {
		return err
	}
	p := printer{w: w, streams: s, breaks: breaks}
	p.value(tree, "")
	if breaks {
		p.text("\n")
	}
	return p.err
}

type printer struct {
	w       io.Writer
	streams Streams
	breaks  bool
	err     error
}

func (p *printer) text(s string) {
	if p.err == nil {
		_, p.err = io.WriteString(p.w, s)
	}
}

func (p *printer) newline(depth int) {
	if p.breaks && depth < 2 {
		p.text("\n")
	}
}

func depth(path string) int {
	n := 0
	for _, c := range path {
		if c == '/' {
			n++
		}
	}
	return n
}

func (p *printer) value(v any, path string) {
	if s, ok := p.streams[path]; ok {
		p.stream(s)
		return
	}
	switch t := v.(type) {
	case map[string]any:
		p.text("{")
		for i, k := range slices.Sorted(maps.Keys(t)) {
			if i > 0 {
				p.text(",")
			}
			p.newline(depth(path))
			p.scalar(k)
			p.text(":")
			p.value(t[k], path+"/"+k)
		}
		p.newline(depth(path))
		p.text("}")
	case []any:
		p.text("[")
		for i, e := range t {
			if i > 0 {
				p.text(",")
			}
			p.newline(depth(path))
			p.value(e, path+"/-")
		}
		p.text("]")
	default:
		p.scalar(v)
	}
}

func (p *printer) stream(s iter.Seq[any]) {
	p.text("[")
	first := true
	for e := range s {
		if !first {
			p.text(",")
		}
		if p.breaks {
			p.text("\n")
		}
		first = false
		data, err := marshal(e)
		if err == nil {
			data, err = sorted(data)
			p.text(string(data))
		}
		if p.err == nil {
			p.err = err
		}
		if p.err != nil {
			return
		}
	}
	p.text("]")
}

// sorted gives the same JSON with the keys of all objects sorted.
func sorted(data []byte) ([]byte, error) {
	tree, err := decode(data)
	if err != nil {
		return nil, err
	}
	return marshal(tree)
}

func decode(data []byte) (tree any, err error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	err = dec.Decode(&tree)
	return tree, err
}

func (p *printer) scalar(v any) {
	data, err := marshal(v)
	if p.err == nil {
		p.err = err
	}
	p.text(string(data))
}

// marshal is json.Marshal without the escapes that only HTML needs.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return unescape(bytes.TrimSuffix(b.Bytes(), []byte("\n"))), nil
}

// unescape puts U+2028 and U+2029, which encoding/json always escapes, as they are.
func unescape(data []byte) []byte {
	if !bytes.Contains(data, []byte(`\u202`)) {
		return data
	}
	out := make([]byte, 0, len(data))
	for i := 0; i < len(data); i++ {
		if data[i] != '\\' {
			out = append(out, data[i])
			continue
		}
		switch {
		case bytes.HasPrefix(data[i:], []byte(`\u2028`)):
			out, i = append(out, "\u2028"...), i+5
		case bytes.HasPrefix(data[i:], []byte(`\u2029`)):
			out, i = append(out, "\u2029"...), i+5
		default:
			out = append(out, data[i], data[i+1])
			i++
		}
	}
	return out
}

// Object calls f for each member of the object that dec is about to read; f
// must read the value.
func Object(dec *json.Decoder, f func(key string) error) error {
	if err := expect(dec, json.Delim('{')); err != nil {
		return err
	}
	for dec.More() {
		tok, err := dec.Token()
		if err != nil {
			return err
		}
		key, _ := tok.(string)
		if err := f(key); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	_, err := dec.Token()
	return err
}

func expect(dec *json.Decoder, want json.Delim) error {
	tok, err := dec.Token()
	if err != nil {
		return err
	}
	if tok != want {
		return fmt.Errorf("offset %d: %v is no %v", dec.InputOffset(), tok, want)
	}
	return nil
}

// Slice reads an array into a slice, element by element. null leaves it nil,
// an empty array makes it empty, so that it is written as it was read.
func Slice[T any](dec *json.Decoder, into *[]T) error {
	tok, err := dec.Token()
	if err != nil || tok == nil {
		return err
	}
	if tok != json.Delim('[') {
		return fmt.Errorf("offset %d: %v is no array", dec.InputOffset(), tok)
	}
	*into = []T{}
	for dec.More() {
		var e T
		if err := dec.Decode(&e); err != nil {
			return err
		}
		*into = append(*into, e)
	}
	_, err = dec.Token()
	return err
}
