package swarm

import (
	"math"
	"slices"
	"strconv"
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

// ports sets the ports: those that are published, then those that are exposed.
func (s *service) ports() {
	for _, p := range s.c.Ports {
		s.port(p)
	}
	for _, text := range s.c.Expose {
		first, last, protocol, ok := exposed(text)
		if !ok {
			s.fail(RefusedValue, at(s.raw, "expose"), "exposes what is no port", "write a number, a range, or either with /udp")
			continue
		}
		for n := first; n <= last; n++ {
			s.addPort(estate.Port{Number: n, Protocols: []string{protocol}})
		}
	}
	slices.SortStableFunc(s.k.Ports, func(a, b estate.Port) int {
		if a.Number != b.Number {
			return a.Number - b.Number
		}
		return strings.Compare(strings.Join(a.Protocols, ","), strings.Join(b.Protocols, ","))
	})
}

// maxPublished bounds how many ports a range is written out to.
const maxPublished = 512

func (s *service) port(p types.ServicePortConfig) {
	x := estate.Port{Name: p.Name, Number: int(p.Target), HostIP: p.HostIP, Protocols: []string{protocolOf(p.Protocol)}}
	if x.Number < 1 || x.Number > 65535 {
		s.fail(RefusedValue, at(s.raw, "ports"), "publishes what is no port", "write a number from 1 to 65535")
		return
	}
	if !slices.Contains([]string{"tcp", "udp", "sctp"}, x.Protocols[0]) {
		s.fail(RefusedValue, at(s.raw, "ports"), "publishes a port of a protocol that Docker does not have", "write tcp, udp or sctp; tcp was taken")
		x.Protocols[0] = "tcp"
	}
	if first, _, _ := strings.Cut(p.Published, "-"); first != "" {
		n, err := strconv.Atoi(first)
		if err != nil || n < 0 || n > 65535 {
			s.fail(RefusedValue, at(s.raw, "ports"), "publishes port "+strconv.Itoa(x.Number)+" as what is no port", "write a number from 1 to 65535")
		} else if p.Mode == "host" {
			x.HostPort = n
		} else {
			x.Published = n
		}
	}
	s.addPort(x)
}

func protocolOf(p string) string {
	if p == "" {
		return "tcp"
	}
	return strings.ToLower(p)
}

// addPort adds a port unless the same one is there with as much said of it.
func (s *service) addPort(x estate.Port) {
	bare := x.Published == 0 && x.HostPort == 0
	for i := range s.k.Ports {
		have := &s.k.Ports[i]
		if have.Number != x.Number || !slices.Equal(have.Protocols, x.Protocols) {
			continue
		}
		if bare || have.Published == x.Published && have.HostPort == x.HostPort && have.HostIP == x.HostIP {
			return
		}
		if have.Published == 0 && have.HostPort == 0 {
			*have = x
			return
		}
	}
	if len(s.k.Ports) < maxPublished {
		s.k.Ports = append(s.k.Ports, x)
	}
}

// exposed reads "80", "80-90" and either with a protocol.
func exposed(text string) (first, last int, protocol string, ok bool) {
	text, protocol, _ = strings.Cut(text, "/")
	from, to, isRange := strings.Cut(text, "-")
	first, err := strconv.Atoi(strings.TrimSpace(from))
	last = first
	if isRange && err == nil {
		last, err = strconv.Atoi(strings.TrimSpace(to))
	}
	known := slices.Contains([]string{"tcp", "udp", "sctp"}, protocolOf(protocol))
	return first, last, protocolOf(protocol), known && err == nil && first >= 1 && last <= 65535 && first <= last && last-first < maxPublished
}

func notePorts(s *service, v *jsonpos.Value) {
	if v.IsLeaf() {
		s.put(v, empty)
		return
	}
	publish := decision(PublishedPort, "service#spec.ports", "who may reach it from outside; proposed is a Service inside the cluster")
	for _, e := range v.Elems() {
		e = real(e)
		if e.Kind() != jsonpos.Object {
			s.put(e, publish)
			continue
		}
		have, hidden := members(e)
		for _, m := range hidden {
			s.put(m.v, overridden)
		}
		for _, m := range have {
			switch m.key {
			case "target":
				s.put(m.v, exact(ExposedPort, "container#ports.containerPort", "the same port"))
			case "published", "mode", "host_ip":
				s.put(m.v, publish)
			case "protocol":
				s.put(m.v, exact(ExposedPort, "container#ports.protocol", "the same protocol"))
			case "name":
				s.put(m.v, equivalent(ExposedPort, "container#ports.name", "the same name, within 15 characters"))
			case "app_protocol":
				s.put(m.v, dropped(NotCarried, "no one reads it at the source; set it on the Service where a gateway asks for it"))
			}
		}
	}
}

func noteExpose(s *service, v *jsonpos.Value) {
	if v.IsLeaf() {
		s.put(v, empty)
		return
	}
	for _, e := range v.Elems() {
		if _, _, _, ok := exposed(s.text(e)); !ok {
			s.put(e, dropped(RefusedValue, "is no port, and was left out"))
			continue
		}
		if slices.ContainsFunc(s.c.Ports, func(p types.ServicePortConfig) bool { return strings.HasPrefix(s.text(e), strconv.Itoa(int(p.Target))) }) {
			s.put(e, approximate(ExposedPort, "container#ports", "is among the published ports already"))
			continue
		}
		s.put(e, equivalent(ExposedPort, "container#ports", "the same port, for others in the cluster"))
	}
}
