package jsonpos

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sort"

	"github.com/tranship/tranship/internal/base/diag"
)

// maxDepth bounds nesting: no definition needs it, and a hostile file shall
// not exhaust the stack of those who walk the tree.
const maxDepth = 200

// A Problem is one thing wrong with the text itself.
type Problem struct {
	Pos  diag.Pos
	Text string
}

// A Tree is what one file holds.
type Tree struct {
	Root *Value
	// Stream is set when the file holds several values one after the other;
	// Root is then an array of them.
	Stream bool
	// End is why reading ended early, nil for a whole file. What was read up
	// to there is in Root; the values that it cuts are Broken.
	End *Problem
	// Duplicates are keys that stand twice in one object; the last counts.
	Duplicates []Problem
}

type parser struct {
	file  string
	data  []byte
	dec   *json.Decoder
	lines []int // offset of each line's first byte
	tree  Tree
	slab  []Value
	prev  int64
	texts map[string]string
}

// Parse reads the JSON values in data. It gives nil when there is none at all.
func Parse(file string, data []byte) Tree {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	p := &parser{file: file, data: data, dec: json.NewDecoder(bytes.NewReader(data)), texts: map[string]string{}}
	p.dec.UseNumber()
	p.lines = append(p.lines, 0)
	for i, c := range data {
		if c == '\n' {
			p.lines = append(p.lines, i+1)
		}
	}
	var roots []*Value
	for {
		v, err := p.value(0)
		if errors.Is(err, io.EOF) && v == nil {
			break
		}
		if v != nil {
			roots = append(roots, v)
		}
		if err != nil {
			p.fail(err)
			break
		}
	}
	switch {
	case len(roots) == 1:
		p.tree.Root = roots[0]
	case len(roots) > 1:
		p.tree.Stream = true
		p.tree.Root = New(Array, "", 1, 1)
		for _, r := range roots {
			p.tree.Root.Append(r)
		}
	}
	return p.tree
}

// errEnd is the end of input inside a value.
var errEnd = errors.New("the file ends in the middle of a value")

func (p *parser) fail(err error) {
	at := p.prev
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		at = max(syntax.Offset-1, 0)
	}
	if errors.Is(err, errEnd) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		at, err = int64(len(p.data)), errEnd
	}
	line, column := p.place(at)
	p.tree.End = &Problem{Pos: diag.Pos{File: p.file, Line: line, Column: column}, Text: err.Error()}
}

func (p *parser) place(offset int64) (line, column int) {
	i := sort.SearchInts(p.lines, int(offset)+1) - 1
	return i + 1, int(offset) - p.lines[i] + 1
}

// next reads a token and gives where it begins.
func (p *parser) next() (json.Token, int64, error) {
	at := p.dec.InputOffset()
	tok, err := p.dec.Token()
	if err != nil {
		return nil, at, err
	}
	for at < int64(len(p.data)) {
		if c := p.data[at]; c != ' ' && c != '\t' && c != '\n' && c != '\r' && c != ',' && c != ':' {
			break
		}
		at++
	}
	p.prev = at
	return tok, at, nil
}

func (p *parser) node(kind Kind, text string, at int64) *Value {
	if len(p.slab) == 0 {
		p.slab = make([]Value, 256)
	}
	v := &p.slab[0]
	p.slab = p.slab[1:]
	line, column := p.place(at)
	v.kind, v.text, v.index, v.line, v.column = kind, text, -1, int32(line), int32(column)
	return v
}

// share keeps one copy of keys and short texts, which repeat in every app.
func (p *parser) share(s string) string {
	if len(s) > 40 {
		return s
	}
	if have, ok := p.texts[s]; ok {
		return have
	}
	p.texts[s] = s
	return s
}

func (p *parser) value(depth int) (*Value, error) {
	tok, at, err := p.next()
	if err != nil {
		return nil, err
	}
	switch t := tok.(type) {
	case string:
		return p.node(String, p.share(t), at), nil
	case json.Number:
		return p.node(Number, p.share(t.String()), at), nil
	case bool:
		return p.node(Bool, fmt.Sprint(t), at), nil
	case nil:
		return p.node(Null, "", at), nil
	}
	if depth >= maxDepth {
		return nil, fmt.Errorf("values are nested more than %d deep", maxDepth)
	}
	if tok == json.Delim('[') {
		return p.array(p.node(Array, "", at), depth)
	}
	return p.object(p.node(Object, "", at), depth)
}

func cut(v *Value, err error) (*Value, error) {
	v.broken = true
	if errors.Is(err, io.EOF) {
		err = errEnd
	}
	return v, err
}

func (p *parser) array(v *Value, depth int) (*Value, error) {
	for p.dec.More() {
		e, err := p.value(depth + 1)
		if e != nil {
			v.Append(e)
		}
		if err != nil {
			return cut(v, err)
		}
	}
	if _, _, err := p.next(); err != nil {
		return cut(v, err)
	}
	return v, nil
}

func (p *parser) object(v *Value, depth int) (*Value, error) {
	seen := map[string]bool{}
	for p.dec.More() {
		tok, at, err := p.next()
		if err != nil {
			return cut(v, err)
		}
		key, ok := tok.(string)
		if !ok {
			return cut(v, errors.New("a key is not a string"))
		}
		e, err := p.value(depth + 1)
		if e != nil {
			p.member(v, p.share(key), e, at, seen)
		}
		if err != nil {
			return cut(v, err)
		}
	}
	if _, _, err := p.next(); err != nil {
		return cut(v, err)
	}
	return v, nil
}

// member adds e to v. Only a key seen before costs a search.
func (p *parser) member(v *Value, key string, e *Value, at int64, seen map[string]bool) {
	line, column := p.place(at)
	if seen[key] {
		v.Set(key, e, line, column)
		p.tree.Duplicates = append(p.tree.Duplicates, Problem{
			Pos: diag.Pos{File: p.file, Line: line, Column: column}, Text: key,
		})
		return
	}
	seen[key] = true
	e.parent, e.key, e.index, e.keyPos = v, key, -1, [2]int32{int32(line), int32(column)}
	v.elems = append(v.elems, e)
}
