package judge

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// Object is one thing to be submitted.
type Object struct {
	File string // where it stands, below the tree's root
	Set  string // objects of one set would be applied together: the folder of its kustomization, or empty
	Body *unstructured.Unstructured
}

// Ref is how a message names the object.
func (o Object) Ref() string {
	name := o.Body.GetName()
	if ns := o.Body.GetNamespace(); ns != "" {
		name = ns + "/" + name
	}
	return o.Body.GetKind() + " " + name
}

// Refusal is an object that is not taken, or a file whose objects cannot even be read.
type Refusal struct {
	File    string `json:"file"`
	Object  string `json:"object"`
	Message string `json:"message"`
}

// decode reads every document of a file. Documents without apiVersion and kind are no objects and are passed over; a key
// that stands twice is refused, as kubectl refuses it.
func decode(text []byte) ([]*unstructured.Unstructured, error) {
	var list []*unstructured.Unstructured
	r := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
	for {
		doc, err := r.Read()
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return list, fmt.Errorf("read document: %w", err)
		}
		loose, err := yaml.YAMLToJSON(doc)
		if err != nil {
			return list, fmt.Errorf("read document: %w", err)
		}
		var head struct{ APIVersion, Kind any }
		if json.Unmarshal(loose, &head) != nil || head.APIVersion == nil || head.Kind == nil {
			continue
		}
		strict, err := yaml.YAMLToJSONStrict(doc)
		if err != nil {
			return list, fmt.Errorf("read document: %w", err)
		}
		u := &unstructured.Unstructured{}
		if err := u.UnmarshalJSON(strict); err != nil {
			return list, fmt.Errorf("read document: %w", err)
		}
		if !u.IsList() {
			list = append(list, u)
			continue
		}
		err = u.EachListItem(func(item runtime.Object) error {
			if i, ok := item.(*unstructured.Unstructured); ok {
				list = append(list, i)
			}
			return nil
		})
		if err != nil {
			return list, fmt.Errorf("read list: %w", err)
		}
	}
}
