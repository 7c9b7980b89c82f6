package normal

import (
	"github.com/tranship/tranship/internal/base/jsonpos"
)

// A Port is a port definition (Port is set) or a port mapping (Container is).
type Port struct {
	Port      Field[int]     `json:"port"`
	Container Field[int]     `json:"containerPort"`
	Host      Field[int]     `json:"hostPort"`
	Service   Field[int]     `json:"servicePort"`
	Protocol  Field[string]  `json:"protocol"` // tcp, udp or "udp,tcp"
	Name      Field[string]  `json:"name"`
	Labels    *jsonpos.Value `json:"-"`
	// Networks are the names of those that the port is bound to.
	Networks *jsonpos.Value `json:"-"`
	// At is the whole port as written, nil for one that Marathon made up.
	At *jsonpos.Value `json:"-"`
}

// ports follows Marathon's order of steps, which matters.
func (n *normaliser) ports() {
	definitions, stated := n.definitions()
	host := n.out.HostMode()
	if host && !stated {
		definitions = []Port{{Port: assumed(0), Protocol: assumed("tcp"), Name: assumed("default")}}
	}
	n.out.RequirePorts = n.boolean(n.app.Get("requirePorts"), false)
	if host {
		n.out.PortDefinitions = append([]Port{}, definitions...)
	} else {
		for _, d := range definitions {
			n.ignore(d.At, "Marathon ignored port definitions of an app that does not share the agent's network")
		}
		if n.out.RequirePorts.Value {
			n.ignore(n.out.RequirePorts.At, "Marathon honoured required ports in host mode only")
			n.out.RequirePorts = Field[bool]{Set: true}
		}
	}
	if n.out.Container == nil {
		return
	}
	mappings, mapped := n.mappings()
	mappings, mapped = n.discovery(mappings, mapped)
	switch {
	case host:
		for _, m := range mappings {
			n.ignore(m.At, "Marathon dropped the port mappings of an app in host mode")
		}
		return
	case !mapped && n.out.Networks[0].Mode.Value != Nothing:
		mappings = []Port{{Container: assumed(0), Protocol: assumed("tcp"), Name: assumed("default")}}
	}
	for len(mappings) < len(definitions) {
		mappings = append(mappings, Port{Container: assumed(0), Protocol: assumed("tcp")})
	}
	for i := range mappings {
		if n.out.Bridged() && !mappings[i].Host.Set {
			mappings[i].Host = assumed(0)
		}
	}
	n.out.Container.PortMappings = append([]Port{}, mappings...)
}

// definitions reads portDefinitions, else ports; none of both is not the same
// as an empty list.
func (n *normaliser) definitions() (out []Port, stated bool) {
	legacy, listed := n.list(n.app.Get("ports"))
	defs, defined := n.list(n.app.Get("portDefinitions"))
	if defined {
		if listed {
			n.ignore(n.app.Get("ports"), "Marathon took portDefinitions where both were there")
		}
		for _, d := range defs {
			if n.object(d) == nil {
				continue
			}
			out = append(out, Port{
				Port: n.port(d.Get("port")), Protocol: n.protocol(d.Get("protocol")), Name: n.text(d.Get("name")),
				Labels: d.Get("labels"), At: d,
			})
		}
		return out, true
	}
	for _, p := range legacy {
		out = append(out, Port{Port: n.port(p), Protocol: assumed("tcp"), At: p})
	}
	return out, listed
}

func (n *normaliser) mappings() ([]Port, bool) {
	legacy, old := n.list(n.docker.Get("portMappings"))
	canonical, stated := n.list(n.box.Get("portMappings"))
	if stated {
		if old && len(legacy) > 0 {
			n.conflict(BothPortMappings, n.docker.Get("portMappings"),
				"container.docker.portMappings stands beside container.portMappings",
				"delete one of the two; container.portMappings is the newer")
		}
		return n.mapping(canonical), true
	}
	return n.mapping(legacy), old
}

func (n *normaliser) mapping(list []*jsonpos.Value) (out []Port) {
	for _, m := range list {
		if n.object(m) == nil {
			continue
		}
		p := Port{
			Container: n.port(m.Get("containerPort")), Host: n.number(m.Get("hostPort"), 0, 65535),
			Service: n.number(m.Get("servicePort"), 0, 65535), Protocol: n.protocol(m.Get("protocol")),
			Name: n.text(m.Get("name")), Labels: m.Get("labels"), Networks: m.Get("networkNames"), At: m,
		}
		out = append(out, p)
	}
	return out
}

// discovery turns ipAddress.discovery.ports into port mappings.
func (n *normaliser) discovery(mappings []Port, mapped bool) ([]Port, bool) {
	at := n.object(n.address.Get("discovery")).Get("ports")
	list, _ := n.list(at)
	if len(list) == 0 {
		return mappings, mapped
	}
	if n.out.Container.Type.Value != "MESOS" {
		n.conflict(DiscoveryPorts, at, "ipAddress.discovery.ports does not apply to a container of type DOCKER",
			"list the ports in container.portMappings")
		return mappings, mapped
	}
	if mapped {
		n.conflict(DiscoveryPorts, at, "ipAddress.discovery.ports stands beside port mappings", "delete one of the two")
		return mappings, mapped
	}
	var out []Port
	for _, d := range list {
		if n.object(d) == nil {
			continue
		}
		out = append(out, Port{
			Container: n.port(d.Get("number")), Protocol: n.protocol(d.Get("protocol")), Name: n.text(d.Get("name")),
			Labels: d.Get("labels"), At: d,
		})
	}
	return out, true
}

func (n *normaliser) port(v *jsonpos.Value) Field[int] {
	if f := n.number(v, 0, 65535); f.Set {
		return f
	}
	return assumed(0)
}

// protocol takes "tcp,udp" for "udp,tcp", as Marathon did before it had a schema.
func (n *normaliser) protocol(v *jsonpos.Value) Field[string] {
	if v == nil {
		return assumed("tcp")
	}
	w, ok := n.s.Choice(v, "tcp", "udp", "udp,tcp", "tcp,udp")
	if !ok {
		return assumed("tcp")
	}
	if w == "tcp,udp" {
		w = "udp,tcp"
	}
	return given(w, v)
}
