// Package fault sorts what an API server answers into what the runner tells
// apart. It takes errors and gives errors; it never hides the server's words.
package fault

import (
	"errors"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tranship/tranship/internal/rollout/runner"
)

// Of wraps an error with what was tried, as a refusal if the server will not do
// it later either. Nil stays nil.
func Of(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, runner.ErrRefused):
		return fmt.Errorf("%s: %w", what, err)
	case len(Conflicts(err)) > 0:
		var fields []string
		for _, c := range Conflicts(err) {
			fields = append(fields, fmt.Sprintf("%s is owned by %s", c.Field, c.Manager))
		}
		return fmt.Errorf("%s: %w: %s", what, runner.ErrRefused, strings.Join(fields, "; "))
	case refused(err):
		return fmt.Errorf("%s: %w: %w", what, runner.ErrRefused, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}

func refused(err error) bool {
	if apierrors.HasStatusCause(err, "NamespaceTerminating") {
		return false // it passes
	}
	for _, is := range []func(error) bool{
		apierrors.IsUnauthorized, apierrors.IsForbidden, apierrors.IsInvalid, apierrors.IsBadRequest, apierrors.IsMethodNotSupported,
		apierrors.IsRequestEntityTooLargeError, apierrors.IsNotAcceptable, apierrors.IsUnsupportedMediaType,
	} {
		if is(err) {
			return true
		}
	}
	// Server-side apply of a field that the kind does not have is an internal
	// error of the server's, in these words.
	return apierrors.IsInternalError(err) && strings.Contains(err.Error(), "field not declared in schema")
}

// A Conflict is a field that another manager owns.
type Conflict struct{ Field, Manager string }

// Conflicts gives the fields over which an apply was refused.
func Conflicts(err error) []Conflict {
	var status apierrors.APIStatus
	if !errors.As(err, &status) || !apierrors.IsConflict(err) || status.Status().Details == nil {
		return nil
	}
	var out []Conflict
	for _, c := range status.Status().Details.Causes {
		if c.Type == metav1.CauseTypeFieldManagerConflict {
			// conflict with "kubectl" with subresource "scale" using apps/v1
			_, rest, _ := strings.Cut(c.Message, `"`)
			manager, _, _ := strings.Cut(rest, `"`)
			out = append(out, Conflict{c.Field, manager})
		}
	}
	return out
}
