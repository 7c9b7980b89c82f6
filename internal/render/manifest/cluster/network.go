package cluster

import (
	"slices"

	"github.com/tranship/tranship/internal/estate"
)

// networks finds out who is on which network, and who calls whom.
func (c *Cluster) networks() {
	for i := range c.Estate.Networks {
		if n := &c.Estate.Networks[i]; n.Internal {
			c.inner[n.Name] = true
		}
	}
	for i := range c.Estate.Workloads {
		w := &c.Estate.Workloads[i]
		for _, n := range w.Networks {
			if c.inner[n.Name] && !slices.Contains(c.members[n.Name], w.ID) {
				c.members[n.Name] = append(c.members[n.Name], w.ID)
			}
		}
	}
	for i := range c.Estate.Dependencies {
		d := &c.Estate.Dependencies[i]
		if d.To == "" {
			continue
		}
		if d.Way == estate.ByName {
			c.called[d.To] = true
		}
		if list := c.callers[d.To]; !slices.Contains(list, d.From) {
			c.callers[d.To] = append(list, d.From)
		}
	}
}

// InternalNetwork reports whether a network lets nothing in or out.
func (c *Cluster) InternalNetwork(name string) bool { return c.inner[name] }

// Members gives the workloads on an internal network.
func (c *Cluster) Members(network string) []estate.Name { return c.members[network] }

// Callers gives the workloads that depend on one.
func (c *Cluster) Callers(id estate.Name) []estate.Name { return c.callers[id] }
