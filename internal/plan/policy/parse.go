package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"sigs.k8s.io/yaml"

	"github.com/tranship/tranship/docs/schema"
	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/yamlpos"
)

// Parse reads tranship.yaml. All findings are given at once; a file with
// errors gives the default policy, since half an answer is none.
func Parse(file string, data []byte) (Policy, diag.List) {
	docs, problem := yamlpos.Parse(file, data)
	if problem != nil {
		return Default(), diag.List{{
			Code: BrokenFile, Severity: diag.Error, Pos: problem.Pos, Subject: "policy", Problem: problem.Text,
			Hint: "it is YAML; tranship init writes a file to begin with",
		}}
	}
	if len(docs) != 1 || docs[0].Kind() != jsonpos.Object {
		return Default(), diag.List{{
			Code: BrokenFile, Severity: diag.Error, Pos: diag.Pos{File: file, Line: 1, Column: 1}, Subject: "policy",
			Problem: fmt.Sprintf("holds %d documents, not one object", len(docs)),
			Hint:    "it begins with apiVersion: " + APIVersion + " and kind: " + Kind,
		}}
	}
	if list := check(file, data, docs[0]); list.HasErrors() {
		return Default(), list
	}
	p := Default()
	if err := yaml.UnmarshalStrict(data, &p); err != nil {
		return Default(), diag.List{{
			Code: WrongValue, Severity: diag.Error, Pos: diag.Pos{File: file, Line: 1, Column: 1}, Subject: "policy",
			Problem: err.Error(), Hint: "tranship explain spec shows every field",
		}}
	}
	return p, nil
}

func check(file string, data []byte, root *jsonpos.Value) diag.List {
	compiled, err := compile()
	if err != nil {
		return diag.List{{Code: BrokenFile, Severity: diag.Error, Subject: "schema", Problem: err.Error(), Hint: "report this as a fault of tranship"}}
	}
	text, err := yaml.YAMLToJSONStrict(data)
	if err != nil {
		return diag.List{{
			Code: BrokenFile, Severity: diag.Error, Pos: diag.Pos{File: file, Line: 1, Column: 1}, Subject: "policy",
			Problem: err.Error(), Hint: "a key may stand once only",
		}}
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return diag.List{{Code: BrokenFile, Severity: diag.Error, Subject: "policy", Problem: err.Error(), Hint: "it is YAML"}}
	}
	var bad *jsonschema.ValidationError
	if !errors.As(compiled.Validate(value), &bad) {
		return nil
	}
	c := findings{file: file, root: root}
	c.gather(bad)
	c.list.Sort()
	return c.list
}

