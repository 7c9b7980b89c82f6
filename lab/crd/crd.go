// Package crd brings custom resource definitions into a cluster, straight from the modules that publish them.
//
// Input: module, version and checksum of each publisher, or a folder of YAML. Output: definitions that the API server
// has established. It never keeps a copy of a definition in this project, and never takes one whose module's
// checksum is not the one written here.
package crd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"
)

const establishTimeout = time.Minute

// Source is a module that publishes definitions.
type Source struct {
	Module, Version string
	Sum             string   // of the module's content, as go.sum would have it
	Folder          string   // below the module
	Files           []string // below the folder; none: every definition in it
}

// Sources are the publishers whose definitions the rendered objects may need.
func Sources() []Source {
	return []Source{
		{
			// The standard channel only: what is experimental is not to be rendered. v1.7 needs Go 1.27.
			Module: "sigs.k8s.io/gateway-api", Version: "v1.6.3",
			Sum:    "h1:lKpJa5bGlraC/QeACvCpsHLdmO6y0iKfzVl6gzaFEYc=",
			Folder: "config/crd/standard",
		},
		{
			Module: "github.com/external-secrets/external-secrets", Version: "v1.3.2",
			Sum:    "h1:u2J8RjlHIeF0oZCqtl92adI/uZWUwOesJIDkfql6LqQ=",
			Folder: "config/crds/bases",
			Files: []string{
				"external-secrets.io_externalsecrets.yaml",
				"external-secrets.io_secretstores.yaml",
				"external-secrets.io_clustersecretstores.yaml",
			},
		},
		{
			Module: "sigs.k8s.io/karpenter", Version: "v1.14.1",
			Sum:    "h1:GjqvOHLjl2+OXM0ti5VEZSQuvcitB0pETd8zdChXEtI=",
			Folder: "pkg/apis/crds",
			Files:  []string{"karpenter.sh_nodepools.yaml", "karpenter.sh_nodeclaims.yaml"},
		},
		{
			Module: "github.com/aws/karpenter-provider-aws", Version: "v1.14.1",
			Sum:    "h1:WGtIQTQcxpElYMdWfWuPwaF2+9muR+hYhPZsTtoY8Gs=",
			Folder: "pkg/apis/crds",
			Files:  []string{"karpenter.k8s.aws_ec2nodeclasses.yaml"},
		},
	}
}

// Paths downloads the module unless the cache has it, and gives the places of its definitions.
func (s Source) Paths(ctx context.Context) ([]string, error) {
	at := s.Module + "@" + s.Version
	c := exec.CommandContext(ctx, "go", "mod", "download", "-json", at)
	// Outside of any module, and checked below against the sum that is written here.
	c.Dir = os.TempDir()
	c.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off", "GONOSUMDB="+s.Module)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, runErr := c.Output()
	var got struct{ Dir, Sum, Error string }
	if err := json.Unmarshal(out, &got); err != nil {
		return nil, fmt.Errorf("download %s: %w: %s", at, errors.Join(runErr, err), strings.TrimSpace(stderr.String()))
	}
	switch {
	case got.Error != "":
		return nil, fmt.Errorf("download %s: %s", at, got.Error)
	case got.Sum != s.Sum:
		return nil, fmt.Errorf("download %s: checksum is %s, not %s", at, got.Sum, s.Sum)
	}
	folder := filepath.Join(got.Dir, filepath.FromSlash(s.Folder))
	if len(s.Files) == 0 {
		return Folder(folder)
	}
	var paths []string
	for _, f := range s.Files {
		paths = append(paths, filepath.Join(folder, f))
	}
	return paths, nil
}

// Folder lists the YAML files of a folder, not of those below it.
func Folder(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("list definitions: %w", err)
	}
	var paths []string
	for _, e := range entries {
		if ext := filepath.Ext(e.Name()); !e.IsDir() && (ext == ".yaml" || ext == ".yml") {
			paths = append(paths, filepath.Join(dir, e.Name()))
		}
	}
	return paths, nil
}

// Install creates the definitions that stand in the files, passes over every other object in them, and returns their
// names when the API server serves them all.
func Install(ctx context.Context, config *rest.Config, paths []string) ([]string, error) {
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("install definitions: %w", err)
	}
	disco, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("install definitions: %w", err)
	}
	definitions := client.Resource(schema.GroupVersionResource{
		Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions",
	})
	var names []string
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("install definitions: %w", err)
		}
		for doc := range strings.SplitSeq(string(text), "\n---") {
			u := &unstructured.Unstructured{}
			if err := yaml.Unmarshal([]byte(doc), &u.Object); err != nil {
				return nil, fmt.Errorf("read definition %s: %w", path, err)
			}
			if u.GetKind() != "CustomResourceDefinition" {
				continue
			}
			_, err := definitions.Create(ctx, u, metav1.CreateOptions{})
			if err != nil && !apierrors.IsAlreadyExists(err) {
				return nil, fmt.Errorf("install definition %s: %w", u.GetName(), err)
			}
			names = append(names, u.GetName())
		}
	}
	for _, name := range names {
		err := wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, establishTimeout, true, func(ctx context.Context) (bool, error) {
			u, err := definitions.Get(ctx, name, metav1.GetOptions{})
			if err != nil {
				return false, err
			}
			return established(u) && listed(ctx, disco, u), nil
		})
		if err != nil {
			return nil, fmt.Errorf("wait for definition %s: %w", name, err)
		}
	}
	slices.Sort(names)
	return names, nil
}

func established(u *unstructured.Unstructured) bool {
	conditions, _, _ := unstructured.NestedSlice(u.Object, "status", "conditions")
	for _, c := range conditions {
		if m, ok := c.(map[string]any); ok && m["type"] == "Established" && m["status"] == "True" {
			return true
		}
	}
	return false
}

// listed tells whether discovery, which follows a little later, names the kind in every version that is served.
func listed(ctx context.Context, disco discovery.DiscoveryInterface, u *unstructured.Unstructured) bool {
	group, _, _ := unstructured.NestedString(u.Object, "spec", "group")
	kind, _, _ := unstructured.NestedString(u.Object, "spec", "names", "kind")
	versions, _, _ := unstructured.NestedSlice(u.Object, "spec", "versions")
	for _, v := range versions {
		m, ok := v.(map[string]any)
		if !ok || m["served"] != true {
			continue
		}
		list, err := disco.ServerResourcesForGroupVersion(fmt.Sprintf("%s/%v", group, m["name"]))
		if err != nil || !slices.ContainsFunc(list.APIResources, func(r metav1.APIResource) bool { return r.Kind == kind }) {
			return false
		}
	}
	return ctx.Err() == nil
}
