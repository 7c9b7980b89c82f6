package bill_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/bill"
	"github.com/tranship/tranship/internal/plan/catalog"
	"github.com/tranship/tranship/internal/plan/policy"
)

const date = "2026-11-24"

func prices() *catalog.Catalog {
	return &catalog.Catalog{Region: "us-east-1", Date: "2026-07-20", Source: "a list", Types: []catalog.Type{
		{Name: "m5.large", VCPU: 2, Memory: 8 * unit.GiB, Arch: "amd64", Generation: 5, Price: 96_000, SpotSaving: 0.6},
		{Name: "m6g.large", VCPU: 2, Memory: 8 * unit.GiB, Arch: "arm64", Generation: 6, Price: 77_000},
		{Name: "m7i.large", VCPU: 2, Memory: 8 * unit.GiB, Arch: "amd64", Generation: 7, Price: 100_800, SpotSaving: 0.5},
	}}
}

// telemetry is fifteen machines that become four nodes.
func telemetry() bill.Inputs {
	p := policy.Default()
	p.Spec.Costs.Hosts = []policy.HostCost{{Type: "m5.large", Count: 15}}
	p.Spec.Target.Kubernetes = "1.36"
	e := &estate.Estate{}
	return bill.Inputs{
		Estate: e, Policy: &p, Catalog: prices(), AsOf: date,
		Pools:    []plan.Pool{{Name: "general", Type: "m7i.large", Price: 100_800, Nodes: 4, Zones: []string{"a", "b", "c"}}},
		Survival: plan.Survival{Level: plan.SurviveNode, Reached: plan.SurviveNode, Cost: 403_200, Bound: 390_000, BoundWithout: 290_000, Price: 100_800},
		Steps: []bill.Step{
			{Name: "today", Hourly: 1_440_000},
			{Name: "right-size", Hourly: 600_000},
			{Name: "pack", Hourly: 400_000},
			{Name: "instance choice", Hourly: 302_400},
			{Name: "spot/plan", Hourly: 302_400},
			{Name: "survival", Hourly: 403_200},
		},
	}
}

func codes(list diag.List) string {
	var out []string
	for _, d := range list {
		out = append(out, string(d.Code))
	}
	return strings.Join(out, " ")
}

func names(lines []plan.Line) map[string]string {
	out := map[string]string{}
	for _, l := range lines {
		out[l.Name] = l.Month.String()
	}
	return out
}

func total(lines []plan.Line) unit.Money {
	var out unit.Money
	for _, l := range lines {
		out += l.Month
	}
	return out
}

