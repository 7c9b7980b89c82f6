package pod

import (
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/render/manifest/cluster"
	"github.com/tranship/tranship/internal/render/manifest/naming"
)

// rangeLimit is how many ports of one range are listed.
const rangeLimit = 100

// Protocols gives a port's protocols in Kubernetes' words.
func Protocols(p *estate.Port) []corev1.Protocol {
	var out []corev1.Protocol
	for _, s := range p.Protocols {
		proto := corev1.ProtocolTCP
		switch strings.ToLower(s) {
		case "udp":
			proto = corev1.ProtocolUDP
		case "sctp":
			proto = corev1.ProtocolSCTP
		}
		if !slices.Contains(out, proto) {
			out = append(out, proto)
		}
	}
	if len(out) == 0 {
		out = append(out, corev1.ProtocolTCP)
	}
	return out
}

// Numbers gives the ports of a range, or the one port, as far as they are listed.
func Numbers(p *estate.Port) []int {
	last := min(max(p.Last, p.Number), p.Number+rangeLimit-1, 65535)
	out := make([]int, 0, last-p.Number+1)
	for n := p.Number; n <= last; n++ {
		out = append(out, n)
	}
	return out
}

type endpoint struct {
	number int
	proto  corev1.Protocol
}

func (b *builder) portsOf(k *estate.Container, out *corev1.Container) {
	keep := b.c.HostPorts(b.w) && !b.c.HostNetwork(b.w)
	for i := range k.Ports {
		p := &k.Ports[i]
		for _, n := range Numbers(p) {
			for _, proto := range Protocols(p) {
				at := endpoint{n, proto}
				if b.listed[at] {
					b.c.Note(b.w, cluster.PortTaken, "lists port "+itoa(n)+" twice", "one of them is enough")
					continue
				}
				b.listed[at] = true
				x := corev1.ContainerPort{Name: b.portName(p, n, proto), ContainerPort: int32(n), Protocol: proto}
				if keep && p.HostPort > 0 && n == p.Number {
					b.hostPort(p, &x)
				}
				out.Ports = append(out.Ports, x)
			}
		}
	}
}

// hostPort keeps a port of the machine; two containers cannot share one.
func (b *builder) hostPort(p *estate.Port, x *corev1.ContainerPort) {
	at := hostEndpoint{hostIP(p.HostIP), endpoint{p.HostPort, x.Protocol}}
	if b.hosted[at] {
		b.c.Warn(b.w, cluster.PortTaken, "asks for port "+itoa(p.HostPort)+" of its node twice", "the first port gets it")
		return
	}
	b.hosted[at] = true
	x.HostPort, x.HostIP = int32(p.HostPort), at.ip
	b.out.Privileged = true
}

type hostEndpoint struct {
	ip string
	endpoint
}

func hostIP(text string) string {
	if _, err := netip.ParseAddr(text); err != nil {
		return ""
	}
	return text
}

// portName gives a name that is unique in the pod: the port's own, as far as
// it is one, or the one by which a virtual address finds it.
func (b *builder) portName(p *estate.Port, n int, proto corev1.Protocol) string {
	if name := b.c.PortName(b.w.ID, n, proto == corev1.ProtocolUDP); name != "" && !b.ports[name] {
		b.ports[name] = true
		return name
	}
	name := naming.PortName(p.Name)
	if name == "" || n != p.Number {
		name = "p" + itoa(n)
	}
	if proto != corev1.ProtocolTCP && len(Protocols(p)) > 1 || b.ports[name] && proto != corev1.ProtocolTCP {
		name = naming.PortName(name + "-" + strings.ToLower(string(proto)))
	}
	return b.ports.Take(name, name+itoa(n)+string(proto), naming.Port)
}

// A portFact is what a port was in the old world and has no field for here.
type portFact struct {
	Name        string            `json:"name,omitempty"`
	Port        int               `json:"port"`
	Last        int               `json:"last,omitempty"`
	HostPort    int               `json:"hostPort,omitempty"`
	HostIP      string            `json:"hostIP,omitempty"`
	ServicePort int               `json:"servicePort,omitempty"`
	Published   int               `json:"published,omitempty"`
	Dynamic     bool              `json:"dynamic,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	Networks    []string          `json:"networks,omitempty"`
}

// portFacts lists the ports that say more than their number and name.
func (b *builder) portFacts() []portFact {
	var out []portFact
	for i := range b.w.Containers {
		for _, p := range b.w.Containers[i].Ports {
			f := portFact{
				Port: p.Number, HostPort: p.HostPort, HostIP: p.HostIP, ServicePort: p.ServicePort,
				Published: p.Published, Dynamic: p.Dynamic, Labels: p.Labels, Networks: p.Networks,
			}
			if p.Last-p.Number >= rangeLimit {
				f.Last = p.Last
			}
			if naming.PortName(p.Name) != p.Name {
				f.Name = p.Name
			}
			if f.Name != "" || f.Last != 0 || f.HostPort != 0 || f.HostIP != "" || f.ServicePort != 0 || f.Published != 0 ||
				f.Dynamic || len(f.Labels) > 0 || len(f.Networks) > 0 {
				out = append(out, f)
			}
		}
	}
	return out
}
