package metronome

import (
	"regexp"
	"slices"

	"github.com/tranship/tranship/internal/discover/field"
	"github.com/tranship/tranship/internal/estate"
)

// injected are the variables that Mesos set for every run.
var injected = []estate.EnvVar{
	{Name: "HOST", Fact: estate.Address},
	{Name: "MESOS_CONTAINER_IP", Fact: estate.Address},
	{Name: "MESOS_SANDBOX", Value: field.Sandbox},
	{Name: "MESOS_TASK_ID", Fact: estate.CopyName},
}

var capitals = regexp.MustCompile(`[A-Z][A-Z0-9_]*`)

// inject gives the container those that one of its texts names.
func (j *reading) inject() {
	named := map[string]bool{}
	for _, t := range j.B.Texts()[j.from:] {
		if t.Workload == j.ID && t.Place.Container != "" {
			for _, w := range capitals.FindAllString(t.String(), -1) {
				named[w] = true
			}
		}
	}
	var out []estate.EnvVar
	for _, x := range injected {
		own := slices.ContainsFunc(j.c.Env, func(e estate.EnvVar) bool { return e.Name == x.Name })
		if named[x.Name] && !own {
			x.Injected = true
			out = append(out, x)
		}
	}
	if named["MESOS_SANDBOX"] {
		j.c.Sandbox = field.Sandbox
	}
	j.c.Env = append(out, j.c.Env...)
}
