package cluster

import (
	"slices"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
)

// PoolLabel is on every node and names the pool that it belongs to.
const PoolLabel = Prefix + "pool"

type bend struct {
	workload estate.Name
	source   string
}

// pools looks at what the plan says of nodes. A pool without a type is no pool
// of nodes: no price list was at hand to choose them by.
func (c *Cluster) pools() {
	typed := map[plan.PoolName]bool{}
	for i := range c.Plan.Pools {
		typed[c.Plan.Pools[i].Name] = c.Plan.Pools[i].Type != ""
	}
	for _, p := range c.Plan.Placements {
		if typed[p.Pool] {
			c.on[p.Workload] = append(c.on[p.Workload], string(p.Pool))
			if p.Prefer > 0 {
				if c.prefers[p.Workload] == nil {
					c.prefers[p.Workload] = map[int][]string{}
				}
				c.prefers[p.Workload][p.Prefer] = append(c.prefers[p.Workload][p.Prefer], string(p.Pool))
			}
		}
	}
	for id, names := range c.on {
		slices.Sort(names)
		c.on[id] = slices.Compact(names)
	}
	for _, p := range c.Plan.Priorities {
		for _, id := range p.Workloads {
			c.priority[id] = p.Name
		}
	}
	for _, b := range c.Plan.Survival.Bent {
		c.bent[bend{b.Workload, b.Constraint}] = b
	}
}

// Pools gives the node pools on which the plan places a workload, none where
// it has chosen no nodes.
func (c *Cluster) Pools(id estate.Name) []string { return c.on[id] }

// Prefers gives the node pools that a workload's copies prefer, by weight, in the
// plan's order.
func (c *Cluster) Prefers(id estate.Name) map[int][]string { return c.prefers[id] }

// Priority names the class in which a workload's copies give way to larger ones;
// empty for none.
func (c *Cluster) Priority(id estate.Name) string { return c.priority[id] }

// Bent reports whether the plan lets go of a constraint as far as it has to.
func (c *Cluster) Bent(id estate.Name, k *estate.Constraint) (plan.Bent, bool) {
	b, ok := c.bent[bend{id, k.Source}]
	return b, ok
}
