package pod

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/render/manifest/cluster"
	"github.com/tranship/tranship/internal/render/manifest/naming"
)

// NodeLabel gives the label of nodes that takes an attribute's place.
func (b *builder) nodeLabel(attribute string) string {
	if l := b.c.Policy.Spec.Nodes.Labels[attribute]; naming.IsLabelKey(l) {
		return l
	}
	switch attribute {
	case "hostname":
		return corev1.LabelHostname
	case "@zone":
		return corev1.LabelTopologyZone
	case "@region":
		return corev1.LabelTopologyRegion
	case "@os":
		return corev1.LabelOSStable
	case "@arch":
		return corev1.LabelArchStable
	}
	return "mesos.attr/" + naming.LabelValue(strings.TrimPrefix(attribute, "@"))
}

var architectures = map[string]string{"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i386": "386"}

// nodeValue gives what nodes have in the place of an attribute's value.
func (b *builder) nodeValue(attribute, value string) string {
	n := &b.c.Policy.Spec.Nodes
	switch attribute {
	case "@zone":
		value = cmp.Or(n.Zones[value], value)
	case "@region":
		value = cmp.Or(n.Regions[value], value)
	case "@arch":
		value = cmp.Or(architectures[strings.ToLower(value)], value)
	default:
		value = scalar(value)
	}
	return naming.LabelValue(value)
}

// scalar rounds a number to three decimals, as Mesos compared them.
func scalar(value string) string {
	if !strings.Contains(value, ".") || strings.Trim(value, "0123456789.-") != "" {
		return value
	}
	f, err := strconv.ParseFloat(value, 64)
	if err != nil {
		return value
	}
	return strings.TrimRight(strings.TrimRight(strconv.FormatFloat(f, 'f', 3, 64), "0"), ".")
}

// place sets where copies go.
func (b *builder) place() {
	b.tolerate()
	b.roles()
	var a affinity
	if pools := b.c.Pools(b.w.ID); len(pools) > 0 && b.w.Kind != estate.Daemon {
		a.nodes = append(a.nodes, corev1.NodeSelectorRequirement{Key: cluster.PoolLabel, Operator: corev1.NodeSelectorOpIn, Values: pools})
	}
	for i := range b.w.Constraints {
		k := &b.w.Constraints[i]
		if how, ok := b.c.Bent(b.w.ID, k); ok {
			b.bend(k, how.Wish)
			continue
		}
		b.constraint(k, &a)
	}
	if b.w.Kind != estate.Daemon {
		b.prefer(&a)
		b.spec.PriorityClassName = b.c.Priority(b.w.ID)
	}
	b.spec.Affinity = a.affinity()
}

// prefer has the copies go to the nodes that the plan has them on, one to each,
// and to that which takes over once one of those is lost. While a new version
// takes an old one's place its copies count by themselves, so that they find the
// same nodes.
func (b *builder) prefer(a *affinity) {
	prefers := b.c.Prefers(b.w.ID)
	for _, weight := range slices.Backward(slices.Sorted(maps.Keys(prefers))) {
		a.nodesSoft = append(a.nodesSoft, corev1.PreferredSchedulingTerm{
			Weight: int32(min(max(weight, 1), 100)),
			Preference: corev1.NodeSelectorTerm{MatchExpressions: []corev1.NodeSelectorRequirement{
				{Key: cluster.PoolLabel, Operator: corev1.NodeSelectorOpIn, Values: prefers[weight]},
			}},
		})
	}
	byNode := func(t corev1.TopologySpreadConstraint) bool {
		return t.TopologyKey == corev1.LabelHostname && t.WhenUnsatisfiable == corev1.DoNotSchedule
	}
	if len(prefers) == 0 || slices.ContainsFunc(b.spec.TopologySpreadConstraints, byNode) {
		return
	}
	t := corev1.TopologySpreadConstraint{
		MaxSkew: 1, TopologyKey: corev1.LabelHostname, WhenUnsatisfiable: corev1.DoNotSchedule, LabelSelector: b.selector(),
	}
	if b.c.Version.SpreadsVersions() && b.w.Kind == estate.Service && !cluster.IsStateful(b.w) {
		t.MatchLabelKeys = []string{appsv1.DefaultDeploymentUniqueLabelKey}
	}
	b.spec.TopologySpreadConstraints = append(b.spec.TopologySpreadConstraints, t)
}

// affinity gathers terms.
type affinity struct {
	nodes     []corev1.NodeSelectorRequirement
	nodesSoft []corev1.PreferredSchedulingTerm
	with      []corev1.PodAffinityTerm
	withSoft  []corev1.WeightedPodAffinityTerm
	apart     []corev1.PodAffinityTerm
	apartSoft []corev1.WeightedPodAffinityTerm
}

// wish is the weight of what is preferred.
const wish = 50

func (a *affinity) affinity() *corev1.Affinity {
	var out corev1.Affinity
	if len(a.nodes)+len(a.nodesSoft) > 0 {
		out.NodeAffinity = &corev1.NodeAffinity{PreferredDuringSchedulingIgnoredDuringExecution: a.nodesSoft}
		if len(a.nodes) > 0 {
			out.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution = &corev1.NodeSelector{
				NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchExpressions: a.nodes}},
			}
		}
	}
	if len(a.with)+len(a.withSoft) > 0 {
		out.PodAffinity = &corev1.PodAffinity{
			RequiredDuringSchedulingIgnoredDuringExecution: a.with, PreferredDuringSchedulingIgnoredDuringExecution: a.withSoft,
		}
	}
	if len(a.apart)+len(a.apartSoft) > 0 {
		out.PodAntiAffinity = &corev1.PodAntiAffinity{
			RequiredDuringSchedulingIgnoredDuringExecution: a.apart, PreferredDuringSchedulingIgnoredDuringExecution: a.apartSoft,
		}
	}
	if out == (corev1.Affinity{}) {
		return nil
	}
	return &out
}

