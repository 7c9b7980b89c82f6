package bill

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/policy"
)

// defaultRoot is a node's disk, as spec.target.rootVolume has it.
const defaultRoot = 20 * unit.GiB

// tomorrow gathers what will be paid once all has moved.
func (m *maker) tomorrow() {
	m.pools()
	fee := m.feeOn(m.last)
	why := fmt.Sprintf("Kubernetes %s in standard support", m.bill.Support.Kubernetes)
	switch until := m.bill.Support.StandardUntil; {
	case until == "":
		why = "Kubernetes " + m.bill.Support.Kubernetes + ", whose calendar is not known"
	case fee != m.bill.Support.Fee:
		why = fmt.Sprintf("Kubernetes %s in extended support since %s; %s in standard support", m.bill.Support.Kubernetes, until, hour(m.bill.Support.Fee))
	default:
		why += fmt.Sprintf(" until %s, then %s an hour", until, hour(m.bill.Support.ExtendedFee))
	}
	m.then = append(m.then, hourly(controlPlane, "EKS control plane", 1, fee, why))
	m.disks()
	m.traffic()
	m.staying()
	for _, c := range m.costs.Tomorrow {
		m.then = append(m.then, monthly(cmp.Or(c.Kind, other), c, "as tranship.yaml says of tomorrow"))
	}
	m.then = append(m.then, m.kept()...)
	if r := m.region(); r != listRegion {
		m.warn(OtherRegion, diag.Note, "bill of tomorrow", fmt.Sprintf("has the nodes' prices of %s, but what is paid beside them at the list prices of %s", r, listRegion),
			"set what differs in spec.costs: eksFee, and further lines under tomorrow")
	}
}

// pools are the nodes, by pool.
func (m *maker) pools() {
	if m.thenKnown = slices.ContainsFunc(m.Pools, func(p plan.Pool) bool { return p.Nodes > 0 }); !m.thenKnown {
		m.warn(TomorrowUnknown, diag.Warning, "bill of tomorrow", "has no nodes: none were chosen", "it needs a price list with types that are allowed; see what was said of the nodes")
		return
	}
	for _, k := range m.lots() {
		why := fmt.Sprintf("%s of %s, %s; %s", count(k.nodes, "node"), k.names(), k.buy, m.priced(k.of, k.buy))
		if k.price <= 0 {
			m.thenKnown = false
			why = fmt.Sprintf("%s of %s, whose price is not known, so that they are counted with nothing", count(k.nodes, "node"), k.names())
			m.warn(NoPrice, diag.Error, k.names(), fmt.Sprintf("has nodes of type %q without a price", k.of), "import a price list that has it: tranship prices import")
		}
		name := cmp.Or(k.of, k.pools[0])
		if k.buy != plan.OnDemand {
			name += " " + string(k.buy)
		}
		l := hourly(nodes, name, float64(k.nodes), k.price, why)
		l.while = withNodes
		m.then = append(m.then, l)
		m.nodes += k.nodes
	}
}

// A lot of nodes is bought at one price.
type lot struct {
	of    string // type
	buy   plan.Purchase
	price unit.Money
	nodes int
	pools []string
}

func (k *lot) names() string {
	if len(k.pools) == 1 {
		return "pool " + k.pools[0]
	}
	return "pools " + some(k.pools, 4)
}

// lots gives the nodes by type and price, in the order of the pools.
func (m *maker) lots() []*lot {
	var out []*lot
	for _, p := range m.Pools {
		if p.Nodes <= 0 {
			continue
		}
		k := &lot{of: p.Type, buy: cmp.Or(p.Purchase, plan.OnDemand), price: p.Price}
		i := slices.IndexFunc(out, func(x *lot) bool {
			return x.of == k.of && x.of != "" && x.buy == k.buy && x.price == k.price
		})
		if i < 0 {
			out, i = append(out, k), len(out)
		}
		out[i].nodes += p.Nodes
		out[i].pools = append(out[i].pools, string(p.Name))
	}
	return out
}

// priced says where a node's price comes from.
func (m *maker) priced(name string, buy plan.Purchase) string {
	t := m.Catalog.Find(name)
	switch {
	case t == nil || t.Price <= 0:
		return "by its pool"
	case buy == plan.OnDemand:
		return strings.TrimPrefix(m.listed(), "on demand, ") + " list"
	}
	return fmt.Sprintf("%s on demand, %s", hour(t.Price), strings.TrimPrefix(m.listed(), "on demand, "))
}

