package pod

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/discover/field"
	"github.com/tranship/tranship/internal/estate"
)

// inject gives the containers the variables that Marathon and Mesos set, as far
// as a container names them or a port depends on them. The user's own win.
func (p *pod) inject() {
	for i := range p.w.Containers {
		c := &p.w.Containers[i]
		named := p.named(c)
		var out []estate.EnvVar
		for _, x := range p.injected(c) {
			own := slices.ContainsFunc(c.Env, func(e estate.EnvVar) bool { return e.Name == x.Name })
			if !own && (named[x.Name] || x.Value != "" && p.dynamic(x.Name)) {
				x.Injected = true
				out = append(out, x)
			}
		}
		if named["MESOS_SANDBOX"] {
			c.Sandbox = field.Sandbox
		}
		c.Env = append(out, c.Env...)
	}
}

// dynamic reports whether the variable tells a port that the program must obey.
func (p *pod) dynamic(name string) bool {
	for i := range p.w.Containers {
		for _, port := range p.w.Containers[i].Ports {
			if port.Dynamic && (name == "EP_HOST_"+variable(port.Name) || name == "EP_CONTAINER_"+variable(port.Name)) {
				return true
			}
		}
	}
	return false
}

// variable gives an endpoint's name as it stands in variables.
func variable(name string) string {
	return strings.ToUpper(notVariable.ReplaceAllString(name, "_"))
}

var notVariable = regexp.MustCompile(`[^a-zA-Z0-9_]`)

// injected gives all variables that the container got. Those of endpoints are
// the same in all containers of a pod.
func (p *pod) injected(c *estate.Container) []estate.EnvVar {
	out := []estate.EnvVar{
		{Name: "HOST", Fact: estate.Address},
		{Name: "MARATHON_APP_ID", Value: string(p.ID)},
		{Name: "MARATHON_CONTAINER_ID", Value: c.Name},
		{Name: "MARATHON_CONTAINER_RESOURCE_CPUS", Value: strconv.FormatFloat(float64(c.CPU)/1000, 'f', -1, 64)},
		{Name: "MARATHON_CONTAINER_RESOURCE_MEM", Value: mebibytes(c.Memory)},
		{Name: "MARATHON_CONTAINER_RESOURCE_DISK", Value: mebibytes(c.Disk)},
		{Name: "MARATHON_CONTAINER_RESOURCE_GPUS", Value: strconv.Itoa(c.GPUs)},
		{Name: "MESOS_CONTAINER_IP", Fact: estate.Address},
		{Name: "MESOS_SANDBOX", Value: field.Sandbox},
		{Name: "MESOS_TASK_ID", Fact: estate.CopyName},
	}
	seen := map[string]bool{}
	for i := range p.w.Containers {
		for _, port := range p.w.Containers[i].Ports {
			name := variable(port.Name)
			if name == "" || seen[name] {
				continue
			}
			seen[name] = true
			n := strconv.Itoa(port.Number)
			for _, prefix := range []string{"EP_CONTAINER_", "EP_HOST_", "PORT_"} {
				out = append(out, estate.EnvVar{Name: prefix + name, Value: n})
			}
		}
	}
	return out
}

func mebibytes(b unit.Bytes) string {
	return strconv.FormatFloat(float64(b)/float64(unit.MiB), 'f', 1, 64)
}

var word = regexp.MustCompile(`[A-Z][A-Z0-9_]*`)

// named gives the words in capitals that stand in the texts of c.
func (p *pod) named(c *estate.Container) map[string]bool {
	out := map[string]bool{}
	for _, t := range p.B.Texts()[p.from:] {
		if t.Workload == p.ID && t.Place.Container == c.Name {
			for _, w := range word.FindAllString(t.String(), -1) {
				out[w] = true
			}
		}
	}
	return out
}
