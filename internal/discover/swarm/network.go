package swarm

import (
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/estate"
)

// defaultNetwork is where services are that name none.
const defaultNetwork = "default"

// network ties the service to its networks, under all names that others call
// it by, and reads what it depends on.
func (s *service) network() {
	own := []string{s.name, "tasks." + s.name}
	if s.c.ContainerName != "" {
		own = append(own, s.c.ContainerName)
	}
	mode := s.c.NetworkMode
	switch {
	case mode == "host":
		s.w.Network = estate.HostNet
	case mode == "none":
		s.w.Network = estate.Isolated
	case len(s.c.Networks) == 0:
		s.w.Networks = []estate.NetworkRef{{Name: defaultNetwork, Aliases: own}}
	}
	if other, ok := strings.CutPrefix(mode, "service:"); ok {
		s.dependOn(other)
	}
	for _, name := range slices.Sorted(maps.Keys(s.c.Networks)) {
		if mode == "host" || mode == "none" {
			break // Compose refuses both; the mode holds
		}
		ref := estate.NetworkRef{Name: name, Aliases: slices.Clone(own)}
		if n := s.c.Networks[name]; n != nil {
			for _, a := range n.Aliases {
				if !slices.Contains(ref.Aliases, a) {
					ref.Aliases = append(ref.Aliases, a)
				}
			}
			ref.Address = n.Ipv4Address
		}
		s.w.Networks = append(s.w.Networks, ref)
	}
	s.hostView()
	for _, name := range slices.Sorted(maps.Keys(s.c.DependsOn)) {
		s.dependOn(name)
	}
	for _, link := range s.c.Links {
		name, alias, _ := strings.Cut(link, ":")
		s.dependOn(name)
		if x := s.services[serviceKey(name)]; x != nil && alias != "" {
			x.alias(alias)
		}
	}
}

// alias adds a name by which others call the service.
func (s *service) alias(name string) {
	if s.w == nil {
		return
	}
	if len(s.w.Networks) == 0 && s.w.Network == estate.Own {
		s.w.Networks = []estate.NetworkRef{{Name: defaultNetwork}}
	}
	for i := range s.w.Networks {
		if !slices.Contains(s.w.Networks[i].Aliases, name) {
			s.w.Networks[i].Aliases = append(s.w.Networks[i].Aliases, name)
		}
	}
}

// dependOn adds a dependency on another service of the project.
func (s *service) dependOn(name string) {
	id := s.id(serviceKey(name))
	if x := s.services[serviceKey(name)]; x == nil || x.w == nil || x == s {
		if s.l.Elsewhere[name] == "" {
			s.warn(UnknownService, nil, "depends on service "+name+", which is not there", "read the file together with the one that has it")
		}
		return
	}
	if !slices.Contains(s.w.DependsOn, id) {
		s.w.DependsOn = append(s.w.DependsOn, id)
	}
}

func (s *service) hostView() {
	c := &s.c
	h := estate.HostView{
		Name: c.Hostname, Domain: c.DomainName, PIDs: c.Pid == "host", IPC: c.Ipc == "host",
		DNS: slices.Clone(c.DNS), Search: slices.Clone(c.DNSSearch), DNSOptions: slices.Clone(c.DNSOpts),
	}
	for _, name := range slices.Sorted(maps.Keys(c.ExtraHosts)) {
		for _, ip := range c.ExtraHosts[name] {
			if isAddress(ip) {
				h.Aliases = append(h.Aliases, estate.HostAlias{Name: name, Address: ip})
			}
		}
	}
	if len(c.Sysctls) > 0 {
		h.Sysctls = maps.Clone(map[string]string(c.Sysctls))
	}
	if h.Name != "" || h.Domain != "" || h.PIDs || h.IPC || len(h.DNS)+len(h.Search)+len(h.DNSOptions)+len(h.Aliases)+len(h.Sysctls) > 0 {
		s.w.Host = &h
	}
}

func isAddress(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil
}

func noteHosts(s *service, v *jsonpos.Value) {
	if v.IsLeaf() {
		s.put(v, empty)
		return
	}
	rule := func(leaf *jsonpos.Value, ip string) {
		if isAddress(strings.Trim(ip, "[]")) {
			s.put(leaf, exact(Setting, "pod#spec.hostAliases", "the same line of /etc/hosts"))
			return
		}
		s.put(leaf, decision(HostNamespace, "pod#spec.hostAliases", "is the machine's own address or a name; proposed is to leave it out"))
	}
	if v.Kind() == jsonpos.Array {
		for _, e := range v.Elems() {
			text := s.text(e)
			i := strings.IndexAny(text, "=:")
			if j := strings.Index(text, "="); j >= 0 {
				i = j
			}
			rule(real(e), text[i+1:])
		}
		return
	}
	have, hidden := members(v)
	for _, m := range hidden {
		s.put(m.v, overridden)
	}
	for _, m := range have {
		if m.v.Kind() == jsonpos.Array {
			for _, e := range m.v.Elems() {
				rule(real(e), s.text(e))
			}
			continue
		}
		rule(m.v, s.text(m.v))
	}
}

func noteNetworkMode(s *service, v *jsonpos.Value) {
	switch text := s.text(v); {
	case text == "host":
		s.put(v, decision(NetworkMode, "pod#spec.hostNetwork", "shares the machine's network; proposed is an address of its own"))
	case text == "none":
		s.put(v, decision(NetworkMode, "policy", "has no network; proposed is a pod whom nobody is told of"))
	case strings.HasPrefix(text, "service:"), strings.HasPrefix(text, "container:"):
		s.put(v, decision(NetworkMode, "workload", "shares the network of another container; proposed is a workload of its own, one pod for both where they talk by localhost"))
	default:
		s.put(v, approximate(NetworkMode, "", "the pod network takes its place"))
	}
}

