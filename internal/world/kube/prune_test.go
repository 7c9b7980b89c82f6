package kube

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// TestAKindThatIsTakenOffTheClusterHasNoObjects: nor does it keep a workload from being taken away.
func TestAKindThatIsTakenOffTheClusterHasNoObjects(t *testing.T) {
	installed := true
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch {
		case r.URL.Path == "/apis/gateway.networking.k8s.io/v1" && installed:
			fmt.Fprint(w, `{"kind":"APIResourceList","apiVersion":"v1","groupVersion":"gateway.networking.k8s.io/v1","resources":[{"name":"httproutes","kind":"HTTPRoute","namespaced":true}]}`)
			installed = false // from here on
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "config")
	config := fmt.Sprintf(`{"apiVersion":"v1","kind":"Config","current-context":"x","clusters":[{"name":"x","cluster":{"server":%q}}],"contexts":[{"name":"x","context":{"cluster":"x"}}]}`, server.URL)
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	client, err := Connect(Config{Kubeconfig: file})
	if err != nil {
		t.Fatal(err)
	}
	c := &Cluster{conn: client}
	for range 2 { // as it was known, and as it is
		_, objects, err := c.owned(t.Context(), "/cart", schema.GroupVersionKind{Group: gatewayGroup, Version: "v1", Kind: "HTTPRoute"}, 0)
		if err != nil || len(objects) != 0 || installed {
			t.Errorf("owned = %v, %v, want nothing", objects, err)
		}
	}
}

// TestFilledIsWhatOthersPutIn, as an API server of 1.35 notes it.
func TestFilledIsWhatOthersPutIn(t *testing.T) {
	for _, c := range []struct {
		name, manager, fields string
		want                  bool
	}{
		{"ours", Manager, `{"f:data":{"f:A":{}}}`, false},
		{"applied by another", "e2e", `{"f:stringData":{"f:A":{}}}`, true},
		{"updated by another", "kubectl-edit", `{"f:data":{".":{},"f:A":{}}}`, true},
		{"labelled by another", "kubectl-label", `{"f:metadata":{"f:labels":{"f:a":{}}}}`, false},
	} {
		var o metav1.PartialObjectMetadata
		o.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: c.manager, FieldsV1: &metav1.FieldsV1{Raw: []byte(c.fields)}}}
		if got := filled(&o); got != c.want {
			t.Errorf("%s: filled = %t, want %t", c.name, got, c.want)
		}
	}
}
