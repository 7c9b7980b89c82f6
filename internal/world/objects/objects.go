// Package objects gives each workload's objects, ready to be applied. It takes
// a plan and, where there is one, a folder of manifests that people may have
// edited, and gives YAML documents by workload. It never changes a file, never
// runs a plugin, and never gives one workload what is another's alone.
package objects

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/render"
	"github.com/tranship/tranship/internal/render/manifest"
	"github.com/tranship/tranship/internal/render/manifest/cluster"
)

// Shared is the label of objects that several workloads need: they are not
// taken away with one of them.
const Shared = "tranship.dev/shared"

// A Set is all objects of a plan, by workload.
type Set struct {
	by map[estate.Name][]*object
	// lacks says why a workload cannot be applied.
	lacks map[estate.Name]error
}

// New renders the plan once. A folder, if given, is a Kustomize overlay from
// which the objects' content is taken; which workload they belong to is known
// from the plan. What the folder has beside the plan goes with the workload
// whose name label it has, or else with all workloads of its namespace.
// Kustomize takes time that grows with the square of what it builds, minutes
// for thousands of objects, so a folder in which nothing was edited is not built.
func New(p *plan.Plan, opts render.Options, folder string) (*Set, error) {
	opts.Only = nil
	c, _ := cluster.New(p, opts)
	owner := map[string]estate.Name{}
	for i := range p.Estate.Workloads {
		w := &p.Estate.Workloads[i]
		if c.Renders(w) {
			place := c.Place(w.ID)
			owner[path.Join(manifest.Base, place.Namespace, place.Name)] = w.ID
		}
	}
	var all []*object
	files := map[string][]byte{}
	_, _, err := manifest.Render(p, opts, func(f render.File) error {
		files[f.Path] = f.Data
		if !strings.HasPrefix(f.Path, manifest.Base+"/") || path.Base(f.Path) == "kustomization.yaml" {
			return nil
		}
		o, err := parse(f.Data)
		if err != nil {
			return fmt.Errorf("read rendered %s: %w", f.Path, err)
		}
		o.owner = owner[path.Dir(f.Path)]
		all = append(all, o)
		return nil
	})
	if err != nil {
		return nil, err
	}
	s := &Set{by: map[estate.Name][]*object{}, lacks: map[estate.Name]error{}}
	if folder != "" && !untouched(folder, files) {
		if all, err = s.edited(all, folder, owner); err != nil {
			return nil, err
		}
	}
	s.share(all)
	return s, nil
}

// Of gives a workload's objects as YAML documents in the order in which they
// are applied, those first that several workloads share.
func (s *Set) Of(w estate.Name) ([][]byte, error) {
	if err := s.lacks[w]; err != nil {
		return nil, err
	}
	list := s.by[w]
	if len(list) == 0 {
		return nil, fmt.Errorf("the plan has no objects of %s", w)
	}
	out := make([][]byte, 0, len(list))
	for _, o := range list {
		text, err := o.document()
		if err != nil {
			return nil, err
		}
		out = append(out, text)
	}
	return out, nil
}

// identity tells an object from others.
type identity struct{ version, kind, namespace, name string }

func (i identity) String() string {
	if i.namespace == "" {
		return i.kind + " " + i.name
	}
	return i.kind + " " + i.namespace + "/" + i.name
}

type object struct {
	identity
	body  map[string]any
	text  []byte      // as it was read, nil once the body is another
	owner estate.Name // "" for what is of no one workload
	// shared by several workloads.
	shared bool
}

func parse(text []byte) (*object, error) {
	var body map[string]any
	if err := yaml.Unmarshal(text, &body); err != nil {
		return nil, err
	}
	o := of(body)
	o.text = text
	if o.kind == "" || o.name == "" {
		return nil, fmt.Errorf("an object without kind or name")
	}
	return o, nil
}

func of(body map[string]any) *object {
	meta := child(body, "metadata")
	return &object{body: body, identity: identity{
		version: text(body, "apiVersion"), kind: text(body, "kind"), namespace: text(meta, "namespace"), name: text(meta, "name"),
	}}
}

func child(m map[string]any, key string) map[string]any {
	c, _ := m[key].(map[string]any)
	return c
}

func text(m map[string]any, key string) string {
	s, _ := m[key].(string)
	return s
}

func (o *object) label(key string) string {
	return text(child(child(o.body, "metadata"), "labels"), key)
}

func (o *object) document() ([]byte, error) {
	if o.text != nil {
		return o.text, nil
	}
	text, err := yaml.Marshal(o.body)
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", o.identity, err)
	}
	return text, nil
}

// mark labels the object as shared.
func (o *object) mark() {
	o.shared = true
	if o.kind == "Namespace" {
		return // it is never taken away
	}
	meta := child(o.body, "metadata")
	labels := child(meta, "labels")
	if labels == nil {
		labels = map[string]any{}
		meta["labels"] = labels
	}
	labels[Shared] = "true"
	o.text = nil
}

// order is in which kinds are applied; what is not named comes between those
// that others rest on and those that run.
var order = []string{
	"Namespace", "ResourceQuota", "LimitRange", "ServiceAccount", "Gateway", "ConfigMap", "Secret", "ExternalSecret", "PersistentVolume",
	"PersistentVolumeClaim", "NetworkPolicy", "Service", "",
	"PodDisruptionBudget", "StatefulSet", "DaemonSet", "Deployment", "CronJob", "Job", "HorizontalPodAutoscaler", "Ingress", "ReferenceGrant", "HTTPRoute",
}

func rank(kind string) int {
	if i := slices.Index(order, kind); i >= 0 {
		return i
	}
	return slices.Index(order, "")
}

func inOrder(a, b *object) int {
	return cmp.Or(cmp.Compare(rank(a.kind), rank(b.kind)), cmp.Compare(a.kind, b.kind), cmp.Compare(a.namespace, b.namespace), cmp.Compare(a.name, b.name))
}

// runs are the kinds that make copies: without one a workload is nothing.
func runs(kind string) bool {
	switch kind {
	case "Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job":
		return true
	}
	return false
}
