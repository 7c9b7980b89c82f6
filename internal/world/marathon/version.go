package marathon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/rollout/runner"
)

// A history is how an earlier definition is had, and what of one counts.
type history struct {
	path   string // of the version with that name
	digest func(*jsonpos.Value) string
	now    func(context.Context) (json.RawMessage, error)
}

// version gives the plan's version if the definition is still the planned one,
// else the one that it has now. changed is when it was last changed other than
// by scaling, empty where the source does not tell.
func (s *Source) version(ctx context.Context, w *estate.Workload, now, changed string, h history) (string, error) {
	planned := w.SourceVersion
	switch {
	case planned == "" || planned == now:
		return now, nil
	case strings.HasPrefix(planned, "sha256:"):
		return "", nil
	case notAfter(changed, planned):
		return planned, nil
	}
	key := comparison{w.ID, planned, now}
	s.mu.Lock()
	same, known := s.same[key]
	s.mu.Unlock()
	if !known {
		var err error
		if same, err = s.compare(ctx, h); err != nil {
			return "", fmt.Errorf("compare with version %s: %w", planned, err)
		}
		s.mu.Lock()
		s.same[key] = same
		s.mu.Unlock()
	}
	if same {
		return planned, nil
	}
	return now, nil
}

// compare holds the definition against the one that is kept from then. One that
// is not kept any more cannot be the same.
func (s *Source) compare(ctx context.Context, h history) (bool, error) {
	var then json.RawMessage
	err := s.marathon.Get(ctx, h.path, nil, &then)
	if errors.Is(err, runner.ErrAbsent) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	now, err := h.now(ctx)
	if err != nil {
		return false, err
	}
	a, err := tree(then)
	if err != nil {
		return false, err
	}
	b, err := tree(now)
	if err != nil {
		return false, err
	}
	return h.digest(a) == h.digest(b), nil
}

// notAfter reports whether both are times and the first is not after the second.
func notAfter(a, b string) bool {
	x, err := time.Parse(time.RFC3339, a)
	if err != nil {
		return false
	}
	y, err := time.Parse(time.RFC3339, b)
	return err == nil && !x.After(y)
}

func tree(data []byte) (*jsonpos.Value, error) {
	t := jsonpos.Parse("answer", data)
	if t.Root == nil || t.Root.Broken() {
		return nil, errors.New("the answer is no JSON that can be read")
	}
	return t.Root, nil
}
