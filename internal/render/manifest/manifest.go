// Package manifest renders a plan as objects for Kubernetes: a Kustomize base
// with a folder for each workload, and an overlay for the user's own changes.
// It takes a plan and gives files one by one, with what became of every field.
// It never writes a secret's value, and it never touches an overlay twice.
package manifest

import (
	"fmt"
	"maps"
	"path"
	"slices"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/render"
	"github.com/tranship/tranship/internal/render/manifest/cluster"
	"github.com/tranship/tranship/internal/render/manifest/edge"
)

// Base is the folder of what is rendered, Overlays that of what is the user's.
const (
	Base     = "kubernetes/base"
	Overlays = "kubernetes/overlays"
)

// Summary is what was rendered.
type Summary struct {
	// Ledger is the plan's with targets in files. It is not sorted anew.
	Ledger []ledger.Entry
	// Objects counts by kind.
	Objects map[string]int
	// Skipped are the workloads that became no objects.
	Skipped []estate.Name
}

// Render writes the objects of a plan into sink.
func Render(p *plan.Plan, opts render.Options, sink render.Sink) (Summary, diag.List, error) {
	c, _ := cluster.New(p, opts)
	r := &renderer{
		c: c, opts: opts, sink: sink, objects: map[string]int{}, spaces: map[string]*space{},
		files: map[estate.Name]*files{}, sources: map[string]*source{}, gateways: edge.New(c),
	}
	skipped := c.Skipped()
	var out Summary
	for i := range p.Estate.Workloads {
		w := &p.Estate.Workloads[i]
		if !c.Renders(w) {
			out.Skipped = append(out.Skipped, w.ID)
			continue
		}
		if len(opts.Only) > 0 && !slices.Contains(opts.Only, w.ID) {
			continue
		}
		if err := r.workload(w); err != nil {
			return Summary{}, nil, err
		}
	}
	if err := r.around(); err != nil {
		return Summary{}, nil, err
	}
	diags := append(c.Diags(), skipped...)
	diags.Sort()
	out.Ledger, out.Objects = r.finalise(p), r.objects
	return out, slices.Compact(diags), nil
}

// A renderer holds what lasts from one workload to the next.
type renderer struct {
	c        *cluster.Cluster
	opts     render.Options
	sink     render.Sink
	objects  map[string]int
	spaces   map[string]*space
	files    map[estate.Name]*files
	sources  map[string]*source
	quota    string // the first ResourceQuota
	gateways *edge.Gateways
}

// A space is one namespace.
type space struct {
	folders    []string
	privileged bool
	roles      map[string]bool
}

func (r *renderer) space(name string) *space {
	s := r.spaces[name]
	if s == nil {
		s = &space{roles: map[string]bool{}}
		r.spaces[name] = s
	}
	return s
}

// A folder is one that is being written.
type folder struct {
	r       *renderer
	dir     string
	comment string
	names   []string
	err     error
}

func (r *renderer) folder(namespace, name, comment string) *folder {
	s := r.space(namespace)
	s.folders = append(s.folders, name)
	return &folder{r: r, dir: path.Join(Base, namespace, name), comment: comment}
}

// put writes one object and gives the file's path.
func (f *folder) put(kind, file string, object any) string {
	if f.err != nil {
		return ""
	}
	data, lost, err := encode(f.comment, object)
	if err != nil {
		f.err = fmt.Errorf("render %s/%s: %w", f.dir, file, err)
		return ""
	}
	if lost {
		f.r.c.Report(diag.Diagnostic{
			Code: cluster.UnfitValue, Severity: diag.Warning, Subject: f.dir, Problem: file + " had control characters, which tools refuse in YAML",
			Hint: "another character is in their place; correct them at the source",
		})
	}
	name := file + ".yaml"
	f.names = append(f.names, name)
	f.r.objects[kind]++
	full := path.Join(f.dir, name)
	f.err = f.r.sink(render.File{Path: full, Data: data})
	return full
}

// close writes the folder's kustomization.
func (f *folder) close() error {
	if f.err != nil {
		return f.err
	}
	return f.r.kustomization(f.dir, f.names)
}

type kustomization struct {
	APIVersion string   `json:"apiVersion"`
	Kind       string   `json:"kind"`
	Resources  []string `json:"resources"`
}

func (r *renderer) kustomization(dir string, resources []string) error {
	slices.Sort(resources)
	data, _, err := encode("", kustomization{"kustomize.config.k8s.io/v1beta1", "Kustomization", slices.Compact(resources)})
	if err != nil {
		return err
	}
	return r.sink(render.File{Path: path.Join(dir, "kustomization.yaml"), Data: data})
}

const overlay = `# What is yours: this file is written once and never again. Put patches, images
# and replicas here; kubectl apply -k on this folder applies them all.
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
  - ../../base
`

// tree writes the kustomizations above the workloads, which name all of them:
// a part of an estate leaves them as they are, and nothing has none.
func (r *renderer) tree() error {
	if len(r.opts.Only) > 0 || len(r.spaces) == 0 {
		return nil // Kustomize refuses a kustomization of nothing
	}
	names, err := r.priorities()
	if err != nil {
		return err
	}
	names = append(names, slices.Sorted(maps.Keys(r.spaces))...)
	if err := r.kustomization(Base, names); err != nil {
		return err
	}
	return r.sink(render.File{Path: path.Join(Overlays, "production", "kustomization.yaml"), Data: []byte(overlay), Keep: true})
}