func TestBothBillsStandLineByLine(t *testing.T) {
	in := telemetry()
	c := &in.Policy.Spec.Costs
	c.Today = []policy.CostLine{{Name: "disks of the agents", Month: 24 * unit.Dollar, Kind: "disks"}}
	c.Unchanged = []policy.CostLine{{Name: "Splunk", Month: 100 * unit.Dollar}}
	c.NATGateways, c.NATTraffic, c.CrossZone = 1, 200, 500
	in.Estate.Workloads = []estate.Workload{
		{ID: "/db", Kind: estate.Service, Replicas: 2, Volumes: []estate.Volume{
			{Name: "data", Kind: estate.PersistentVolume, Size: 50 * unit.GiB},
			{Name: "old", Kind: estate.ExternalVolume, Handle: "vol-1", Size: 100 * unit.GiB},
			{Name: "all", Kind: estate.PersistentVolume, Shared: true, Size: 10 * unit.GiB},
		}},
		{ID: "/web", Kind: estate.Service, Replicas: 1},
	}
	route := func(id, mode, group string, port int) estate.Endpoint {
		return estate.Endpoint{ID: id, Kind: estate.Route, Mode: mode, Groups: []string{group}, Port: port, Backends: []estate.Backend{{Workload: "/web"}}}
	}
	in.Estate.Endpoints = []estate.Endpoint{
		route("1", "http", "external", 0), route("2", "http", "external", 0), route("3", "http", "internal", 0), route("4", "tcp", "external", 5000),
		{ID: "5", Kind: estate.Route, Mode: "http", Groups: []string{"lost"}, Backends: []estate.Backend{{Address: "10.0.0.1"}}},
	}
	b, diags := bill.Make(in)
	if len(diags) > 0 {
		t.Error(diags)
	}
	want := map[string]string{
		"m5.large": "$1051.20", "disks of the agents": "$24.00", "volumes that are taken over": "$8.00", "Splunk": "$100.00",
	}
	if d := cmp.Diff(want, names(b.Today)); d != "" {
		t.Errorf("today:\n%s", d)
	}
	want = map[string]string{
		"m7i.large": "$294.34", "EKS control plane": "$73.00", "root disks (gp3)": "$6.40", "volumes (gp3)": "$8.00", "shared volumes (EFS)": "$3.00",
		"load balancers": "$49.28", "NAT gateways": "$32.85", "NAT traffic": "$9.00", "traffic between zones": "$10.00",
		"public IPv4 addresses": "$25.55", "volumes that are taken over": "$8.00", "Splunk": "$100.00",
	}
	if d := cmp.Diff(want, names(b.Tomorrow)); d != "" {
		t.Errorf("tomorrow:\n%s", d)
	}
	for _, l := range append(b.Today, b.Tomorrow...) {
		if l.Why == "" {
			t.Errorf("line %s has no reason", l.Name)
		}
	}
}

func TestLeversLeadFromTodayToTomorrow(t *testing.T) {
	b, _ := bill.Make(telemetry())
	var got []string
	at := total(b.Today)
	for _, l := range b.Levers {
		got = append(got, l.Name+" "+l.Delta.String())
		at += l.Delta
	}
	want := []string{
		"right-size -$613.20", "pack -$146.00", "instance choice -$71.25", "spot/plan $0.00", "survival $73.58", "EKS $73.00", "disks $6.40",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if at != total(b.Tomorrow) {
		t.Errorf("the levers lead to %s, want %s", at.Exact(), total(b.Tomorrow).Exact())
	}
	// 1051.20 today; 294.336 + 73 + 6.40 tomorrow.
	if b.Saving != 0.644467 {
		t.Errorf("%v is saved", b.Saving)
	}
	if b.Reachable <= b.Saving || b.Reachable > 0.66 {
		t.Errorf("%v is reachable", b.Reachable)
	}
}

func TestWhatIsUnknownClaimsNoSaving(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*bill.Inputs)
		diags  string
	}{
		"no machines":        {func(in *bill.Inputs) { in.Policy.Spec.Costs.Hosts = nil }, "P070"},
		"no price today":     {func(in *bill.Inputs) { in.Policy.Spec.Costs.Hosts[0].Type = "x1.old" }, "P071"},
		"no price tomorrow":  {func(in *bill.Inputs) { in.Pools[0].Price = 0 }, "P071"},
		"no nodes":           {func(in *bill.Inputs) { in.Pools = nil }, "P072"},
		"no catalog, no bid": {func(in *bill.Inputs) { in.Catalog, in.Policy.Spec.Costs.Hosts = nil, nil }, "P070"},
	} {
		in := telemetry()
		c.change(&in)
		b, diags := bill.Make(in)
		if b.Saving != 0 || b.Reachable != 0 || len(b.Levers) > 0 || b.BreakEven != "" || codes(diags) != c.diags {
			t.Errorf("%s: saves %v with %d levers, says %q, want %q", name, b.Saving, len(b.Levers), codes(diags), c.diags)
		}
		if len(b.Tomorrow) == 0 {
			t.Errorf("%s: what is known of tomorrow is not said", name)
		}
	}
}

