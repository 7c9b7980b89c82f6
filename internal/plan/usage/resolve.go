package usage

import (
	"regexp"
	"slices"
	"strings"

	"github.com/tranship/tranship/internal/estate"
)

// A resolver finds the workload that a name in a monitoring system means.
type resolver struct {
	said  map[string]estate.Name
	known map[estate.Name]bool // nil: any name is taken as it is
	// loose finds names by their words alone, in either order.
	loose map[string][]estate.Name
	cache map[string]found
}

// found is what a name came to.
type found struct {
	workload  estate.Name
	copy      string
	container string
	many      []estate.Name
}

const uuid = `[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}`

var (
	// "shop_cart.UUID", "shop_cart.instance-UUID._app.2", "shop_pod.instance-UUID.web".
	taskID = regexp.MustCompile(`^(.+?)\.(?:instance-|marathon-)?(` + uuid + `)(?:\.(.*))?$`)
	// A pod's executor: "instance-shop_pod.UUID".
	executorID = regexp.MustCompile(`^instance-(.+)\.(` + uuid + `)$`)
	// The last part of a Metronome task's path is the run.
	runID = regexp.MustCompile(`^\d{14}[0-9A-Za-z]*$`)
	// "shop_cart.2.k3j2h5k3j2h5k3j2h5k3j2h5k": a task of Swarm.
	swarmTask = regexp.MustCompile(`^(.+)\.(\d+|[a-z0-9]{25})\.([a-z0-9]{25})$`)
)

func newResolver(o Options) *resolver {
	r := &resolver{said: o.Names, cache: map[string]found{}}
	if len(o.Workloads) == 0 {
		return r
	}
	r.known, r.loose = map[estate.Name]bool{}, map[string][]estate.Name{}
	for _, id := range o.Workloads {
		if r.known[id] {
			continue
		}
		r.known[id] = true
		parts := words(string(id))
		forward := strings.Join(parts, "-")
		slices.Reverse(parts)
		back := strings.Join(parts, "-")
		r.loose[forward] = append(r.loose[forward], id)
		if back != forward {
			r.loose[back] = append(r.loose[back], id)
		}
	}
	return r
}

func words(s string) []string {
	return strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return strings.ContainsRune("/._- :", r) })
}

// find resolves a name. With no known workloads any name is one.
func (r *resolver) find(name string) (found, bool) {
	f, ok := r.cache[name]
	if !ok {
		f = r.look(strings.TrimSpace(name))
		r.cache[strings.Clone(name)] = f
	}
	return f, f.workload != ""
}

func (r *resolver) look(name string) found {
	if name == "" {
		return found{}
	}
	if id, ok := r.said[name]; ok {
		return found{workload: id}
	}
	if r.known[estate.Name(name)] {
		return found{workload: estate.Name(name)}
	}
	if f := r.task(name); f.workload != "" || f.many != nil {
		return f
	}
	if r.known == nil {
		return found{workload: estate.Name(name)}
	}
	return r.plain(name)
}

// task takes a task's ID apart.
func (r *resolver) task(name string) found {
	if m := taskID.FindStringSubmatch(name); m != nil {
		container := m[3]
		if strings.HasPrefix(container, "_app") || strings.Trim(container, "0123456789") == "" {
			container = "" // an incarnation
		} else if base, n, ok := strings.Cut(container, "."); ok && strings.Trim(n, "0123456789") == "" {
			container = base
		}
		return r.path(m[1], m[2], container)
	}
	if m := executorID.FindStringSubmatch(name); m != nil {
		return r.path(m[1], m[2], "")
	}
	if m := swarmTask.FindStringSubmatch(name); m != nil {
		f := r.path(m[1], m[3], "")
		if f.workload == "" && f.many == nil {
			f = r.plain(m[1])
			f.copy = m[3]
		}
		return f
	}
	return found{}
}

// path finds the workload of a path whose slashes became underscores.
func (r *resolver) path(path, copy, container string) found {
	parts := strings.Split(strings.Trim(path, "_"), "_")
	try := []estate.Name{}
	if n := len(parts) - 1; n > 0 && runID.MatchString(parts[n]) {
		job := strings.Join(parts[:n], ".")
		copy += parts[n]
		try = append(try, estate.Name(job), estate.Name("/"+job), estate.Name("/"+strings.Join(parts[:n], "/")))
	} else {
		try = append(try, estate.Name("/"+strings.Join(parts, "/")), estate.Name(strings.Trim(path, "_")))
	}
	for _, id := range try {
		if r.known == nil || r.known[id] {
			return found{workload: id, copy: copy, container: container}
		}
	}
	f := r.plain(path)
	f.copy, f.container = copy, container
	return f
}

// plain finds a name that is written in some other way: "cart.shop",
// "shop/cart", "shop-cart", "shop_cart".
func (r *resolver) plain(name string) found {
	if r.known == nil {
		return found{}
	}
	parts := strings.Split(strings.Trim(name, "."), ".")
	slices.Reverse(parts)
	for _, id := range []estate.Name{
		estate.Name("/" + strings.TrimPrefix(name, "/")), estate.Name(strings.TrimPrefix(name, "/")),
		estate.Name("/" + strings.Join(parts, "/")), estate.Name("/" + strings.ReplaceAll(name, "_", "/")),
	} {
		if r.known[id] {
			return found{workload: id}
		}
	}
	switch ids := r.loose[strings.Join(words(name), "-")]; len(ids) {
	case 0:
		return found{}
	case 1:
		return found{workload: ids[0]}
	default:
		return found{many: ids}
	}
}
