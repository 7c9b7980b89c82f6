package objects

import (
	"bytes"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/render/manifest"
	"github.com/tranship/tranship/internal/render/manifest/cluster"
)

// edited builds the folder and gives its objects in the place of those that
// were rendered. What the folder leaves out is left out.
func (s *Set) edited(rendered []*object, folder string, owners map[string]estate.Name) ([]*object, error) {
	built, err := build(folder)
	if err != nil {
		return nil, err
	}
	planned := map[identity]*object{}
	for _, o := range rendered {
		planned[o.identity] = o
	}
	there := map[reference]bool{}
	for _, o := range built {
		there[reference{o.kind, o.namespace, o.name}] = true
		if p := planned[o.identity]; p != nil {
			o.owner = p.owner
			continue
		}
		o.owner = owners[path.Join(manifest.Base, o.namespace, o.label(cluster.NameLabel))]
	}
	for _, o := range rendered {
		if runs(o.kind) && o.owner != "" && !there[reference{o.kind, o.namespace, o.name}] {
			s.lacks[o.owner] = fmt.Errorf("%s of %s is not in what %s builds: render the plan anew into it, or keep the names of its objects", o.identity, o.owner, folder)
		}
	}
	return built, nil
}

// untouched reports whether a folder and the base below it are, byte for byte,
// what was rendered: building it would give the rendered objects.
func untouched(folder string, files map[string][]byte) bool {
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) != 1 || entries[0].Name() != "kustomization.yaml" {
		return false
	}
	overlay := path.Join(manifest.Overlays, filepath.Base(folder), "kustomization.yaml")
	if files[overlay] == nil {
		return false
	}
	root := filepath.Join(folder, "..", "..", "..")
	for name, want := range files {
		if !strings.HasPrefix(name, manifest.Base+"/") && name != overlay {
			continue
		}
		got, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil || !bytes.Equal(got, want) {
			return false
		}
	}
	return true
}

// build runs Kustomize over a folder, without plugins and without files from
// outside of the folders that it names.
func build(folder string) ([]*object, error) {
	result, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), folder)
	if err != nil {
		return nil, fmt.Errorf("build %s: %w", folder, err)
	}
	out := make([]*object, 0, result.Size())
	for _, r := range result.Resources() {
		body, err := r.Map()
		if err != nil {
			return nil, fmt.Errorf("build %s: %w", folder, err)
		}
		out = append(out, of(body))
	}
	return out, nil
}
