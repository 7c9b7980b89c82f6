package metronome

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/tranship/tranship/lab/oldworld/definition"
	"github.com/tranship/tranship/lab/oldworld/mesos"
)

// Job is a definition.
type Job struct {
	ID           string            `json:"id"`
	Description  string            `json:"description,omitempty"`
	Dependencies []dependency      `json:"dependencies,omitempty"`
	Labels       map[string]string `json:"labels"`
	Run          json.RawMessage   `json:"run"`
	Schedules    []*Schedule       `json:"schedules,omitempty"`
}

type dependency struct {
	ID string `json:"id"`
}

// Schedule says when a job runs.
type Schedule struct {
	ID          string `json:"id"`
	Cron        string `json:"cron"`
	Timezone    string `json:"timezone"`
	Deadline    int    `json:"startingDeadlineSeconds"`
	Concurrency string `json:"concurrencyPolicy"`
	Enabled     bool   `json:"enabled"`

	next time.Time
}

// UnmarshalJSON fills in what is not said.
func (s *Schedule) UnmarshalJSON(text []byte) error {
	type plain Schedule
	p := plain{Timezone: "UTC", Deadline: 900, Concurrency: "ALLOW", Enabled: true}
	if err := json.Unmarshal(text, &p); err != nil {
		return err
	}
	*s = Schedule(p)
	return nil
}

// runSpec is a job's run, as far as it is acted on.
type runSpec struct {
	Cmd    string                     `json:"cmd"`
	Args   []string                   `json:"args"`
	CPUs   float64                    `json:"cpus"`
	Mem    float64                    `json:"mem"`
	Disk   float64                    `json:"disk"`
	Env    map[string]json.RawMessage `json:"env"`
	Docker *struct {
		Image string `json:"image"`
	} `json:"docker"`
	UCR *struct {
		Image struct {
			ID string `json:"id"`
		} `json:"image"`
	} `json:"ucr"`
	Placement struct {
		Constraints []struct {
			Attribute, Operator, Value string
		} `json:"constraints"`
	} `json:"placement"`
	Restart struct {
		Policy   string `json:"policy"`
		Deadline int    `json:"activeDeadlineSeconds"`
	} `json:"restart"`
	Volumes []struct {
		ContainerPath string `json:"containerPath"`
		HostPath      string `json:"hostPath"`
		Mode          string `json:"mode"`
	} `json:"volumes"`
	Grace *float64 `json:"taskKillGracePeriodSeconds"`
}

func parseRun(text json.RawMessage) (runSpec, error) {
	r := runSpec{CPUs: 1, Mem: 128}
	if err := json.Unmarshal(text, &r); err != nil {
		return r, fmt.Errorf("read run: %w", err)
	}
	return r, nil
}

func (r runSpec) image() string {
	switch {
	case r.Docker != nil:
		return r.Docker.Image
	case r.UCR != nil:
		return r.UCR.Image.ID
	}
	return ""
}

func (r runSpec) grace() time.Duration {
	if r.Grace != nil {
		return time.Duration(*r.Grace * float64(time.Second))
	}
	return 3 * time.Second
}

func (r runSpec) fits(a mesos.Agent) bool {
	for _, c := range r.Placement.Constraints {
		field, operator := c.Attribute, c.Operator
		if operator == "EQ" {
			operator = "IS"
		}
		if !definition.Fits([]string{field, operator, c.Value}, a, 1, nil) {
			return false
		}
	}
	return true
}

// app is how Metronome, which is built on Marathon, has the run as an app: its tasks see that in their environment.
func (r runSpec) app(job, run string) *definition.App {
	a := &definition.App{ID: "/" + job + "/" + run, CPUs: r.CPUs, Mem: r.Mem, Disk: r.Disk, Env: r.Env}
	if i := r.image(); i != "" {
		a.Container = &definition.Container{Docker: &definition.Docker{Image: i}}
	}
	return a
}

