package marathon

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	discovered "github.com/tranship/tranship/internal/discover/marathon"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/rollout"
)

// app is what matters of an app's answer.
type app struct {
	Version     string `json:"version"`
	VersionInfo struct {
		LastConfigChangeAt string `json:"lastConfigChangeAt"`
	} `json:"versionInfo"`
	Instances    int               `json:"instances"`
	HealthChecks []json.RawMessage `json:"healthChecks"`
	Staged       int               `json:"tasksStaged"`
	Running      int               `json:"tasksRunning"`
	Healthy      int               `json:"tasksHealthy"`
	Deployments  []json.RawMessage `json:"deployments"`
	Tasks        []task            `json:"tasks"`
	LastFailure  *failure          `json:"lastTaskFailure"`
}

type task struct {
	State     string `json:"state"`
	StagedAt  string `json:"stagedAt"`
	StartedAt string `json:"startedAt"`
}

type failure struct {
	State   string `json:"state"`
	Message string `json:"message"`
	Host    string `json:"host"`
	Version string `json:"version"`
}

// alive reports whether the task is, or may be, a running process. What is left
// of a copy that keeps its volumes is a task without a start.
func (t task) alive() bool {
	switch t.State {
	case "TASK_FINISHED", "TASK_FAILED", "TASK_KILLED", "TASK_ERROR", "TASK_DROPPED", "TASK_GONE", "TASK_GONE_BY_OPERATOR":
		return false
	case "":
		return t.StagedAt != "" || t.StartedAt != ""
	}
	return true
}

var embeds = url.Values{"embed": {"app.tasks", "app.counts", "app.deployments", "app.lastTaskFailure"}}

func appPath(name estate.Name) string {
	return "/v2/apps/" + strings.TrimPrefix(string(name), "/")
}

func (s *Source) observeApp(ctx context.Context, w *estate.Workload) (rollout.Copies, error) {
	var answer struct {
		App json.RawMessage `json:"app"`
	}
	if err := s.marathon.Get(ctx, appPath(w.ID), embeds, &answer); err != nil {
		return rollout.Copies{}, err
	}
	var a app
	if err := json.Unmarshal(answer.App, &a); err != nil {
		return rollout.Copies{}, fmt.Errorf("read app: %w", err)
	}
	version, err := s.version(ctx, w, a.Version, a.VersionInfo.LastConfigChangeAt, history{
		path: appPath(w.ID) + "/versions/" + w.SourceVersion, digest: discovered.Definition,
		now: func(context.Context) (json.RawMessage, error) { return answer.App, nil },
	})
	if err != nil {
		return rollout.Copies{}, err
	}
	c := rollout.Copies{Version: version, Wanted: a.Instances, Running: a.Staged + a.Running, Ready: a.Running, Locked: len(a.Deployments) > 0}
	if len(a.HealthChecks) > 0 {
		c.Ready = a.Healthy
	}
	// The counts leave out tasks that are being killed or are out of reach.
	alive := 0
	for _, t := range a.Tasks {
		if t.alive() {
			alive++
		}
	}
	c.Running = max(c.Running, alive)
	if c.Ready < c.Wanted {
		if f := a.LastFailure; f != nil && f.Version == a.Version {
			c.Failing = strings.TrimSpace(strings.TrimSuffix(f.State+": "+f.Message, ": "))
			if f.Host != "" {
				c.Failing += " (on " + f.Host + ")"
			}
		}
		waits, err := s.waits(ctx, w.ID)
		if err != nil {
			return rollout.Copies{}, err
		}
		c.Failing = strings.TrimPrefix(c.Failing+"; "+waits, "; ")
		c.Failing = strings.TrimSuffix(c.Failing, "; ")
	}
	return c, nil
}

// waits says why copies are not launched, empty if none waits for a reason.
func (s *Source) waits(ctx context.Context, name estate.Name) (string, error) {
	var answer struct {
		Queue []struct {
			App   struct{ ID string } `json:"app"`
			Pod   struct{ ID string } `json:"pod"`
			Count int                 `json:"count"`
			Delay struct {
				TimeLeft int64 `json:"timeLeftSeconds"`
			} `json:"delay"`
			Offers struct {
				Rejected []struct {
					Reason   string `json:"reason"`
					Declined int    `json:"declined"`
				} `json:"rejectSummaryLaunchAttempt"`
			} `json:"processedOffersSummary"`
		} `json:"queue"`
	}
	if err := s.marathon.Get(ctx, "/v2/queue", nil, &answer); err != nil {
		return "", err
	}
	for _, q := range answer.Queue {
		if q.App.ID != string(name) && q.Pod.ID != string(name) || q.Count == 0 {
			continue
		}
		if q.Delay.TimeLeft > 0 {
			return fmt.Sprintf("%d copies wait %d s until they are tried again", q.Count, q.Delay.TimeLeft), nil
		}
		var why []string
		for _, r := range q.Offers.Rejected {
			if r.Declined > 0 {
				why = append(why, fmt.Sprintf("%s %d times", r.Reason, r.Declined))
			}
		}
		if len(why) > 0 {
			return fmt.Sprintf("%d copies find no host: %s", q.Count, strings.Join(why, ", ")), nil
		}
	}
	return "", nil
}

// scaleApp changes the number of copies alone, without force: a deployment that
// is under way answers 409. Volumes of a copy that goes stay with the app.
func (s *Source) scaleApp(ctx context.Context, name estate.Name, n int) error {
	var answer struct {
		App app `json:"app"`
	}
	if err := s.marathon.Get(ctx, appPath(name), nil, &answer); err != nil {
		return err
	}
	if answer.App.Instances == n {
		return nil
	}
	return s.marathon.Put(ctx, appPath(name), map[string]int{"instances": n}, nil)
}
