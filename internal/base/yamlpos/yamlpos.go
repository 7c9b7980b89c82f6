// Package yamlpos reads YAML into the same tree that package jsonpos reads
// JSON into. It takes the bytes of one file and gives one tree a document.
// It never resolves an alias, a merge key or a variable: a field is reported
// where a person wrote it.
package yamlpos

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"

	"gopkg.in/yaml.v3"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/jsonpos"
)

const maxDepth = 200

// A Problem is why reading ended early.
type Problem = jsonpos.Problem

// Parse gives the documents of data. After a problem those read before it stand.
func Parse(file string, data []byte) ([]*jsonpos.Value, *Problem) {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var docs []*jsonpos.Value
	for {
		var n yaml.Node
		err := decode(dec, &n)
		if errors.Is(err, io.EOF) {
			return docs, nil
		}
		if err != nil {
			return docs, problem(file, err)
		}
		t := tree{nodes: map[*yaml.Node]*jsonpos.Value{}}
		v, err := t.value(&n, 0)
		if err != nil {
			return docs, problem(file, err)
		}
		if v != nil {
			docs = append(docs, v)
		}
	}
}

// decode turns the panic that yaml.v3 has for some malformed input into an error.
func decode(dec *yaml.Decoder, n *yaml.Node) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("yaml: %v", r)
		}
	}()
	return dec.Decode(n)
}

var lineOf = regexp.MustCompile(`line (\d+)`)

func problem(file string, err error) *Problem {
	p := &Problem{Pos: diag.Pos{File: file, Line: 1, Column: 1}, Text: err.Error()}
	if m := lineOf.FindStringSubmatch(err.Error()); m != nil {
		p.Pos.Line, _ = strconv.Atoi(m[1])
	}
	return p
}

type tree struct {
	nodes map[*yaml.Node]*jsonpos.Value
}

func (t *tree) value(n *yaml.Node, depth int) (*jsonpos.Value, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("line %d: values are nested more than %d deep", n.Line, maxDepth)
	}
	if n.Kind == yaml.DocumentNode {
		if len(n.Content) == 0 {
			return nil, nil
		}
		return t.value(n.Content[0], depth)
	}
	v := jsonpos.New(kind(n), n.Value, n.Line, n.Column)
	t.nodes[n] = v
	switch n.Kind {
	case yaml.AliasNode:
		v.Point(t.nodes[n.Alias])
	case yaml.SequenceNode:
		for _, c := range n.Content {
			e, err := t.value(c, depth+1)
			if err != nil {
				return nil, err
			}
			v.Append(e)
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			k := n.Content[i]
			e, err := t.value(n.Content[i+1], depth+1)
			if err != nil {
				return nil, err
			}
			key := k.Value
			if k.Kind == yaml.AliasNode && k.Alias != nil {
				key = k.Alias.Value
			}
			v.Set(key, e, k.Line, k.Column)
		}
	}
	return v, nil
}

func kind(n *yaml.Node) jsonpos.Kind {
	switch n.Kind {
	case yaml.MappingNode:
		return jsonpos.Object
	case yaml.SequenceNode:
		return jsonpos.Array
	case yaml.AliasNode:
		return jsonpos.Alias
	}
	switch n.ShortTag() {
	case "!!null":
		return jsonpos.Null
	case "!!bool":
		return jsonpos.Bool
	case "!!int", "!!float":
		return jsonpos.Number
	}
	return jsonpos.String
}
