package kube

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/render/manifest/naming"
	"github.com/tranship/tranship/internal/rollout/runner"
	"github.com/tranship/tranship/internal/world/kube/internal/conn"
	"github.com/tranship/tranship/internal/world/kube/internal/fault"
)

// gatewayGroup is Gateway API's.
const gatewayGroup = "gateway.networking.k8s.io"

// labelOf gives a workload's name as a label's value: readable, and never that
// of another.
func labelOf(w estate.Name) string {
	return naming.Cut(naming.DNS(string(w), naming.Label-9)+"-"+naming.Hash(string(w)), string(w), naming.Label)
}

// piece is one object to apply.
type piece struct {
	*unstructured.Unstructured
	at conn.Resource
}

func (p *piece) id() identity {
	return identity{p.GroupVersionKind().GroupKind(), p.GetNamespace(), p.GetName()}
}

type identity struct {
	kind            schema.GroupKind
	namespace, name string
}

func (i identity) String() string {
	if i.namespace == "" {
		return i.kind.Kind + " " + i.name
	}
	return i.kind.Kind + " " + i.namespace + "/" + i.name
}

// shared reports whether an object is not of one workload alone.
func (p *piece) shared() bool { return p.GetKind() == "Namespace" || p.GetLabels()[Shared] == "true" }

// pieces reads documents, finds where their objects are, and leaves out the
// routes that are not to be applied; skipped says which and why.
func (c *Cluster) pieces(ctx context.Context, documents [][]byte) (list []*piece, skipped []string, err error) {
	for _, text := range documents {
		var body map[string]any
		text, err := yaml.YAMLToJSON(text)
		if err == nil {
			err = json.Unmarshal(text, &body) // whole numbers stay whole
		}
		if err != nil {
			return nil, nil, fmt.Errorf("read object: %w: %w", runner.ErrRefused, err)
		}
		p := &piece{Unstructured: &unstructured.Unstructured{Object: body}}
		if p.GetAPIVersion() == "" || p.GetKind() == "" || p.GetName() == "" {
			return nil, nil, fmt.Errorf("read object: %w: it lacks apiVersion, kind or metadata.name", runner.ErrRefused)
		}
		kind := p.GroupVersionKind()
		route := kind.Group == gatewayGroup
		if route && c.opts.FrontDoor[p.GetNamespace()+"/"+p.GetName()] {
			skipped = append(skipped, p.id().String()+": the front door's own, whose weights are shifted")
			continue
		}
		p.at, err = c.conn.Resource(ctx, kind)
		switch {
		case errors.Is(err, conn.ErrNotInstalled) && route && !c.opts.Gateway:
			skipped = append(skipped, p.id().String()+": Gateway API is not installed, and the front door is another")
			continue
		case errors.Is(err, conn.ErrNotInstalled):
			return nil, nil, fmt.Errorf("apply %s: %w: %w: install its definition (CRD) first, or leave it out in the overlay", p.id(), runner.ErrRefused, err)
		case err != nil:
			return nil, nil, fault.Of("apply "+p.id().String(), err)
		}
		if p.at.Namespaced && p.GetNamespace() == "" {
			p.SetNamespace("default")
		}
		if kind.Kind == "Secret" {
			withoutEmptyValues(p.Object)
		}
		list = append(list, p)
	}
	return list, skipped, nil
}

// withoutEmptyValues takes keys without a value out of a Secret: they stand for
// values that somebody else puts in, and must not take their place.
func withoutEmptyValues(body map[string]any) {
	for _, field := range []string{"data", "stringData"} {
		m, _ := body[field].(map[string]any)
		for key, value := range m {
			if value == nil || value == "" {
				delete(m, key)
			}
		}
		if len(m) == 0 {
			delete(body, field)
		}
	}
}

// sign labels the workload's own objects, and gives them the hash of all.
func sign(w estate.Name, list []*piece, hash string) {
	for _, p := range list {
		if p.shared() {
			continue
		}
		labels, notes := p.GetLabels(), p.GetAnnotations()
		if labels == nil {
			labels = map[string]string{}
		}
		if notes == nil {
			notes = map[string]string{}
		}
		labels[MovedWorkload], notes[MovedWorkload], notes[Applied] = labelOf(w), string(w), hash
		p.SetLabels(labels)
		p.SetAnnotations(notes)
	}
}

func hashOf(documents [][]byte) string {
	h := sha256.New()
	for _, text := range documents {
		fmt.Fprintf(h, "%d\n", len(text))
		h.Write(text)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}