func TestTheFeeFollowsTheVersionsCalendar(t *testing.T) {
	for version, want := range map[string][3]string{
		"1.36": {"$73.00", "", "2027-08-02"},
		"":     {"$73.00", "P074", "2027-03-27"},  // 1.35 ends within half a year
		"1.29": {"$438.00", "P074", "2025-03-23"}, // has ended
		"1.99": {"$73.00", "P073", ""},
	} {
		in := telemetry()
		in.Policy.Spec.Target.Kubernetes = version
		b, diags := bill.Make(in)
		if got := [3]string{names(b.Tomorrow)["EKS control plane"], codes(diags), b.Support.StandardUntil}; got != want {
			t.Errorf("Kubernetes %s: %v, want %v", version, got, want)
		}
	}
	in := telemetry()
	in.Policy.Spec.Costs.EKSFee = new(unit.Money(200_000))
	if b, _ := bill.Make(in); names(b.Tomorrow)["EKS control plane"] != "$146.00" || b.Support.Fee != 200_000 {
		t.Errorf("a fee of 0.20 makes %v", b.Tomorrow)
	}
}

func TestAMissedWishSaysWhatWouldHaveToGive(t *testing.T) {
	in := telemetry()
	in.Policy.Spec.Costs.Wished = 0.7
	in.Policy.Spec.Costs.EKSFee = new(unit.Money(200_000))
	in.Policy.Spec.Costs.Unchanged = []policy.CostLine{{Name: "Splunk", Month: 10 * unit.Dollar}}
	in.Sizes = []plan.Size{
		{Workload: "/a", Replicas: 2, Reason: plan.AsDeclared, Containers: []plan.ContainerSize{{CPU: 500}}},
		{Workload: "/b", Replicas: 3, Reason: plan.FromUsage, Containers: []plan.ContainerSize{{CPU: 1000}}},
	}
	b, diags := bill.Make(in)
	want := []string{
		"70 % is wished, 57 % reached: $138.38 a month are lacking",
		"no nodes under these rules can reach it: the wish leaves $0.2136 an hour for them, and they must cost $0.39 at least, which would save 57.9 %; these cost $0.4032",
		"giving up survival of any one node (spec.target.survive: none) saves $73.58 a month: saving 63.9 %, and 64.7 % at the bound of $0.29 an hour",
		"an EKS fee of $0.10 an hour, the list's, in place of $0.20 saves $73.00 a month: saving 63.8 %",
		"of 2 workloads 1 is as declared, with 25 % of all CPU that is asked for: usage (plan --usage) would say what they need",
		"images for arm64 too (spec.target.architectures): the same nodes, m6g.large for m7i.large, cost $69.50 a month less: saving 63.5 %",
		"spot for what has no state (spec.buying.spot: stateless): if all nodes were bought so they would cost $147.17 a month less, saving 70.8 %",
		"a savings plan (spec.buying.commit) closes the gap with a discount of 47.1 % on the $294.34 a month of nodes on demand",
		"unchanged costs are $10.00 a month, 0.9 % of today's bill: no choice of nodes touches them",
	}
	if d := cmp.Diff(want, b.Short); d != "" || codes(diags) != "P076" {
		t.Errorf("%s: %s", codes(diags), d)
	}
	in.Policy.Spec.Costs.Wished = 0.5
	if b, diags := bill.Make(in); len(b.Short) > 0 || len(diags) > 0 {
		t.Errorf("a wish that is met is said to be missed: %v %v", b.Short, diags)
	}
}

func moving(in *bill.Inputs) {
	for _, id := range []estate.Name{"/a", "/b"} {
		in.Sizes = append(in.Sizes, plan.Size{Workload: id, Replicas: 2, Containers: []plan.ContainerSize{{CPU: 1000, Memory: unit.GiB}}})
	}
	for _, h := range []string{"h1", "h2", "h3"} {
		in.Estate.Hosts = append(in.Estate.Hosts, estate.Host{Name: h})
	}
	in.Policy.Spec.Costs.Hosts[0].Count = 3
	in.Steps[0].Hourly = 3 * 96_000
	in.Pools[0].Nodes, in.Pools[0].Price = 3, 40_000
	in.Survival.Reached = plan.SurviveNone
	in.Steps = nil
	in.Waves = []plan.Wave{
		{Number: 1, Start: "2026-12-01", End: "2026-12-03", Free: []string{"h1"}, Groups: []plan.MoveGroup{{Workloads: []estate.Name{"/a"}}}},
		{Number: 2, Start: "2026-12-05", End: "2026-12-06", Free: []string{"h2", "h3"}, Groups: []plan.MoveGroup{{Workloads: []estate.Name{"/b"}}}},
	}
}