// detail is one complaint.
type detail struct {
	Path   string   `json:"path"`
	Errors []string `json:"errors"`
}

// invalidError is a definition that is refused: 422.
type invalidError struct{ details []detail }

func (e *invalidError) Error() string { return "Object is not valid" }

var jobID = regexp.MustCompile(`^([a-z0-9]+(-+[a-z0-9]+)*)(\.([a-z0-9]+(-+[a-z0-9]+)*))*$`)

// parseJob reads and judges a definition.
func parseJob(text []byte) (*Job, error) {
	j := &Job{Labels: map[string]string{}}
	if err := json.Unmarshal(text, j); err != nil {
		return nil, &invalidError{[]detail{{Path: "", Errors: []string{err.Error()}}}}
	}
	var bad []detail
	say := func(path, problem string) { bad = append(bad, detail{path, []string{problem}}) }
	if !jobID.MatchString(j.ID) {
		say("/id", "error.pattern")
	}
	if j.Labels == nil {
		j.Labels = map[string]string{}
	}
	var fields map[string]json.RawMessage
	if len(j.Run) == 0 || json.Unmarshal(j.Run, &fields) != nil {
		say("/run", "error.path.missing")
		return nil, &invalidError{bad}
	}
	r, err := parseRun(j.Run)
	if err != nil {
		return nil, &invalidError{append(bad, detail{"/run", []string{err.Error()}})}
	}
	if r.Cmd != "" && len(r.Args) > 0 {
		say("/run", "Either cmd or args, not both")
	}
	if r.Cmd == "" && len(r.Args) == 0 && r.image() == "" {
		say("/run", "Cmd, docker or ucr must be specified")
	}
	if r.CPUs < 0.01 {
		say("/run/cpus", "error.minimum")
	}
	if r.Mem < 32 {
		say("/run/mem", "error.minimum")
	}
	if p := r.Restart.Policy; p != "" && p != "NEVER" && p != "ON_FAILURE" {
		say("/run/restart/policy", "error.enum")
	}
	for i, c := range r.Placement.Constraints {
		if !slices.Contains([]string{"IS", "EQ", "LIKE", "UNLIKE"}, c.Operator) {
			say(fmt.Sprintf("/run/placement/constraints(%d)/operator", i), "error.enum")
		}
	}
	for i, s := range j.Schedules {
		if err := s.judge(); err != nil {
			say(fmt.Sprintf("/schedules(%d)", i), err.Error())
		}
	}
	// What is not said is shown with its default, as Metronome does.
	for key, usual := range map[string]string{
		"disk": "0", "artifacts": "[]", "volumes": "[]", "env": "{}", "placement": `{"constraints":[]}`, "maxLaunchDelay": "3600",
		"restart": `{"policy":"NEVER"}`, "secrets": "{}",
	} {
		if len(fields[key]) == 0 {
			fields[key] = json.RawMessage(usual)
		}
	}
	j.Run, err = json.Marshal(fields)
	if err != nil || len(bad) > 0 {
		return nil, errors.Join(err, &invalidError{bad})
	}
	return j, nil
}

func (s *Schedule) judge() error {
	if !jobID.MatchString(s.ID) {
		return fmt.Errorf("schedule id %q is none", s.ID)
	}
	if _, err := cron.ParseStandard(s.Cron); err != nil {
		return fmt.Errorf("cron %q is none: %w", s.Cron, err)
	}
	if _, err := time.LoadLocation(s.Timezone); err != nil {
		return fmt.Errorf("timezone %q is none", s.Timezone)
	}
	if s.Concurrency != "ALLOW" && s.Concurrency != "FORBID" {
		return fmt.Errorf("concurrencyPolicy %q is neither ALLOW nor FORBID", s.Concurrency)
	}
	if s.Deadline < 1 {
		return errors.New("startingDeadlineSeconds is below 1")
	}
	return nil
}