func noteNetworks(s *service, v *jsonpos.Value) {
	join := decision(JoinedNetwork, "policy", "who may connect; proposed is that all workloads of the cluster may, unless policy denies")
	if v.IsLeaf() {
		s.put(v, empty)
		return
	}
	if v.Kind() == jsonpos.Array {
		s.put(v, join)
		return
	}
	have, hidden := members(v)
	for _, m := range hidden {
		s.put(m.v, overridden)
	}
	for _, m := range have {
		if m.v.IsLeaf() {
			s.put(m.v, join)
			continue
		}
		details, gone := members(m.v)
		for _, d := range gone {
			s.put(d.v, overridden)
		}
		for _, d := range details {
			switch d.key {
			case "aliases":
				s.put(d.v, decision(NetworkAlias, "service#metadata.name", "others call the service so; proposed is a Service of that name"))
			case "ipv4_address":
				s.put(d.v, decision(NetworkDetail, "", "someone may rely on the address; proposed is to use the Service's name"))
			case "ipv6_address", "link_local_ips", "mac_address", "driver_opts", "priority", "gw_priority", "interface_name":
				s.put(d.v, dropped(NetworkDetail, "the pod network decides it"))
			}
		}
	}
}

func noteDependsOn(s *service, v *jsonpos.Value) {
	if v.IsLeaf() && v.Kind() != jsonpos.String {
		s.put(v, empty)
		return
	}
	s.put(v, approximate(StartOrder, "workload#wave", "Kubernetes starts in no order: the program must wait or try again; it is moved after what it depends on"))
}

// topNetwork reads one network of the file.
func (s *scope) topNetwork(name string, v *jsonpos.Value) {
	used := false
	for _, x := range s.list {
		if x.w != nil && slices.ContainsFunc(x.w.Networks, func(r estate.NetworkRef) bool { return r.Name == name }) {
			used = true
		}
	}
	n, ok := s.l.Project.Networks[name]
	if ok && used {
		s.addNetwork(estate.Network{Name: name, Driver: n.Driver, Internal: n.Internal, External: bool(n.External)})
	}
	if v.IsLeaf() {
		s.note("", v, empty)
		return
	}
	for _, m := range s.mapping(v) {
		r := dropped(NetworkDetail, "the pod network decides it")
		switch m.key {
		case "driver", "attachable":
			r = approximate(NetworkDetail, "", "the pod network takes its place")
		case "internal":
			r = decision(JoinedNetwork, "policy", "nothing in and out but between its members; proposed is no restriction unless policy denies")
		case "external", "name":
			r = decision(JoinedNetwork, "policy", "is shared with other files; proposed is the cluster's one network")
		case "driver_opts":
			r = approximate(NetworkDetail, "", "encryption between nodes is the network plugin's")
		case "enable_ipv4", "enable_ipv6", "ipam", "labels":
		default:
			continue
		}
		s.note("", m.v, r)
	}
}

func (s *scope) addNetwork(n estate.Network) {
	e := s.b.Estate()
	for i := range e.Networks {
		if e.Networks[i].Name == n.Name {
			return
		}
	}
	e.Networks = append(e.Networks, n)
}

// mapping gives the members of v and enters those that others hide.
func (s *scope) mapping(v *jsonpos.Value) []member {
	have, hidden := members(v)
	for _, m := range hidden {
		s.note("", m.v, overridden)
	}
	out := have[:0:0]
	for _, m := range have {
		if !strings.HasPrefix(m.key, "x-") {
			out = append(out, m)
		}
	}
	return out
}

// readTop enters what stands beside the services.
func (s *scope) readTop(version1 bool) {
	if version1 {
		return
	}
	if s.rawServices.IsLeaf() {
		s.note("", s.rawServices, empty)
	}
	for _, m := range s.mapping(s.root) {
		switch m.key {
		case "version":
			s.note("", m.v, informational(NoBehaviour, "Compose itself ignores it"))
		case "name":
			s.note("", m.v, discover.Ruling{
				Verdict: ledger.Exact, Code: ProjectName, Target: "workload#metadata.namespace", Reason: "the group of all its services",
			})
			if real(m.v).IsNull() || len(s.list) == 0 {
				s.notes[m.v] = note{"", informational(ProjectName, "names a project without services")}
			}
		case "include":
			s.note("", m.v, approximate(Merged, "workload", "what it declares is merged in; its services are read with its own file"))
		case "models":
			s.note("", m.v, dropped(NotCarried, "a language model by Docker's own runner"))
		case "networks", "volumes", "secrets", "configs":
			s.section(m.key, m.v)
		}
	}
}

func (s *scope) section(key string, v *jsonpos.Value) {
	if v.IsLeaf() || v.Kind() != jsonpos.Object {
		s.note("", v, empty)
		return
	}
	have, hidden := members(v)
	for _, m := range hidden {
		s.note("", m.v, overridden)
	}
	for _, m := range have {
		switch key {
		case "networks":
			s.topNetwork(m.key, m.v)
		case "volumes":
			s.topVolume(m.key, m.v)
		default:
			s.topGrant(key, m.key, m.v)
		}
	}
}
