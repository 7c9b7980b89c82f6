package fault_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/tranship/tranship/internal/rollout/runner"
	"github.com/tranship/tranship/internal/world/kube/internal/fault"
)

var things = schema.GroupResource{Resource: "deployments"}

func conflict() error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: http.StatusConflict, Reason: metav1.StatusReasonConflict,
		Details: &metav1.StatusDetails{Causes: []metav1.StatusCause{
			{Type: metav1.CauseTypeFieldManagerConflict, Field: ".spec.replicas", Message: `conflict with "kubectl" with subresource "scale" using apps/v1`},
			{Type: metav1.CauseTypeFieldManagerConflict, Field: ".spec.paused", Message: `conflict with "argocd" using apps/v1`},
		}},
	}}
}

func terminating() error {
	err := apierrors.NewForbidden(things, "cart", errors.New("it is being terminated"))
	err.ErrStatus.Details.Causes = []metav1.StatusCause{{Type: "NamespaceTerminating"}}
	return err
}

func TestWhatTheServerWillNotDoLaterEitherIsRefused(t *testing.T) {
	for name, x := range map[string]struct {
		err     error
		refused bool
	}{
		"an expired token":         {apierrors.NewUnauthorized("expired"), true},
		"no permission, or quota":  {apierrors.NewForbidden(things, "cart", errors.New("exceeded quota")), true},
		"a namespace on its way":   {terminating(), false},
		"an invalid object":        {apierrors.NewInvalid(schema.GroupKind{Kind: "Deployment"}, "cart", nil), true},
		"an unknown field":         {apierrors.NewBadRequest("unknown field"), true},
		"another manager's field":  {conflict(), true},
		"a version that is behind": {apierrors.NewConflict(things, "cart", errors.New("changed")), false},
		"too many requests":        {apierrors.NewTooManyRequests("slow down", 1), false},
		"a server that fails":      {apierrors.NewInternalError(errors.New("etcd is away")), false},
		"nobody answers":           {errors.New("connection refused"), false},
		"a refusal of our own":     {fmt.Errorf("%w: no port", runner.ErrRefused), true},
		"held":                     {fmt.Errorf("%w: one", runner.ErrHeld), false},
	} {
		t.Run(name, func(t *testing.T) {
			got := fault.Of("apply cart", x.err)
			if errors.Is(got, runner.ErrRefused) != x.refused || !strings.HasPrefix(got.Error(), "apply cart: ") {
				t.Errorf("Of(%v) = %v, refused should be %t", x.err, got, x.refused)
			}
		})
	}
	if fault.Of("apply cart", nil) != nil {
		t.Error("nothing wrong is an error")
	}
}

func TestAConflictNamesManagersAndFields(t *testing.T) {
	got := fault.Of("apply cart", conflict()).Error()
	for _, want := range []string{".spec.replicas is owned by kubectl", ".spec.paused is owned by argocd"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q does not say %q", got, want)
		}
	}
}
