package swarm

import (
	"math"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/estate"
)

// resources sets what the service asks for and what it may use at most.
func (s *service) resources() {
	c := &s.c
	var limits, reserved types.Resource
	if c.Deploy != nil {
		if c.Deploy.Resources.Limits != nil {
			limits = *c.Deploy.Resources.Limits
		}
		if c.Deploy.Resources.Reservations != nil {
			reserved = *c.Deploy.Resources.Reservations
		}
	}
	limit := firstCPU(float64(limits.NanoCPUs), float64(c.CPUS), quota(c.CPUQuota, c.CPUPeriod))
	if n, err := unit.Cores(limit); err == nil && n > 0 {
		s.k.CPULimit = &n
	}
	if n, err := unit.Cores(firstCPU(float64(reserved.NanoCPUs), float64(c.CPUShares)/1024)); err == nil {
		s.k.CPU = n
	}
	memory := max(limits.MemoryBytes, 0)
	if memory == 0 {
		memory = max(c.MemLimit, 0)
	}
	request := max(reserved.MemoryBytes, 0)
	if request == 0 {
		request = max(c.MemReservation, 0)
	}
	if memory > 0 {
		n := unit.Bytes(memory)
		s.k.MemoryLimit = &n
		if request == 0 {
			request = memory
		}
	}
	s.k.Memory = unit.Bytes(request)
	pids := limits.Pids
	if pids == 0 {
		pids = c.PidsLimit
	}
	s.k.Security.ProcessesLimit = int(max(min(pids, math.MaxInt32), 0))
	for _, d := range append(slices.Clone(reserved.Devices), c.Gpus...) {
		s.k.GPUs += gpus(d)
	}
	for _, g := range reserved.GenericResources {
		if d := g.DiscreteResourceSpec; d != nil && isGPU(d.Kind) {
			s.k.GPUs += int(max(min(d.Value, 1024), 0))
		}
	}
}

func firstCPU(list ...float64) float64 {
	for _, n := range list {
		if n > 0 {
			return math.Round(n*1e6) / 1e6 // the types hold 32 bits
		}
	}
	return 0
}

func quota(quota, period int64) float64 {
	if period == 0 {
		period = 100_000
	}
	if quota <= 0 || period < 0 {
		return 0
	}
	return float64(quota) / float64(period)
}

func isGPU(kind string) bool {
	kind = strings.ToLower(kind)
	return strings.Contains(kind, "gpu")
}

// gpus gives how many GPUs a request for devices asks for: all are at least one.
func gpus(d types.DeviceRequest) int {
	if !slices.Contains(d.Capabilities, "gpu") && d.Driver != "nvidia" {
		return 0
	}
	if len(d.IDs) > 0 {
		return len(d.IDs)
	}
	return int(max(min(d.Count, 1024), 1))
}

func noteReservation(s *service, v *jsonpos.Value) {
	if s.c.Deploy != nil && s.c.Deploy.Resources.Reservations != nil && s.c.Deploy.Resources.Reservations.MemoryBytes > 0 {
		s.put(v, overridden)
		return
	}
	s.put(v, exact(Memory, "container#resources.requests.memory", "the same request"))
}

func noteDevices(s *service, v *jsonpos.Value) {
	if v.IsLeaf() && v.Kind() != jsonpos.String {
		s.put(v, empty)
		return
	}
	s.put(v, decision(Device, "container#resources.limits.nvidia.com/gpu", "which devices, by which plugin; proposed are as many GPUs as are asked for"))
}

func (s *service) noteResources(v *jsonpos.Value) {
	if v.IsLeaf() {
		s.put(v, empty)
		return
	}
	for _, part := range s.mapping(v) {
		if part.v.IsLeaf() {
			s.put(part.v, empty)
			continue
		}
		limit := part.key == "limits"
		if !limit && part.key != "reservations" {
			continue
		}
		for _, m := range s.mapping(part.v) {
			switch {
			case m.v.IsNull():
				s.put(m.v, empty)
			case m.key == "cpus" && limit:
				s.put(m.v, equivalent(Processor, "container#resources.limits.cpu", "the same limit; nothing is reserved by it"))
			case m.key == "cpus":
				s.put(m.v, exact(Processor, "container#resources.requests.cpu", "the same request"))
			case m.key == "memory" && limit:
				s.put(m.v, equivalent(Memory, "container#resources.limits.memory", "the same limit, requested as a whole where nothing less is reserved"))
			case m.key == "memory":
				s.put(m.v, exact(Memory, "container#resources.requests.memory", "the same request"))
			case m.key == "pids":
				s.put(m.v, approximate(Tuning, "", "kubelet bounds processes for all pods of a node alike"))
			case m.key == "devices", m.key == "generic_resources":
				noteDevices(s, m.v)
			}
		}
	}
}

