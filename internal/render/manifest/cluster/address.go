package cluster

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/render/manifest/naming"
)

// An Address is a virtual address in one namespace: one Service.
type Address struct {
	Text      string // "shopdb", "10.1.2.3"
	Namespace string
	Name      string // of the Service
	Home      estate.Name
	// Endpoints are its ports.
	Endpoints []*estate.Endpoint
	// Workloads behind it in this namespace. With more than one, their copies
	// carry Label.
	Workloads []estate.Name
}

// Label is the key that the copies of all workloads behind the address carry.
func (a *Address) Label() string { return "vip." + Prefix + a.Name }

// IP is the literal address, if it is one.
func (a *Address) IP() (netip.Addr, bool) {
	ip, err := netip.ParseAddr(a.Text)
	return ip, err == nil
}

// HomeOf gives the addresses that are rendered with the workload.
func (c *Cluster) HomeOf(id estate.Name) []*Address { return c.byHome[id] }

// BackOf gives the addresses that lead to the workload.
func (c *Cluster) BackOf(id estate.Name) []*Address { return c.byBack[id] }

// Routes gives the routes that are rendered with the workload.
func (c *Cluster) Routes(id estate.Name) []*estate.Endpoint { return c.routes[id] }

// Loose gives the routes that lead to no workload.
func (c *Cluster) Loose() []*estate.Endpoint { return c.loose }

func (c *Cluster) endpoints() {
	for i := range c.Estate.Endpoints {
		ep := &c.Estate.Endpoints[i]
		var home estate.Name
		var spaces []string
		for _, b := range ep.Backends {
			w := c.Estate.Find(b.Workload)
			if w == nil || !c.Renders(w) {
				continue
			}
			if home == "" {
				home = b.Workload
			}
			if ns := c.places[b.Workload].Namespace; !slices.Contains(spaces, ns) {
				spaces = append(spaces, ns)
			}
		}
		switch {
		case ep.Kind == estate.Route && home == "":
			c.loose = append(c.loose, ep)
		case ep.Kind == estate.Route:
			c.routes[home] = append(c.routes[home], ep)
		default:
			c.address(ep, spaces)
		}
	}
	for _, a := range c.Addresses {
		slices.Sort(a.Workloads)
		c.byHome[a.Home] = append(c.byHome[a.Home], a)
		for _, w := range a.Workloads {
			c.byBack[w] = append(c.byBack[w], a)
		}
	}
}

// address puts an endpoint's port on the address of each namespace in which
// it has backends.
func (c *Cluster) address(ep *estate.Endpoint, spaces []string) {
	if len(spaces) > 1 {
		w := c.Estate.Find(ep.Backends[0].Workload)
		if w != nil {
			c.Warn(w, AddressInManyNamespaces, "shares virtual address "+ep.Address+" with workloads of other namespaces: each namespace gets a Service of its own",
				"put them into one namespace with spec.workloads in tranship.yaml")
		}
	}
	for _, ns := range spaces {
		key := ns + "\x00" + ep.Address
		a := c.vips[key]
		if a == nil {
			a = &Address{Text: ep.Address, Namespace: ns}
			a.Name = c.TakeService(ns, addressName(ep), "vip:"+cmp.Or(ep.Address, ep.ID))
			c.vips[key] = a
			c.Addresses = append(c.Addresses, a)
		}
		a.Endpoints = append(a.Endpoints, ep)
		for _, b := range ep.Backends {
			w := c.Estate.Find(b.Workload)
			if w == nil || !c.Renders(w) || c.places[b.Workload].Namespace != ns || slices.Contains(a.Workloads, b.Workload) {
				continue
			}
			if a.Workloads = append(a.Workloads, b.Workload); a.Home == "" {
				a.Home = b.Workload
			}
		}
		c.vips[ns+"\x00\x00"+ep.ID] = a
		if c.vips["\x00"+ep.ID] == nil {
			c.vips["\x00"+ep.ID] = a
		}
	}
}

