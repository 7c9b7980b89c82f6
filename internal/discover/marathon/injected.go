package marathon

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/discover/field"
	"github.com/tranship/tranship/internal/estate"
)

// mentions are the variables that an app's texts may read.
type mentions map[string]bool

// plain finds names that mean nothing but a variable of Mesos' or Marathon's;
// shy finds the short ones, which must look like a variable.
var (
	plain = regexp.MustCompile(`\b(?:PORT\d+|PORT_[A-Za-z0-9_]+|MESOS_[A-Z_]+|MARATHON_APP_[A-Z0-9_]+|LIBPROCESS_IP)\b`)
	shy   = regexp.MustCompile(`(?:\$\{?|["'\[.]|getenv\()\s*["']?(HOST|PORTS?)\b`)
)

func (m mentions) scan(text string) {
	if !strings.ContainsAny(text, "OR") { // every name has one of the two letters
		return
	}
	for _, name := range plain.FindAllString(text, -1) {
		m[name] = true
	}
	for _, found := range shy.FindAllStringSubmatch(text, -1) {
		m[found[1]] = true
	}
}

// inject adds the variables that Marathon and Mesos set and that the app reads
// by name: in its command, arguments, variables or checks. A dynamic port is
// told in any case, since the program has no other way to know it.
func (a *app) inject() {
	m := mentions{}
	a.mentioned(m)
	user := map[string]bool{}
	for _, e := range a.c.Env {
		user[e.Name] = true
	}
	var out []estate.EnvVar
	add := func(e estate.EnvVar) {
		if !user[e.Name] {
			user[e.Name] = true
			e.Injected = true
			out = append(out, e)
		}
	}
	a.portVariables(m, add)
	for name := range m {
		if e, ok := a.variable(name); ok {
			add(e)
		}
	}
	slices.SortFunc(out, func(x, y estate.EnvVar) int { return strings.Compare(x.Name, y.Name) })
	a.c.Env = append(a.c.Env, out...)
}

func (a *app) mentioned(m mentions) {
	for _, key := range []string{"cmd", "args", "env", "healthChecks", "check", "fetch", "uris"} {
		a.v.Get(key).Leaves(func(leaf *jsonpos.Value) {
			if leaf.Kind() == jsonpos.String {
				m.scan(leaf.Text())
			}
		})
	}
	a.docker.Get("parameters").Leaves(func(leaf *jsonpos.Value) { m.scan(leaf.Text()) })
}

func (a *app) portVariables(m mentions, add func(estate.EnvVar)) {
	var all []string
	for i, p := range a.c.Ports {
		n := strconv.Itoa(p.Number)
		all = append(all, n)
		names := []string{"PORT" + strconv.Itoa(i)}
		if i == 0 {
			names = append(names, "PORT")
		}
		if p.Dynamic {
			for _, name := range names {
				add(estate.EnvVar{Name: name, Value: n})
			}
		}
		names = append(names, "PORT_"+n)
		if p.Name != "" {
			names = append(names, "PORT_"+strings.ToUpper(p.Name), "PORT_"+strings.ToUpper(strings.ReplaceAll(p.Name, "-", "_")))
		}
		for _, other := range []int{p.HostPort, p.ServicePort} {
			if other > 0 {
				names = append(names, "PORT_"+strconv.Itoa(other))
			}
		}
		for _, name := range names {
			if m[name] {
				add(estate.EnvVar{Name: name, Value: n})
			}
		}
	}
	if m["PORTS"] && len(all) > 0 {
		add(estate.EnvVar{Name: "PORTS", Value: strings.Join(all, ",")})
	}
}

// variable gives what stands for a variable of the old scheduler.
func (a *app) variable(name string) (estate.EnvVar, bool) {
	e := estate.EnvVar{Name: name}
	switch name {
	case "HOST", "LIBPROCESS_IP":
		e.Fact = estate.Address
	case "MESOS_TASK_ID", "MESOS_CONTAINER_NAME", "MESOS_EXECUTOR_ID":
		e.Fact = estate.CopyName
	case "MESOS_SANDBOX", "MESOS_DIRECTORY":
		e.Value, a.c.Sandbox = field.Sandbox, field.Sandbox
	case "MARATHON_APP_ID":
		e.Value = string(a.ID)
	case "MARATHON_APP_DOCKER_IMAGE":
		e.Value = a.c.Image
	case "MARATHON_APP_VERSION":
		v := a.v.Get("version")
		e.Value = v.Text()
		a.B.Amend(v, func(en *ledger.Entry) {
			en.Verdict, en.Reason = ledger.Approximate, "kept to notice changes; the program reads it, and it is the last version of the old world from now on"
		})
	case "MARATHON_APP_RESOURCE_CPUS":
		e.Value = decimal(float64(a.c.CPU) / 1000)
	case "MARATHON_APP_RESOURCE_MEM":
		e.Value = decimal(float64(a.c.Memory) / (1 << 20))
	case "MARATHON_APP_RESOURCE_DISK":
		e.Value = decimal(float64(a.c.Disk) / (1 << 20))
	case "MARATHON_APP_RESOURCE_GPUS":
		e.Value = strconv.Itoa(a.c.GPUs)
	default:
		return a.labelVariable(name)
	}
	return e, true
}

// decimal writes a number as Scala does: 1.0, 0.25.
func decimal(f float64) string {
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

var notInVariable = regexp.MustCompile(`[^a-zA-Z0-9_]+`)

func (a *app) labelVariable(name string) (estate.EnvVar, bool) {
	var keys []string
	for key, value := range a.w.Labels {
		upper := strings.ToUpper(notInVariable.ReplaceAllString(key, "_"))
		if "MARATHON_APP_LABEL_"+upper == name && len(value) < 512 {
			return estate.EnvVar{Name: name, Value: value}, true
		}
		keys = append(keys, upper)
	}
	if name != "MARATHON_APP_LABELS" {
		return estate.EnvVar{}, false
	}
	slices.Sort(keys)
	return estate.EnvVar{Name: name, Value: strings.Join(keys, " ")}, true
}