func (b *builder) constraint(k *estate.Constraint, a *affinity) {
	label := b.nodeLabel(k.Attribute)
	term := corev1.PodAffinityTerm{LabelSelector: b.selector(), TopologyKey: label}
	switch k.Rule {
	case estate.Apart:
		if k.Soft {
			a.apartSoft = append(a.apartSoft, corev1.WeightedPodAffinityTerm{Weight: wish, PodAffinityTerm: term})
		} else {
			a.apart = append(a.apart, term)
		}
	case estate.Together:
		if k.Soft {
			a.withSoft = append(a.withSoft, corev1.WeightedPodAffinityTerm{Weight: wish, PodAffinityTerm: term})
		} else {
			a.with = append(a.with, term)
		}
	case estate.In, estate.NotIn:
		op := corev1.NodeSelectorOpIn
		if k.Rule == estate.NotIn {
			op = corev1.NodeSelectorOpNotIn
		}
		var values []string
		for _, v := range k.Values {
			if v = b.nodeValue(k.Attribute, v); !slices.Contains(values, v) {
				values = append(values, v)
			}
		}
		if len(values) == 0 {
			b.c.Warn(b.w, cluster.NoPlaces, "asks for "+k.Source+", and no host is known that tells what that means: it is kept as a note",
				"capture the Mesos master's state too, or write an affinity in an overlay")
			return
		}
		a.node(k, corev1.NodeSelectorRequirement{Key: label, Operator: op, Values: values})
	case estate.Exists:
		a.node(k, corev1.NodeSelectorRequirement{Key: label, Operator: corev1.NodeSelectorOpExists})
	case estate.Spread:
		b.spread(k, label, k.Count)
	case estate.AtMost:
		switch n := b.c.Replicas(b.w); {
		case k.Count == 1 && k.Soft:
			a.apartSoft = append(a.apartSoft, corev1.WeightedPodAffinityTerm{Weight: wish, PodAffinityTerm: term})
		case k.Count == 1:
			a.apart = append(a.apart, term)
		case n > k.Count:
			b.spread(k, label, (n+k.Count-1)/max(k.Count, 1))
		}
	}
}

// bend keeps copies as evenly apart as the nodes that are there allow. What
// names places that no longer are is left to the workload's annotations.
func (b *builder) bend(k *estate.Constraint, wish bool) {
	switch k.Rule {
	case estate.Apart, estate.AtMost, estate.Spread:
		soft := *k
		soft.Soft = soft.Soft || wish
		b.spread(&soft, b.nodeLabel(k.Attribute), 0)
	}
}

func (a *affinity) node(k *estate.Constraint, r corev1.NodeSelectorRequirement) {
	if k.Soft {
		a.nodesSoft = append(a.nodesSoft, corev1.PreferredSchedulingTerm{
			Weight: wish, Preference: corev1.NodeSelectorTerm{MatchExpressions: []corev1.NodeSelectorRequirement{r}},
		})
		return
	}
	a.nodes = append(a.nodes, r)
}

func (b *builder) spread(k *estate.Constraint, label string, domains int) {
	t := corev1.TopologySpreadConstraint{
		MaxSkew: 1, TopologyKey: label, WhenUnsatisfiable: corev1.DoNotSchedule, LabelSelector: b.selector(),
	}
	if k.Soft {
		t.WhenUnsatisfiable = corev1.ScheduleAnyway
	} else if domains > 0 && b.c.Version.MinDomains() {
		t.MinDomains = new(int32(min(domains, 1<<30)))
	}
	for i, x := range b.spec.TopologySpreadConstraints {
		if x.TopologyKey == t.TopologyKey && x.WhenUnsatisfiable == t.WhenUnsatisfiable {
			if t.MinDomains != nil && (x.MinDomains == nil || *x.MinDomains < *t.MinDomains) {
				b.spec.TopologySpreadConstraints[i].MinDomains = t.MinDomains
			}
			return
		}
	}
	b.spec.TopologySpreadConstraints = append(b.spec.TopologySpreadConstraints, t)
}

// roles picks the nodes that take the place of hosts reserved for a role.
func (b *builder) roles() {
	if slices.Contains(b.w.AcceptedRoles, "*") {
		return
	}
	for _, r := range b.w.AcceptedRoles {
		key, value, _ := strings.Cut(b.c.Policy.Spec.Nodes.Roles[r], "=")
		if !naming.IsLabelKey(key) || !naming.IsLabelValue(value) {
			continue
		}
		if b.spec.NodeSelector == nil {
			b.spec.NodeSelector = map[string]string{}
		}
		b.spec.NodeSelector[key] = value
	}
}

// tolerate says for how long a copy on a lost node is waited for, where the
// source said so.
func (b *builder) tolerate() {
	u := b.w.Unreachable
	if u == nil || b.w.Kind == estate.Daemon || !u.Disabled && (u.Default || u.Replace <= 0) {
		return
	}
	for _, key := range []string{corev1.TaintNodeNotReady, corev1.TaintNodeUnreachable} {
		t := corev1.Toleration{Key: key, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute}
		if !u.Disabled {
			t.TolerationSeconds = new(Seconds(u.Replace))
		}
		b.spec.Tolerations = append(b.spec.Tolerations, t)
	}
}