func addressName(ep *estate.Endpoint) string {
	text := cmp.Or(ep.Address, ep.ID)
	if ip, err := netip.ParseAddr(text); err == nil {
		return naming.DNS("vip-"+ip.String(), naming.Label)
	}
	for _, end := range []string{".l4lb.thisdcos.directory", ".marathon"} {
		text = strings.TrimSuffix(text, end)
	}
	if ep.Address != "" {
		text = strings.ReplaceAll(text, "/", "") // as clients wrote it
	}
	return naming.DNS(text, naming.Label)
}

// AddressOf gives the address of an endpoint as seen from a namespace.
func (c *Cluster) AddressOf(endpoint, from string) *Address {
	if a := c.vips[from+"\x00\x00"+endpoint]; a != nil {
		return a
	}
	return c.vips["\x00"+endpoint]
}

// Host gives the name of a Service in the cluster.
func (c *Cluster) Host(name, namespace string) string {
	return name + "." + namespace + ".svc." + c.Domain
}

// NewName gives what takes the place of the old name in d, and whether
// something does.
func (c *Cluster) NewName(d *estate.Dependency) (string, bool) {
	if d.Fate != estate.Rewritten || d.Match == "" {
		return "", false
	}
	hasPort := strings.Contains(d.Match, ":")
	if a := c.AddressOf(d.Endpoint, c.places[d.From].Namespace); a != nil {
		return withPort(c.Host(a.Name, a.Namespace), d.Listen, hasPort), true
	}
	to := c.Estate.Find(d.To)
	if to == nil || !c.Renders(to) {
		return "", false
	}
	p := c.places[d.To]
	port := d.Port
	if port == 0 && hasPort {
		_, text, _ := strings.Cut(d.Match, ":")
		port, _ = strconv.Atoi(text)
	}
	put := hasPort || d.Listen != 0 && d.Port != 0 && d.Listen != d.Port && !serves(to, d.Listen)
	return withPort(c.Host(p.Name, p.Namespace), port, put), true
}

func withPort(host string, port int, put bool) string {
	if !put || port == 0 {
		return host
	}
	return host + ":" + strconv.Itoa(port)
}

// serves reports whether the workload's Service has a port of that number.
func serves(w *estate.Workload, number int) bool {
	for i := range w.Containers {
		for _, p := range w.Containers[i].Ports {
			if p.Number == number || p.Last > 0 && p.Number <= number && number <= p.Last {
				return true
			}
		}
	}
	return false
}

// A Renaming holds the new names for the texts of one workload.
type Renaming map[estate.Place]map[string]string

// Renaming gives the names to put into a workload's texts.
func (c *Cluster) Renaming(id estate.Name) Renaming {
	deps := c.rewrites[id]
	if len(deps) == 0 {
		return nil
	}
	out := Renaming{}
	for _, d := range deps {
		if name, ok := c.NewName(d); ok {
			if out[d.Place] == nil {
				out[d.Place] = map[string]string{}
			}
			if _, taken := out[d.Place][d.Match]; !taken {
				out[d.Place][d.Match] = name
			}
		}
	}
	return out
}

// In gives text with the new names in the place of the old.
func (r Renaming) In(container, field, key, text string) string {
	names := r[estate.Place{Container: container, Field: field, Key: key}]
	if len(names) == 0 {
		return text
	}
	return estate.Substitute(text, names)
}

// InAny is In for a field whose texts are told apart by keys that do not
// matter: a command, checks.
func (r Renaming) InAny(container, field, text string) string {
	if len(r) == 0 {
		return text
	}
	names := map[string]string{}
	for at, m := range r {
		if at.Container == container && at.Field == field {
			maps.Copy(names, m)
		}
	}
	if len(names) == 0 {
		return text
	}
	return estate.Substitute(text, names)
}