// disks are the nodes' own and the volumes that are made.
func (m *maker) disks() {
	root := cmp.Or(m.target.RootVolume, defaultRoot)
	if m.nodes > 0 {
		each, _ := diskGB("gp3")
		l := perGB(disks, "root disks (gp3)", "GB-month", float64(m.nodes)*gib(root), each, fmt.Sprintf("%s of %s", count(m.nodes, "node"), root))
		l.while = withNodes
		m.then = append(m.then, l)
	}
	replicas := map[estate.Name]int{}
	for _, s := range m.Sizes {
		replicas[s.Workload] = s.Replicas
	}
	own, shared := map[string]*volumes{}, &volumes{}
	var unsized []string
	once := map[string]bool{}
	for i := range m.Estate.Workloads {
		w := &m.Estate.Workloads[i]
		if !plan.Moves(w, m.Policy) {
			continue
		}
		n, ok := replicas[w.ID]
		if !ok {
			n = w.Replicas
		}
		for j := range w.Volumes {
			v := &w.Volumes[j]
			if v.Kind != estate.PersistentVolume {
				continue
			}
			if v.Size == 0 {
				unsized = append(unsized, string(w.ID)+" "+v.Name)
				continue
			}
			if v.Shared {
				if key := string(w.Group) + " " + v.Name; !once[key] {
					once[key] = true
					shared.add(v.Size, 1)
				}
				continue
			}
			class := m.class(v)
			if own[class] == nil {
				own[class] = &volumes{}
			}
			own[class].add(v.Size, max(n, 0))
		}
	}
	for _, class := range sorted(own) {
		v := own[class]
		each, known := diskGB(class)
		why := fmt.Sprintf("%s of the workloads' own, by their declared sizes", count(v.count, "volume"))
		if !known {
			why += "; the price of class " + class + " is taken to be that of gp3"
		}
		m.then = append(m.then, perGB(disks, "volumes ("+class+")", "GB-month", gib(v.size), each, why))
	}
	if shared.count > 0 {
		m.then = append(m.then, perGB(disks, "shared volumes (EFS)", "GB-month", gib(shared.size), sharedGB,
			fmt.Sprintf("%s with many writers, by declared sizes; EFS bills what is written", count(shared.count, "volume"))))
	}
	if len(unsized) > 0 {
		slices.Sort(unsized)
		m.warn(SizeUnknown, diag.Warning, "bill of tomorrow", fmt.Sprintf("lacks %s of unknown size: %s", count(len(unsized), "volume"), some(unsized, 5)),
			"add what they cost under spec.costs.tomorrow, with kind disks")
	}
}

// volumes of one price.
type volumes struct {
	size  unit.Bytes
	count int
}

func (v *volumes) add(size unit.Bytes, n int) {
	v.size += size * unit.Bytes(n)
	v.count += n
}

// class gives the storage class of a volume.
func (m *maker) class(v *estate.Volume) string {
	s := &m.Policy.Spec.Storage
	for _, key := range []string{v.Profile, v.Driver, v.Medium} {
		if c := s.Classes[key]; key != "" && c != "" {
			return c
		}
	}
	return cmp.Or(s.Class, "gp3")
}

// traffic is what brings it in and out.
func (m *maker) traffic() {
	balancers, public, why := m.balancers()
	m.then = append(m.then, hourly(loadBalancers, "load balancers", float64(balancers), loadBalancer, why+"; LCUs, 0.008 $ an hour each, are not counted"))
	gateways := max(m.costs.NATGateways, 0)
	text := "by tranship.yaml"
	if gateways == 0 {
		text = "none is counted: spec.costs.natGateways says how many are needed beside those of today"
	}
	m.then = append(m.then, hourly(nat, "NAT gateways", float64(gateways), natHour, text))
	if gateways > 0 || m.costs.NATTraffic > 0 {
		text = "by tranship.yaml"
		if m.costs.NATTraffic <= 0 {
			text = "not known: spec.costs.natTraffic, GB a month"
		}
		m.then = append(m.then, perGB(nat, "NAT traffic", "GB", max(m.costs.NATTraffic, 0), natGB, text))
	}
	text = fmt.Sprintf("%.0f GB a month by tranship.yaml, billed on both ends", m.costs.CrossZone)
	if m.costs.CrossZone <= 0 {
		text = "not known: spec.costs.crossZone, GB a month between zones"
	}
	m.then = append(m.then, perGB(zones, "traffic between zones", "GB", 2*max(m.costs.CrossZone, 0), crossZone, text))
	n, text := public+gateways, fmt.Sprintf("%d of load balancers, one in each zone, and %d of NAT gateways; nodes have none", public, gateways)
	if m.costs.PublicAddresses != nil {
		n, text = *m.costs.PublicAddresses, "by tranship.yaml"
	}
	m.then = append(m.then, hourly(addresses, "public IPv4 addresses", float64(n), publicIPv4, text))
}