func compile() (*jsonschema.Schema, error) {
	data, err := schema.FS.ReadFile("migration.schema.json")
	if err != nil {
		return nil, err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("migration.schema.json", doc); err != nil {
		return nil, err
	}
	return c.Compile("migration.schema.json")
}

type findings struct {
	file string
	root *jsonpos.Value
	list diag.List
}

func (f *findings) gather(e *jsonschema.ValidationError) {
	for _, c := range e.Causes {
		f.gather(c)
	}
	if len(e.Causes) > 0 {
		return
	}
	path := e.InstanceLocation
	at := f.find(path)
	subject := "field " + strings.Join(path, ".")
	switch k := e.ErrorKind.(type) {
	case *kind.AdditionalProperties:
		for _, name := range k.Properties {
			f.add(UnknownField, at.Get(name), "field "+strings.Join(append(slices.Clone(path), name), "."),
				"is no field of tranship.yaml", "tranship explain "+strings.Join(path, ".")+" shows the fields there")
		}
	case *kind.Enum:
		var want []string
		for _, w := range k.Want {
			want = append(want, fmt.Sprint(w))
		}
		f.add(WrongValue, at, subject, fmt.Sprintf("is %q", at.Text()), "it is one of: "+strings.Join(want, ", "))
	case *kind.Required:
		f.add(WrongValue, at, subject, "lacks "+strings.Join(k.Missing, ", "), "add it; tranship explain "+strings.Join(path, ".")+" says what it is")
	case *kind.Type:
		f.add(WrongValue, at, subject, "is "+k.Got+", not "+strings.Join(k.Want, " or "), "tranship explain "+strings.Join(path, ".")+" says what it is")
	default:
		f.add(WrongValue, at, subject, "has a value that is not allowed", "tranship explain "+strings.Join(path, ".")+" says what is")
	}
}

func (f *findings) find(path []string) *jsonpos.Value {
	v := f.root
	for _, seg := range path {
		v = v.Lookup("/" + jsonpos.Escape(seg))
	}
	return v
}

func (f *findings) add(code diag.Code, at *jsonpos.Value, subject, problem, hint string) {
	f.list = append(f.list, diag.Diagnostic{
		Code: code, Severity: diag.Error, Pos: at.Pos(f.file), Subject: strings.TrimSpace(subject), Problem: problem, Hint: hint,
	})
}

// A Field is what explain says of one field.
type Field struct {
	Path        string   `json:"path"`
	Type        string   `json:"type"`
	Description string   `json:"description"`
	Values      []string `json:"values,omitempty"`
	Fields      []Field  `json:"fields,omitempty"`
}

type node struct {
	Ref                  string           `json:"$ref"`
	Defs                 map[string]*node `json:"$defs"`
	Type                 string           `json:"type"`
	Description          string           `json:"description"`
	Enum                 []any            `json:"enum"`
	Properties           map[string]*node `json:"properties"`
	Items                *node            `json:"items"`
	AdditionalProperties json.RawMessage  `json:"additionalProperties"`
}

// Explain describes the field at a dotted path, "" being the whole file, and
// the fields below it. A segment below a map is any key.
func Explain(path string) (Field, error) {
	data, err := schema.FS.ReadFile("migration.schema.json")
	if err != nil {
		return Field{}, fmt.Errorf("read the schema: %w", err)
	}
	var root node
	if err := json.Unmarshal(data, &root); err != nil {
		return Field{}, fmt.Errorf("read the schema: %w", err)
	}
	at := &root
	done := ""
	for seg := range strings.SplitSeq(path, ".") {
		if seg == "" {
			continue
		}
		next := root.child(at, seg)
		if next == nil {
			return Field{}, fmt.Errorf("%q has no field %q; its fields are: %s", done, seg, strings.Join(root.names(at), ", "))
		}
		at, done = next, strings.TrimPrefix(done+"."+seg, ".")
	}
	f := root.field(path, at)
	for _, name := range root.names(at) {
		f.Fields = append(f.Fields, root.field(name, root.child(at, name)))
	}
	return f, nil
}

func (root *node) resolve(n *node) *node {
	if name, ok := strings.CutPrefix(n.Ref, "#/$defs/"); ok {
		if d := root.Defs[name]; d != nil {
			return d
		}
	}
	return n
}

func (root *node) child(n *node, seg string) *node {
	n = root.resolve(n)
	if n.Items != nil {
		n = root.resolve(n.Items)
	}
	if c := n.Properties[seg]; c != nil {
		return c
	}
	var any node
	if len(n.AdditionalProperties) > 1 && n.AdditionalProperties[0] == '{' && json.Unmarshal(n.AdditionalProperties, &any) == nil {
		return &any
	}
	return nil
}

func (root *node) names(n *node) []string {
	n = root.resolve(n)
	if n.Items != nil {
		n = root.resolve(n.Items)
	}
	if len(n.Properties) == 0 && len(n.AdditionalProperties) > 1 && n.AdditionalProperties[0] == '{' {
		return []string{"<key>"}
	}
	var out []string
	for name := range n.Properties {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

func (root *node) field(path string, n *node) Field {
	d := root.resolve(n)
	f := Field{Path: path, Type: d.Type, Description: n.Description}
	if f.Description == "" {
		f.Description = d.Description
	}
	for _, v := range d.Enum {
		f.Values = append(f.Values, fmt.Sprint(v))
	}
	return f
}
