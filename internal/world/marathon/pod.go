package marathon

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	discovered "github.com/tranship/tranship/internal/discover/pod"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/rollout"
)

// podStatus is what matters of a pod's status.
type podStatus struct {
	Spec struct {
		Version string `json:"version"`
		Scaling struct {
			Instances int `json:"instances"`
		} `json:"scaling"`
	} `json:"spec"`
	Message   string `json:"message"`
	Instances []struct {
		Status  string `json:"status"`
		Message string `json:"message"`
	} `json:"instances"`
	Terminations []struct {
		Message string `json:"message"`
	} `json:"terminationHistory"`
}

func podPath(name estate.Name) string { return "/v2/pods/" + strings.TrimPrefix(string(name), "/") }

func (s *Source) observePod(ctx context.Context, w *estate.Workload) (rollout.Copies, error) {
	var p podStatus
	if err := s.marathon.Get(ctx, podPath(w.ID)+"::status", nil, &p); err != nil {
		return rollout.Copies{}, err
	}
	version, err := s.version(ctx, w, p.Spec.Version, "", history{
		path: podPath(w.ID) + "::versions/" + w.SourceVersion, digest: discovered.Definition,
		now: func(ctx context.Context) (now json.RawMessage, err error) {
			err = s.marathon.Get(ctx, podPath(w.ID), nil, &now)
			return now, err
		},
	})
	if err != nil {
		return rollout.Copies{}, err
	}
	c := rollout.Copies{Version: version, Wanted: p.Spec.Scaling.Instances}
	if c.Locked, err = s.deploying(ctx, w.ID); err != nil {
		return rollout.Copies{}, err
	}
	why := p.Message
	for _, i := range p.Instances {
		switch i.Status {
		case "STABLE":
			c.Ready++
			c.Running++
		case "PENDING": // waits to be launched: nothing of it runs
			why = orElse(i.Message, why)
		default: // STAGING, DEGRADED, and TERMINAL, which is on its way out
			c.Running++
			why = orElse(i.Message, why)
		}
	}
	if c.Ready < c.Wanted {
		if n := len(p.Terminations); why == "" && n > 0 {
			why = p.Terminations[0].Message
		}
		waits, err := s.waits(ctx, w.ID)
		if err != nil {
			return rollout.Copies{}, err
		}
		c.Failing = orElse(why, waits)
	}
	return c, nil
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// deploying reports whether a change of the pod is under way.
func (s *Source) deploying(ctx context.Context, name estate.Name) (bool, error) {
	var deployments []struct {
		Pods []string `json:"affectedPods"`
	}
	if err := s.marathon.Get(ctx, "/v2/deployments", nil, &deployments); err != nil {
		return false, err
	}
	for _, d := range deployments {
		if slices.Contains(d.Pods, string(name)) {
			return true, nil
		}
	}
	return false, nil
}

// scalePod puts the definition as it is with another number of copies: pods know
// no smaller change.
func (s *Source) scalePod(ctx context.Context, name estate.Name, n int) error {
	pod := map[string]json.RawMessage{}
	if err := s.marathon.Get(ctx, podPath(name), nil, &pod); err != nil {
		return err
	}
	scaling := map[string]any{"kind": "fixed"}
	if raw, ok := pod["scaling"]; ok {
		if err := json.Unmarshal(raw, &scaling); err != nil {
			return fmt.Errorf("read the pod's scaling: %w", err)
		}
	}
	if have, ok := scaling["instances"].(float64); ok && have == float64(n) {
		return nil
	}
	scaling["instances"] = n
	raw, err := json.Marshal(scaling)
	if err != nil {
		return err
	}
	pod["scaling"] = raw
	delete(pod, "version") // Marathon gives it
	return s.marathon.Put(ctx, podPath(name), pod, nil)
}
