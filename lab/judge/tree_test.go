package judge_test

import (
	"slices"
	"testing"

	"github.com/tranship/tranship/lab/judge"
)

// What a cluster would get is judged: the overlay as it builds, its patch not as an object, and the files that no
// kustomization draws in as they stand.
func TestTreeIsWhatAClusterWouldGet(t *testing.T) {
	tree := judge.ReadTree("testdata/good")
	if len(tree.Refusals) != 0 {
		t.Fatalf("ReadTree(good) refused %v, want none", tree.Refusals)
	}
	var got []string
	for _, o := range tree.Objects {
		got = append(got, o.Ref()+" from "+o.File)
	}
	slices.Sort(got)
	want := []string{
		"ConfigMap harbour/settings from loose/settings.yaml",
		"Deployment harbour/web from base/web/deployment.yaml",
		"ExternalSecret harbour/web from base/web/secret.yaml",
		"Gateway harbour/public from base/web/route.yaml",
		"HTTPRoute harbour/web from base/web/route.yaml",
		"Namespace harbour from base/namespace.yaml",
		"Service harbour/web from base/web/service.yaml",
		"TCPRoute harbour/web from base/web/route.yaml",
	}
	if !slices.Equal(got, want) {
		t.Errorf("ReadTree(good) = %q, want %q", got, want)
	}
	for _, o := range tree.Objects {
		if o.Body.GetKind() == "Deployment" {
			if spec, ok := o.Body.Object["spec"].(map[string]any); !ok || spec["replicas"] != int64(3) {
				t.Errorf("deployment has %v, want the overlay's 3 replicas", o.Body.Object["spec"])
			}
		}
	}
}

// A file that cannot be read costs that file, and is counted.
func TestUnreadableFileIsARefusal(t *testing.T) {
	tree := judge.ReadTree("testdata/bad")
	var files []string
	for _, r := range tree.Refusals {
		files = append(files, r.File)
	}
	if want := []string{"key-twice.yaml", "broken/kustomization.yaml"}; !slices.Equal(files, want) {
		t.Errorf("ReadTree(bad) refused %q, want %q", files, want)
	}
	if len(tree.Objects) != 12 {
		t.Errorf("ReadTree(bad) = %d objects, want the other file's 12", len(tree.Objects))
	}
}
