package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// services of the estate that have traffic, in the order of their names.
var services = []string{"gateway", "ingest", "query"}

// settle makes the old world the whole world: the database's tables, the
// telemetry group in Marathon, the job in Metronome; nothing in the cluster; all
// traffic at the source.
func (s *stage) settle(ctx context.Context, estate string, edit func(app map[string]any)) error {
	if _, err := s.run(ctx, "env", "DATABASE_URL="+s.application(s.facts.Postgres.Source.Address), s.migrate); err != nil {
		return err
	}
	group, err := s.group(filepath.Join(estate, "group.json"), edit)
	if err != nil {
		return err
	}
	m := s.facts.OldWorld
	if err := s.ask(ctx, s.old, http.MethodPut, m.Marathon+"/v2/groups/telemetry?force=true", group, nil); err != nil {
		return err
	}
	jobs, err := s.jobs(filepath.Join(estate, "jobs.json"))
	if err != nil {
		return err
	}
	for _, j := range jobs {
		if err := s.job(ctx, j); err != nil {
			return err
		}
	}
	for _, name := range []string{"gateway", "ingest", "query", "notifier"} {
		err := until(ctx, name+" runs in the old world", time.Minute, func(ctx context.Context) (bool, error) {
			var a struct {
				App struct {
					Instances, TasksRunning, TasksHealthy int
					Deployments                           []any
				}
			}
			err := s.get(ctx, s.old, m.Marathon+"/v2/apps/telemetry/"+name, &a)
			return err == nil && a.App.TasksHealthy == a.App.Instances && a.App.Instances > 0 && len(a.App.Deployments) == 0, err
		})
		if err != nil {
			return err
		}
	}
	for _, name := range services {
		err := until(ctx, name+" answers at the front door", 30*time.Second, func(ctx context.Context) (bool, error) {
			err := s.get(ctx, s.lan, "http://"+door(s.facts, name)+"/healthz", nil)
			return err == nil, err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// application is the application's way to a database at an address.
func (s *stage) application(address string) string {
	u, err := url.Parse(s.facts.Postgres.Source.DSN)
	if err != nil {
		return s.facts.Postgres.Source.DSN
	}
	u.Host = address
	return u.String()
}

// group is the estate's group, its applications with the database's password.
func (s *stage) group(file string, edit func(map[string]any)) (map[string]any, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the estate: %w", err)
	}
	var g map[string]any
	if err := json.Unmarshal(text, &g); err != nil {
		return nil, fmt.Errorf("read the estate in %s: %w", file, err)
	}
	apps, _ := g["apps"].([]any)
	for _, a := range apps {
		app, _ := a.(map[string]any)
		s.password(app["env"])
		if edit != nil {
			edit(app)
		}
	}
	return g, nil
}

func (s *stage) password(env any) {
	if e, ok := env.(map[string]any); ok && e["DATABASE_URL"] != nil {
		e["DATABASE_URL"] = s.application(door(s.facts, "database"))
	}
}

func (s *stage) jobs(file string) ([]map[string]any, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the estate: %w", err)
	}
	var jobs []map[string]any
	if err := json.Unmarshal(text, &jobs); err != nil {
		return nil, fmt.Errorf("read the estate in %s: %w", file, err)
	}
	for _, j := range jobs {
		if run, ok := j["run"].(map[string]any); ok {
			s.password(run["env"])
		}
	}
	return jobs, nil
}

// job makes a job with its schedules, or makes the one that is there so.
func (s *stage) job(ctx context.Context, j map[string]any) error {
	id, _ := j["id"].(string)
	at := s.facts.OldWorld.Metronome + "/v1/jobs"
	schedules, _ := j["schedules"].([]any)
	delete(j, "schedules")
	if err := s.get(ctx, s.old, at+"/"+id, nil); err != nil {
		if err := s.ask(ctx, s.old, http.MethodPost, at, j, nil); err != nil {
			return err
		}
	}
	for _, x := range schedules {
		sch, _ := x.(map[string]any)
		name, _ := sch["id"].(string)
		err := s.ask(ctx, s.old, http.MethodPut, at+"/"+id+"/schedules/"+name, sch, nil)
		if err != nil {
			err = s.ask(ctx, s.old, http.MethodPost, at+"/"+id+"/schedules", sch, nil)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// reset takes back whatever an earlier part left: the cluster's namespaces of the
// estate, the front door's target servers and weights, the fences.
func (s *stage) reset(ctx context.Context) error {
	for _, ns := range []string{"telemetry", "tranship"} {
		if _, err := s.kubectl(ctx, "delete", "namespace", ns, "--ignore-not-found", "--wait=true", "--timeout=90s"); err != nil {
			return err
		}
	}
	if err := s.bare(); err != nil {
		return err
	}
	if err := s.reactivate(ctx); err != nil {
		return err
	}
	return s.fresh(ctx)
}

// reactivate has the old world use its hosts again: those that a move found free
// were drained.
func (s *stage) reactivate(ctx context.Context) error {
	var got struct {
		Slaves []struct {
			ID string `json:"id"`
		} `json:"slaves"`
	}
	if err := s.get(ctx, s.old, s.facts.OldWorld.Mesos+"/master/slaves", &got); err != nil {
		return err
	}
	for _, a := range got.Slaves {
		call := map[string]any{"type": "REACTIVATE_AGENT", "reactivate_agent": map[string]any{"agent_id": map[string]any{"value": a.ID}}}
		if err := s.ask(ctx, s.old, http.MethodPost, s.facts.OldWorld.Mesos+"/api/v1", call, nil); err != nil {
			s.say("agent %s: %v", a.ID, err) // one that was never drained may say so
		}
	}
	return nil
}

// bare empties the mover's blocks in the front door's configuration and has it
// read the file again.
func (s *stage) bare() error {
	file := s.facts.FrontDoor.Config
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("read the front door's configuration: %w", err)
	}
	var out []string
	inside := false
	for line := range strings.Lines(string(text)) {
		mark := strings.TrimSpace(line)
		if strings.HasPrefix(mark, "# tranship end ") {
			inside = false
		}
		if !inside {
			if strings.HasPrefix(mark, "server source ") {
				line = weight.ReplaceAllString(line, " weight 100")
				line = strings.Replace(line, " disabled", "", 1)
			}
			out = append(out, line)
		}
		if strings.HasPrefix(mark, "# tranship begin ") {
			inside = true
		}
	}
	if err := os.WriteFile(file, []byte(strings.Join(out, "")), 0o644); err != nil { //nolint:gosec // HAProxy reads it
		return fmt.Errorf("write the front door's configuration: %w", err)
	}
	return s.reload()
}
