package kube

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

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
