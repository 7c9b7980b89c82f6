package usage

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Labels that hold a workload's name or its task's, the surest first. They are
// compared in lower case.
var ownerLabels = []string{
	"workload", "marathon_app_id", "container_env_marathon_app_id", "container_label_marathon_app_id", "container_label_marathon_app", "app_id", "appid",
	"container_label_mesos_task_id", "container_env_mesos_task_id", "mesos_task_id", "task_id", "taskid", "executor_id", "source", "task_name",
	"container_label_com_docker_swarm_service_name", "swarm_service", "service_name", "container_label_com_docker_compose_service", "service", "app", "deployment", "task", "name", "container_name", "job",
}

// Labels that tell copies apart.
var copyLabels = []string{"copy", "replica", "container_label_mesos_task_id", "container_env_mesos_task_id", "mesos_task_id", "task_id", "taskid", "executor_id", "container_label_com_docker_swarm_task_id", "pod", "container_id", "id", "instance"}

var containerLabels = []string{"container", "container_label_io_kubernetes_container_name"}

// prometheus reads one series of a query's answer.
func (c *collector) prometheus(v json.RawMessage) {
	var in struct {
		Metric map[string]word `json:"metric"`
		Values []sample        `json:"values"`
		Value  *sample         `json:"value"`
	}
	if !c.lax(v, &in) {
		return
	}
	if in.Value != nil {
		in.Values = append(in.Values, *in.Value)
	}
	name := string(in.Metric["__name__"])
	m, ok := c.measure(name)
	if !ok && name == "" {
		m, ok = c.measure(c.base()) // a query takes the name away
	}
	if !ok {
		c.note(c.strange, "metric "+orNone(name))
		return
	}
	lower := make(map[string]string, len(in.Metric))
	for _, k := range slices.Sorted(maps.Keys(in.Metric)) {
		lower[strings.ToLower(k)] = string(in.Metric[k])
	}
	owner, ok := c.labelled(lower)
	if !ok {
		return
	}
	k := key{workload: owner.workload, copy: owner.copy, container: owner.container}
	for _, l := range copyLabels {
		if k.copy == "" && string(k.workload) != lower[l] {
			k.copy = lower[l]
		}
	}
	for _, l := range containerLabels {
		if x := lower[l]; k.container == "" && x != "POD" {
			k.container = x
		}
	}
	delete(in.Metric, "__name__")
	labels, _ := json.Marshal(in.Metric) // keys sorted
	r := c.series(k, m, string(labels))
	if r == nil {
		return
	}
	for _, p := range in.Values {
		c.add(r, p.at, p.value)
	}
}

func orNone(s string) string {
	if s == "" {
		return "(no name)"
	}
	return s
}

// labelled finds the workload that labels speak of.
func (c *collector) labelled(labels map[string]string) (found, bool) {
	if c.o.Label != "" {
		return c.owner(labels[strings.ToLower(c.o.Label)])
	}
	var names []string
	for _, l := range ownerLabels {
		if x := labels[l]; x != "" {
			names = append(names, x)
		}
	}
	if c.resolve.known != nil {
		// Whichever label holds the name of a workload.
		for _, l := range slices.Sorted(maps.Keys(labels)) {
			if l != "__name__" && !slices.Contains(names, labels[l]) {
				names = append(names, labels[l])
			}
		}
	}
	return c.owner(names...)
}

// A sample is [time, "value"]. One that cannot be read has no number.
type sample struct {
	at    int64
	value float64
}

// UnmarshalJSON reads a sample without failing: a bad one is counted later.
func (s *sample) UnmarshalJSON(b []byte) error {
	*s = sample{value: math.NaN()}
	first, second, ok := strings.Cut(strings.Trim(string(b), "[] \t\r\n"), ",")
	if !ok {
		return nil
	}
	t, err := strconv.ParseFloat(strings.TrimSpace(first), 64)
	if err != nil {
		return nil
	}
	at, ok := seconds(t)
	if !ok {
		return nil
	}
	v, err := strconv.ParseFloat(strings.Trim(strings.TrimSpace(second), `"`), 64)
	if err != nil {
		return nil
	}
	*s = sample{at, v}
	return nil
}
