package swarm

import (
	"slices"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/estate"
)

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
	return first, last, protocolOf(protocol), err == nil && first >= 1 && last <= 65535 && first <= last && last-first < maxPublished
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
