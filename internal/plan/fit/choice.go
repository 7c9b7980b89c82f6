package fit

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/catalog"
	"github.com/tranship/tranship/internal/plan/policy"
)

// A choice is an instance type as it may be set up and bought.
type choice struct {
	t        *catalog.Type
	maxPods  int // --max-pods, where it is not the type's own
	purchase plan.Purchase
	price    unit.Money
	alloc    catalog.Allocatable
	room     vector // allocatable
	// others may stand in for it: they have at least its room.
	others []string
}

func (c *choice) name() string {
	if c.maxPods > 0 {
		return fmt.Sprintf("%s with %d pods", c.t.Name, c.maxPods)
	}
	return c.t.Name
}

// letters is the family of a type: what stands before the first digit.
func letters(name string) string {
	if i := strings.IndexAny(name, "0123456789"); i >= 0 {
		return strings.TrimSuffix(name[:i], "-")
	}
	return name
}

// Defaults of the target.
const (
	defaultGeneration = 5
	defaultVCPU       = 32
)

var defaultFamilies = []string{"c", "m", "r"}

// allowed reports whether policy lets a type be chosen. Patterns name types:
// then family, generation and size are no matter.
func allowed(t *catalog.Type, x *policy.Target, gpu bool) bool {
	if t.Price <= 0 || slices.ContainsFunc(x.Exclude, matches(t.Name)) {
		return false
	}
	if gpu != (t.GPUs > 0) {
		return false
	}
	if len(x.Types) > 0 {
		return slices.ContainsFunc(x.Types, func(pattern string) bool {
			return matches(t.Name)(pattern) && (!t.BareMetal || strings.Contains(pattern, "metal"))
		})
	}
	families := x.Families
	if len(families) == 0 {
		families = defaultFamilies
	}
	if t.BareMetal || (t.Burstable || t.Flex) && !x.Burstable || t.Accelerators > 0 && !gpu {
		return false
	}
	family := slices.Contains(families, letters(t.Name)) || t.Burstable && len(x.Families) == 0
	if gpu && len(x.Families) == 0 {
		family = true
	}
	return family && t.Generation >= cmp.Or(x.MinGeneration, defaultGeneration) && t.VCPU <= cmp.Or(x.MaxVCPU, defaultVCPU)
}

func matches(name string) func(string) bool {
	return func(pattern string) bool {
		ok, err := path.Match(pattern, name)
		return ok && err == nil
	}
}

// kubelet is how policy sets nodes up.
func kubelet(x *policy.Target) catalog.Kubelet {
	return catalog.Kubelet{PrefixDelegation: x.PrefixDelegation, MaxPods: x.MaxPods, VMOverhead: x.VMOverhead, RootVolume: x.RootVolume}
}

// choices gives what a class of workloads may run on, each type once, or twice
// where more pods than its own limit would fit on it: prefix delegation makes
// room for them and takes memory for it.
func (d *demand) choices(k class, mean vector) []choice {
	in, system := d.in, d.system
	x := &in.Policy.Spec.Target
	var out []choice
	for i := range in.Catalog.Types {
		t := &in.Catalog.Types[i]
		if !allowed(t, x, k.gpu) || !slices.Contains(k.archs(), t.Arch) || k.disk && t.LocalNVMe == 0 || t.CoreMark < d.mark {
			continue
		}
		set := kubelet(x)
		c := choice{t: t, purchase: k.purchase, price: t.Price}
		if k.purchase == plan.Spot {
			if !spotable(t, &in.Policy.Spec.Buying) {
				continue
			}
			c.price = unit.Money(float64(t.Price)*(1-t.SpotSaving) + 0.5)
		}
		c.set(set)
		out = append(out, c)
		if n := c.morePods(mean, system); n > 0 && x.MaxPods == 0 {
			more := c
			more.maxPods = n
			set.PrefixDelegation, set.MaxPods = true, n
			if more.set(set); more.alloc.Pods > c.alloc.Pods {
				more.maxPods = more.alloc.Pods // as many as it has addresses for
				out = append(out, more)
			}
		}
	}
	if k.purchase == plan.Spot {
		out = diversify(out, max(in.Policy.Spec.Buying.SpotTypes, 0))
	}
	slices.SortStableFunc(out, func(a, b choice) int {
		return cmp.Or(cmp.Compare(a.price, b.price), strings.Compare(a.t.Name, b.t.Name), cmp.Compare(a.maxPods, b.maxPods))
	})
	return out
}

func (c *choice) set(k catalog.Kubelet) {
	c.alloc = c.t.Allocatable(k)
	c.room = roomOf(c.alloc)
}

// Limits of --max-pods that AWS advises, by the size of the machine.
const (
	fewPods, manyPods = 110, 250
	largeVCPU         = 30
)

// morePods is how many pods of the mean size a node could hold, where its own
// limit holds back.
func (c *choice) morePods(mean, system vector) int {
	if mean[inPods] == 0 {
		return 0
	}
	n := int64(1 << 30)
	for d := range mean {
		if d != inPods && mean[d] > 0 {
			n = min(n, (c.room[d]-system[d])*mean[inPods]/mean[d])
		}
	}
	most := int64(fewPods)
	if c.t.VCPU > largeVCPU {
		most = manyPods
	}
	// A half more than the mean, since pods are not all of the mean size.
	n = n*3/2 + system[inPods]
	if n <= c.room[inPods]*11/10 {
		return 0
	}
	return int(min((n+9)/10*10, most))
}

// Defaults of buying.
const (
	defaultBand      = 1
	defaultSpotTypes = 2
)

func spotable(t *catalog.Type, b *policy.Buying) bool {
	band := defaultBand
	if b.InterruptBand != nil {
		band = *b.InterruptBand
	}
	return t.SpotSaving > 0 && t.InterruptBand <= band
}

// diversify keeps choices that others can stand in for, so that the loss of
// one market does not take the pool.
func diversify(all []choice, types int) []choice {
	if types == 0 {
		types = defaultSpotTypes
	}
	var out []choice
	for _, c := range all {
		c.others = standIns(&c, all, max(types-1, 4))
		if len(c.others)+1 >= types {
			out = append(out, c)
		}
	}
	return out
}

// standIns gives the cheapest types with at least the room of one, up to a
// third dearer.
func standIns(c *choice, all []choice, most int) []string {
	var near []*choice
	for i := range all {
		o := &all[i]
		if _, ok := c.room.within(o.room); ok && o.t.Name != c.t.Name && o.t.Arch == c.t.Arch && o.price <= c.price*4/3 && o.maxPods == c.maxPods {
			near = append(near, o)
		}
	}
	slices.SortStableFunc(near, func(a, b *choice) int {
		return cmp.Or(cmp.Compare(a.price, b.price), strings.Compare(a.t.Name, b.t.Name))
	})
	var names []string
	for _, o := range near {
		if len(names) < most && !slices.Contains(names, o.t.Name) {
			names = append(names, o.t.Name)
		}
	}
	return names
}

// pruned leaves out what is no cheaper than another choice with as much room.
func pruned(all []choice, system vector) []choice {
	var out []choice
	for i := range all {
		c := &all[i]
		dominated := slices.ContainsFunc(out, func(o choice) bool {
			_, ok := c.room.within(o.room)
			return ok && o.price <= c.price
		})
		if _, ok := system.within(c.room); ok && !dominated {
			out = append(out, *c)
		}
	}
	return out
}