// balancers counts the load balancers that the plan will make, the public
// addresses that these have, and says what they are.
func (m *maker) balancers() (n, public int, why string) {
	spread := max(len(m.zones()), 2)
	if n := m.costs.LoadBalancers; n > 0 {
		return n, n * spread, "by tranship.yaml"
	}
	edge := &m.Policy.Spec.Edge
	moves := map[estate.Name]bool{}
	for i := range m.Estate.Workloads {
		moves[m.Estate.Workloads[i].ID] = plan.Moves(&m.Estate.Workloads[i], m.Policy)
	}
	groups, ports := map[string]bool{}, map[string]string{}
	for i := range m.Estate.Endpoints {
		ep := &m.Estate.Endpoints[i]
		if ep.Kind != estate.Route || ep.Disabled || !slices.ContainsFunc(ep.Backends, func(b estate.Backend) bool { return moves[b.Workload] }) {
			continue
		}
		names := ep.Groups
		if len(names) == 0 {
			names = []string{"*"}
		}
		for _, g := range names {
			if edge.Groups[g].Skip {
				continue
			}
			if ep.Mode == "tcp" || ep.TLS != nil && ep.TLS.Passthrough {
				if ep.Port >= 1 && ep.Port <= 65535 {
					ports[ep.ID] = g
				}
				continue
			}
			groups[g] = true
		}
	}
	for _, g := range sorted(groups) {
		if !private(g, edge.Groups[g].Class, edge.Groups[g].Gateway) {
			public += spread
		}
	}
	for _, g := range ports {
		if !private(g, edge.Groups[g].Class, "") {
			public += spread
		}
	}
	n = len(groups) + len(ports)
	if n == 0 {
		return 0, 0, "no route from outside is known; spec.costs.loadBalancers says how many there are"
	}
	what := "Gateways"
	if edge.Kind == "ingress" {
		what = "groups of Ingresses that share one"
	}
	return n, public, fmt.Sprintf("%d for %s (%s) and %d for TCP ports of their own", len(groups), what, some(sorted(groups), 4), len(ports))
}

// private guesses from its names whether a load balancer is for clients inside.
func private(names ...string) bool {
	for _, n := range names {
		if strings.Contains(n, "internal") || strings.Contains(n, "private") {
			return true
		}
	}
	return false
}

// zones gives those that the nodes are spread over.
func (m *maker) zones() []string {
	if len(m.target.Zones) > 0 {
		return m.target.Zones
	}
	var out []string
	for _, p := range m.Pools {
		out = append(out, p.Zones...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// staying are the machines of today that are still needed when all waves are
// over, since policy leaves something on them.
func (m *maker) staying() {
	left := m.hosts()
	for _, w := range m.Waves {
		for _, h := range w.Free {
			delete(left, h)
		}
	}
	if len(left) == 0 || m.machines == 0 || len(m.Waves) == 0 {
		return
	}
	// What is no host of the estate, the masters say, stays with those that do.
	m.stay = len(left) + m.all - len(m.hosts())
	month := part(sumOf(m.now, nodes), m.stay, m.all)
	l := monthly(staying, policy.CostLine{Name: "machines of today that stay", Month: month}, fmt.Sprintf("%d of %d: what runs on them does not move", m.stay, m.all))
	l.while = after
	m.then = append(m.then, l)
}

// hosts gives the names of the estate's hosts.
func (m *maker) hosts() map[string]bool {
	out := map[string]bool{}
	for _, h := range m.Estate.Hosts {
		out[h.Name] = true
	}
	return out
}

// part gives a/b of an amount, rounded.
func part(of unit.Money, a, b int) unit.Money {
	if b == 0 || a >= b {
		return of
	}
	return times(of, float64(a)/float64(b))
}

// some gives at most n of the names and how many there are beside.
func some(names []string, n int) string {
	if len(names) <= n {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:n], ", "), len(names)-n)
}

func sorted[T any](m map[string]T) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