func TestSpendFollowsTheCalendar(t *testing.T) {
	in := telemetry()
	moving(&in)
	b, diags := bill.Make(in)
	if len(diags) > 0 {
		t.Error(diags)
	}
	var got []string
	for _, d := range b.Spend {
		got = append(got, d.Date[5:]+" "+d.Source.Exact()+" "+d.Target.Exact()+" "+strings.Repeat("*", d.Wave))
	}
	// A machine is 2.304 a day, a node 0.96 with its disk 0.052603, EKS 2.4.
	want := []string{
		"11-30 $6.912 $0 ",
		"12-01 $6.912 $4.425205 *", "12-02 $6.912 $4.425205 *", "12-03 $6.912 $4.425205 *",
		"12-04 $4.608 $4.425205 ",
		"12-05 $4.608 $5.437808 **", "12-06 $4.608 $5.437808 **",
		"12-07 $0 $5.437808 ",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if want := unit.Money(4*4_425_205 + 2*5_437_808); b.Dual != want || b.DualMonths != 0.2 {
		t.Errorf("running both costs %s in %v months, want %s in 0.2", b.Dual.Exact(), b.DualMonths, want.Exact())
	}
	// Over today: 3 × 4.425205, 2.121205, 2 × 3.133808 more; then 1.474192 less a day:
	// 21.664436 is paid for on the fifteenth day after.
	if b.BreakEven != "2026-12-21" {
		t.Errorf("it is paid for on %s", b.BreakEven)
	}
	in.Pools[0].Price = 90_000
	if b, _ := bill.Make(in); b.BreakEven != "" || b.Saving >= 0 {
		t.Errorf("what saves %v is paid for on %q", b.Saving, b.BreakEven)
	}
}

func TestMachinesThatStayArePaidTomorrow(t *testing.T) {
	in := telemetry()
	moving(&in)
	in.Waves[1].Free = []string{"h2"}
	b, _ := bill.Make(in)
	if got := names(b.Tomorrow)["machines of today that stay"]; got != "$70.08" {
		t.Errorf("the machine that stays costs %q in %v", got, names(b.Tomorrow))
	}
	if last := b.Spend[len(b.Spend)-1]; last.Source != 2_304_000 {
		t.Errorf("on the day after the move the source costs %s", last.Source.Exact())
	}
}

func TestNodesStandByTypeAndPrice(t *testing.T) {
	in := telemetry()
	in.Pools = []plan.Pool{
		{Name: "a", Type: "m5.large", Price: 96_000, Nodes: 1},
		{Name: "b", Type: "m5.large", Price: 96_000, Nodes: 2, Purchase: plan.OnDemand},
		{Name: "c", Type: "m5.large", Price: 40_000, Nodes: 2, Purchase: plan.Spot},
		{Name: "d", Type: "m7i.large", Price: 100_800},
	}
	b, _ := bill.Make(in)
	var got []string
	for _, l := range b.Tomorrow[:2] {
		got = append(got, l.Name+": "+l.Why)
	}
	want := []string{
		"m5.large: 3 nodes of pools a, b, on-demand; us-east-1, 2026-07-20 list",
		"m5.large spot: 2 nodes of pool c, spot; $0.096 on demand, us-east-1, 2026-07-20",
	}
	if d := cmp.Diff(want, got); d != "" || b.Tomorrow[2].Name != "EKS control plane" {
		t.Errorf("%s", d)
	}
}
