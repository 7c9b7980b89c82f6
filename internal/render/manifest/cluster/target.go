package cluster

import (
	"strconv"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/render/manifest/naming"
)

type portKey struct {
	workload estate.Name
	number   int
	udp      bool
}

// PortName gives the name that a workload's port must have so that a virtual
// address with other workloads behind it finds it; mostly none.
func (c *Cluster) PortName(id estate.Name, number int, udp bool) string {
	return c.portNames[portKey{id, number, udp}]
}

// Target gives the container port behind an endpoint of an address: a number,
// or a name where the workloads listen on different ones.
func (c *Cluster) Target(a *Address, ep *estate.Endpoint) (number int, name string) {
	for _, b := range ep.Backends {
		if c.places[b.Workload].Namespace != a.Namespace || b.Workload == "" {
			continue
		}
		if n := c.PortName(b.Workload, b.Port, ep.Protocol == "udp"); n != "" && c.mixed[a.Namespace+"\x00"+ep.ID] == n {
			return b.Port, n
		}
		return b.Port, ""
	}
	return ep.Port, ""
}

// meet names the ports of addresses whose workloads listen on different
// numbers. A port has one name: the first address gets it.
func (c *Cluster) meet() {
	for _, a := range c.Addresses {
		for _, ep := range a.Endpoints {
			var keys []portKey
			same := true
			for _, b := range ep.Backends {
				if w := c.Estate.Find(b.Workload); w == nil || !c.Renders(w) || c.places[b.Workload].Namespace != a.Namespace {
					continue
				}
				keys = append(keys, portKey{b.Workload, b.Port, ep.Protocol == "udp"})
				same = same && b.Port == keys[0].number
			}
			if same {
				continue
			}
			kind := "v"
			if ep.Protocol == "udp" {
				kind = "u"
			}
			name := naming.PortName(kind + strconv.Itoa(ep.Port) + "-" + naming.Hash(a.Text))
			free := true
			for _, k := range keys {
				free = free && c.portNames[k] == ""
			}
			if !free {
				c.Warn(c.Estate.Find(keys[0].workload), AddressInManyNamespaces,
					"shares virtual address "+a.Text+" with workloads that listen on other ports, as another address does already",
					"have them listen on one port number")
				continue
			}
			for _, k := range keys {
				c.portNames[k] = name
			}
			c.mixed[a.Namespace+"\x00"+ep.ID] = name
		}
	}
}
