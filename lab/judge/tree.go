package judge

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// kustomizing holds builds apart: kustomize keeps its schemas in one global place.
var kustomizing sync.Mutex

// Tree is what a folder holds for a cluster.
type Tree struct {
	Objects  []Object
	Refusals []Refusal // files that cannot be read, kustomizations that do not build
}

// kustomization is what we need of a kustomization file: what it draws in, and what in it is only a part of an object.
type kustomization struct {
	Kind                  string
	Resources             []string
	Bases                 []string
	Components            []string
	PatchesStrategicMerge []string
	PatchesJSON6902       []struct{ Path string } `json:"patchesJson6902"`
	Patches               []struct{ Path string }
	Replacements          []struct{ Path string }
	Configurations        []string
	Transformers          []string
	Generators            []string
	Validators            []string
}

// ReadTree gives the objects that applying the folder would send to a cluster: what each kustomization that no other
// one draws in builds to, and every object in a file that no kustomization has read, as it stands.
func ReadTree(root string) Tree {
	var t Tree
	// kustomize names files by their resolved place, so that place has to be ours, too.
	if abs, err := filepath.Abs(root); err == nil {
		root = abs
	}
	if real, err := filepath.EvalSymlinks(root); err == nil {
		root = real
	}
	files := map[string][]byte{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() || !(isYAML(path) || isKustomization(path)) {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files[path] = text
		return nil
	})
	if err != nil {
		t.refuse(root, root, "", fmt.Errorf("list files: %w", err))
	}
	paths := make([]string, 0, len(files))
	for p := range files {
		paths = append(paths, p)
	}
	slices.Sort(paths)

	byFolder := map[string]kustomization{}
	drawn, parts := map[string]bool{}, map[string]bool{}
	for _, p := range paths {
		if !isKustomization(p) {
			continue
		}
		var k kustomization
		if err := yaml.Unmarshal(files[p], &k); err != nil {
			t.refuse(root, p, "Kustomization", fmt.Errorf("read kustomization: %w", err))
			continue
		}
		dir := filepath.Dir(p)
		byFolder[dir] = k
		for _, r := range slices.Concat(k.Resources, k.Bases, k.Components) {
			drawn[filepath.Join(dir, r)] = true
		}
		for _, r := range k.partial() {
			parts[filepath.Join(dir, r)] = true
		}
	}

	raw := map[string][]*unstructured.Unstructured{}
	origin := map[string]string{}
	for _, p := range paths {
		if isKustomization(p) || parts[p] {
			continue
		}
		list, err := decode(files[p])
		if err != nil {
			t.refuse(root, p, "", err)
		}
		for _, u := range list {
			if u.GetKind() != "Kustomization" && u.GetKind() != "Component" {
				raw[p] = append(raw[p], u)
				origin[u.GetKind()+" "+u.GetName()] = p
			}
		}
	}

	seen := &recorder{FileSystem: filesys.MakeFsOnDisk(), read: map[string]bool{}}
	for _, p := range paths {
		dir := filepath.Dir(p)
		if k, ok := byFolder[dir]; !ok || !isKustomization(p) || drawn[dir] || k.Kind == "Component" {
			continue
		}
		t.build(root, dir, p, seen, origin)
	}
	for _, p := range paths {
		if seen.read[p] {
			continue
		}
		for _, u := range raw[p] {
			t.Objects = append(t.Objects, Object{File: relative(root, p), Body: u})
		}
	}
	return t
}

func (t *Tree) build(root, dir, file string, seen *recorder, origin map[string]string) {
	kustomizing.Lock()
	defer kustomizing.Unlock()
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(seen, dir)
	if err != nil {
		t.refuse(root, file, "Kustomization", fmt.Errorf("build kustomization: %w", err))
		return
	}
	for _, r := range built.Resources() {
		text, err := r.MarshalJSON()
		if err == nil {
			u := &unstructured.Unstructured{}
			if err = u.UnmarshalJSON(text); err == nil {
				from := file
				if o, ok := origin[u.GetKind()+" "+u.GetName()]; ok {
					from = o
				}
				t.Objects = append(t.Objects, Object{File: relative(root, from), Set: relative(root, dir), Body: u})
				continue
			}
		}
		t.refuse(root, file, r.GetKind()+" "+r.GetName(), fmt.Errorf("read built object: %w", err))
	}
}

func (t *Tree) refuse(root, file, object string, err error) {
	t.Refusals = append(t.Refusals, Refusal{File: relative(root, file), Object: object, Message: strings.ReplaceAll(err.Error(), root+string(filepath.Separator), "")})
}

// partial lists the files that hold patches and settings: they look like objects and are none.
func (k kustomization) partial() []string {
	list := slices.Concat(k.PatchesStrategicMerge, k.Configurations, k.Transformers, k.Generators, k.Validators)
	for _, p := range slices.Concat(k.PatchesJSON6902, k.Patches, k.Replacements) {
		if p.Path != "" {
			list = append(list, p.Path)
		}
	}
	return list
}

// recorder notes which files kustomize has read.
type recorder struct {
	filesys.FileSystem
	read map[string]bool
}

// ReadFile reads the file and notes it.
func (r *recorder) ReadFile(path string) ([]byte, error) {
	abs, err := filepath.Abs(path)
	if err == nil {
		r.read[abs] = true
	}
	return r.FileSystem.ReadFile(path)
}

func relative(root, path string) string {
	if rel, err := filepath.Rel(root, path); err == nil {
		return filepath.ToSlash(rel)
	}
	return path
}

func isYAML(path string) bool {
	ext := filepath.Ext(path)
	return ext == ".yaml" || ext == ".yml"
}

func isKustomization(path string) bool {
	switch filepath.Base(path) {
	case "kustomization.yaml", "kustomization.yml", "Kustomization":
		return true
	}
	return false
}
