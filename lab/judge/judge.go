// Package judge asks a real API server whether it would take a set of objects.
//
// Input: a folder of manifests and a running API server. Output: how many objects were submitted, and each refusal
// with its file, its object and the server's own words. It never keeps an object in the cluster but namespaces, and
// never softens a refusal.
package judge

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
)

// manager is the field manager under which everything is applied.
const manager = "tranship-lab"

// Judge submits objects to one API server. It may be used by several goroutines.
type Judge struct {
	client dynamic.Interface
	mapper meta.RESTMapper
}

// Verdict is what became of one estate.
type Verdict struct {
	Submitted int       `json:"submitted"`
	Refused   []Refusal `json:"refused,omitempty"`
	Warnings  []Refusal `json:"warnings,omitempty"` // the server takes the object and says what is amiss
}

// New makes a judge of the API server that config reaches. Definitions of custom resources have to be installed before.
func New(config *rest.Config) (*Judge, error) {
	config = rest.CopyConfig(config)
	config.WarningHandlerWithContext = collector{}
	disco, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("reach API server: %w", err)
	}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("reach API server: %w", err)
	}
	return &Judge{client: client, mapper: restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(disco))}, nil
}

// Submit puts every object of one estate before the API server: a server-side apply with a strict check of fields, as a
// dry run. The estate's namespaces are created in earnest, for objects in a missing one cannot be judged.
func (j *Judge) Submit(ctx context.Context, t Tree) Verdict {
	v := Verdict{Refused: slices.Clone(t.Refusals), Submitted: len(t.Objects)}
	known := map[string]bool{"": true, "default": true, "kube-system": true, "kube-public": true, "kube-node-lease": true}
	var rest []Object
	for _, o := range t.Objects {
		if o.Body.GetKind() != "Namespace" || o.Body.GetAPIVersion() != "v1" {
			rest = append(rest, o)
			continue
		}
		if !j.submit(ctx, o, &v, nil) {
			continue
		}
		if _, err := j.apply(ctx, o, false); err != nil {
			v.Refused = append(v.Refused, Refusal{o.File, o.Ref(), "create namespace: " + err.Error()})
			continue
		}
		known[o.Body.GetName()] = true
	}

	v.Refused = append(v.Refused, twice(t.Objects)...)
	var lock sync.Mutex
	var g errgroup.Group
	g.SetLimit(8)
	for _, o := range rest {
		g.Go(func() error {
			if ns := o.Body.GetNamespace(); j.submit(ctx, o, &v, &lock) && !known[ns] {
				// The server knows this namespace from another estate, which is no help to this one.
				lock.Lock()
				defer lock.Unlock()
				v.Refused = append(v.Refused, Refusal{o.File, o.Ref(), fmt.Sprintf("namespace %q is neither a cluster's own nor among the objects", ns)})
			}
			return nil
		})
	}
	_ = g.Wait() // submit reports by v
	order := func(a, b Refusal) int {
		return strings.Compare(a.File+"\x00"+a.Object+"\x00"+a.Message, b.File+"\x00"+b.Object+"\x00"+b.Message)
	}
	slices.SortFunc(v.Refused, order)
	slices.SortFunc(v.Warnings, order)
	return v
}

// submit judges one object and notes the answer in v.
func (j *Judge) submit(ctx context.Context, o Object, v *Verdict, lock sync.Locker) bool {
	warnings, err := j.apply(ctx, o, true)
	if lock != nil {
		lock.Lock()
		defer lock.Unlock()
	}
	for _, w := range warnings {
		v.Warnings = append(v.Warnings, Refusal{o.File, o.Ref(), w})
	}
	if err != nil {
		v.Refused = append(v.Refused, Refusal{o.File, o.Ref(), err.Error()})
	}
	return err == nil
}

func (j *Judge) apply(ctx context.Context, o Object, dryRun bool) ([]string, error) {
	gvk := o.Body.GroupVersionKind()
	mapping, err := j.mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
	if err != nil {
		return nil, fmt.Errorf("find kind: %w", err)
	}
	if o.Body.GetName() == "" {
		return nil, fmt.Errorf("metadata.name is missing")
	}
	body, err := json.Marshal(o.Body.Object)
	if err != nil {
		return nil, fmt.Errorf("write object: %w", err)
	}
	options := metav1.PatchOptions{FieldManager: manager, Force: new(true), FieldValidation: metav1.FieldValidationStrict}
	if dryRun {
		options.DryRun = []string{metav1.DryRunAll}
	}
	said := &warnings{}
	ctx = context.WithValue(ctx, warningsKey{}, said)
	resource := j.client.Resource(mapping.Resource)
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
		ns := o.Body.GetNamespace()
		if ns == "" {
			ns = metav1.NamespaceDefault // where kubectl would put it
		}
		_, err = resource.Namespace(ns).Patch(ctx, o.Body.GetName(), types.ApplyPatchType, body, options)
	} else {
		_, err = resource.Patch(ctx, o.Body.GetName(), types.ApplyPatchType, body, options)
	}
	return said.list, err
}

// twice refuses an object that stands two times in what would be applied together: the second silently replaces the
// first, and a dry run, which keeps neither, cannot see it.
func twice(objects []Object) []Refusal {
	first := map[string]string{}
	var list []Refusal
	for _, o := range objects {
		gvk := o.Body.GroupVersionKind()
		key := strings.Join([]string{o.Set, gvk.Group, o.Ref()}, "\x00")
		if f, ok := first[key]; ok {
			list = append(list, Refusal{o.File, o.Ref(), "stands a second time, first in " + f})
			continue
		}
		first[key] = o.File
	}
	return list
}

type warningsKey struct{}

type warnings struct {
	sync.Mutex
	list []string
}

// collector hands the server's warnings to the request that they answer.
type collector struct{}

// HandleWarningHeaderWithContext keeps one warning.
func (collector) HandleWarningHeaderWithContext(ctx context.Context, code int, _, text string) {
	w, ok := ctx.Value(warningsKey{}).(*warnings)
	if !ok || code != 299 || text == "" {
		return
	}
	w.Lock()
	defer w.Unlock()
	w.list = append(w.list, text)
}
