package wave

import (
	"regexp"
	"strings"

	"github.com/tranship/tranship/internal/estate"
)

var (
	// lockVariable is a variable that names a lock, not how long to wait for one.
	lockVariable = regexp.MustCompile(`(?i)^(.*[_.-])?(lock|lockfile|mutex)([_.-]?(name|key|path|file|dir|node|id))?$`)
	// lockCommand takes a lock of the machine or of Consul before a program runs.
	lockCommand = regexp.MustCompile(`(?:^|[\s;&|(])(?:flock|consul\s+lock)\s+((?:-\S+\s+(?:\d+\s+)?)*)("[^"]+"|'[^']+'|[^\s;&|]+)`)
)

// locks gives the locks by name, with who takes each. A lock keeps runs apart
// only as long as all who take it are in one world. Only what a job takes part
// in counts: services that elect a leader among their own copies move alone.
func (g *graph) locks() map[string][]estate.Name {
	takers, jobs := map[string][]estate.Name{}, map[string]bool{}
	for _, w := range g.workloads {
		job := w.Kind == estate.Job || w.Kind == estate.Schedule
		for i := range w.Containers {
			c := &w.Containers[i]
			for _, v := range c.Env {
				if !v.Injected && lockVariable.MatchString(v.Name) && namesLock(v.Value) {
					key := "lock " + v.Value
					takers[key], jobs[key] = append(takers[key], w.ID), jobs[key] || job
				}
			}
			for _, m := range lockCommand.FindAllStringSubmatch(c.Shell+" \n"+strings.Join(c.Command, " ")+" \n"+strings.Join(c.Args, " "), -1) {
				if name := strings.Trim(m[2], `"'`); namesLock(name) {
					key := "lock " + name
					takers[key], jobs[key] = append(takers[key], w.ID), jobs[key] || job
				}
			}
		}
	}
	for key := range takers {
		if !jobs[key] {
			delete(takers, key)
		}
	}
	return takers
}

// namesLock tells a lock's name from a switch, a number or an open variable.
func namesLock(s string) bool {
	switch strings.ToLower(s) {
	case "", "true", "false", "yes", "no", "on", "off", "none", "null", "disabled", "enabled":
		return false
	}
	return strings.ContainsFunc(s, func(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }) && !strings.HasPrefix(s, "$")
}