// health sets the check. Docker marks a copy that fails it; Swarm replaces
// the copy, plain Compose leaves it running.
func (s *service) health() {
	h := s.c.HealthCheck
	if h == nil || h.Disable || len(h.Test) == 0 || h.Test[0] == "NONE" {
		return
	}
	x := estate.HealthCheck{
		Kind: estate.Command, Interval: 30, Timeout: 30, Failures: 3, Loopback: true, Kills: s.stack,
	}
	switch h.Test[0] {
	case "CMD":
		x.Command = slices.Clone(h.Test[1:])
	case "CMD-SHELL":
		x.Shell = strings.Join(h.Test[1:], " ")
	default:
		s.fail(RefusedValue, at(s.raw, "healthcheck", "test"), "has a health check that begins with neither CMD nor CMD-SHELL", "write one of both first; the check was left out")
		return
	}
	if x.Shell == "" && len(x.Command) == 0 {
		return
	}
	for _, d := range []struct {
		from *types.Duration
		to   *unit.Seconds
	}{{h.Interval, &x.Interval}, {h.Timeout, &x.Timeout}, {h.StartPeriod, &x.Grace}, {h.StartInterval, &x.StartInterval}} {
		if d.from != nil && (*d.from > 0 || d.to == &x.Grace) {
			*d.to = seconds(*d.from)
		}
	}
	if h.Retries != nil && *h.Retries > 0 {
		x.Failures = int(min(*h.Retries, 1<<20))
	}
	s.k.Checks = []estate.HealthCheck{x}
	text := x.Shell
	if text == "" {
		text = strings.Join(x.Command, " ")
	}
	s.b.Text(discover.Text{
		Workload: s.w.ID, Place: estate.Place{Container: s.k.Name, Field: "check", Key: "0"}, File: s.file, At: s.raw, Raw: text,
	})
}

func noteHealth(s *service, v *jsonpos.Value) {
	if v.IsLeaf() {
		s.put(v, empty)
		return
	}
	checked := len(s.k.Checks) > 0
	for _, m := range s.mapping(v) {
		r := exact(HealthCheck, "container#readinessProbe", "the same")
		if s.stack {
			r.Target = "container#livenessProbe"
		}
		switch m.key {
		case "test":
			if !checked {
				s.put(m.v, approximate(NoHealthCheck, "", "no check, nor the image's own: Kubernetes never runs that one"))
				continue
			}
			s.noteTest(m.v, r)
		case "disable":
			s.put(m.v, approximate(NoHealthCheck, "", "no check, nor the image's own: Kubernetes never runs that one"))
		case "interval", "timeout", "retries", "start_period", "start_interval":
			if !checked {
				r = approximate(NoHealthCheck, "", "times the check that the image brings, which Kubernetes never runs")
			} else if m.key == "start_interval" {
				r = approximate(HealthCheck, "container#startupProbe.periodSeconds", "how often it asks until the first success")
			}
			s.put(m.v, r)
		}
	}
}

func (s *service) noteTest(v *jsonpos.Value, r discover.Ruling) {
	secret := decision(SecretInText, r.Target, "holds a secret, which is taken out; proposed is to read it from a variable")
	if v.Kind() != jsonpos.Array {
		if s.unclean(v) {
			r = secret
		}
		s.put(v, r)
		return
	}
	for i, e := range v.Elems() {
		switch {
		case s.unclean(e):
			s.put(e, secret)
		case i == 0:
			s.put(e, exact(HealthCheck, r.Target, "run by a shell or directly, as before"))
		default:
			s.put(e, r)
		}
	}
}
