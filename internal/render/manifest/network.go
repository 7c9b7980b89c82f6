package manifest

import (
	"maps"
	"slices"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/render/manifest/naming"
	"github.com/tranship/tranship/internal/render/manifest/pod"
)

func dns(text string) string { return naming.DNS(text, naming.Label) }

const namespaceLabel = "kubernetes.io/metadata.name"

// policies writes who may connect: nobody to what had no network, members
// alone to what was on internal networks, and, if policy asks for it, known
// callers alone to all.
func (k *work) policies() {
	switch {
	case k.w.Network == estate.Isolated:
		k.policy(networkingv1.NetworkPolicySpec{
			PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress},
		})
	case k.internal():
		peers := k.members()
		k.policy(networkingv1.NetworkPolicySpec{
			PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress},
			Ingress:     []networkingv1.NetworkPolicyIngressRule{{From: peers}},
			Egress:      []networkingv1.NetworkPolicyEgressRule{{To: append(peers, resolver())}},
		})
	case k.c.Policy.Spec.Network.Policies == "deny":
		s := networkingv1.NetworkPolicySpec{PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress}}
		if peers := k.callers(); len(peers) > 0 {
			s.Ingress = []networkingv1.NetworkPolicyIngressRule{{From: peers}}
		}
		k.policy(s)
	}
}

func (k *work) policy(s networkingv1.NetworkPolicySpec) {
	s.PodSelector = metav1.LabelSelector{MatchLabels: k.pod.Selector}
	k.files.policy = k.put("NetworkPolicy", "networkpolicy", &networkingv1.NetworkPolicy{
		TypeMeta: metav1.TypeMeta{APIVersion: "networking.k8s.io/v1", Kind: "NetworkPolicy"}, ObjectMeta: k.meta(k.place.Name), Spec: s,
	})
}

// resolver is where names are asked for.
func resolver() networkingv1.NetworkPolicyPeer {
	return networkingv1.NetworkPolicyPeer{
		NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{namespaceLabel: "kube-system"}},
		PodSelector:       &metav1.LabelSelector{MatchLabels: map[string]string{"k8s-app": "kube-dns"}},
	}
}

// internal reports whether all networks of the workload let nothing in or out.
func (k *work) internal() bool {
	for _, n := range k.w.Networks {
		if !k.c.InternalNetwork(n.Name) {
			return false
		}
	}
	return len(k.w.Networks) > 0
}

// members gives all workloads that share a network with this one.
func (k *work) members() []networkingv1.NetworkPolicyPeer {
	ids := map[estate.Name]bool{}
	for _, n := range k.w.Networks {
		for _, id := range k.c.Members(n.Name) {
			ids[id] = true
		}
	}
	return k.peers(ids)
}

// callers gives the workloads that are known to call this one, and the edge.
func (k *work) callers() []networkingv1.NetworkPolicyPeer {
	ids := map[estate.Name]bool{}
	for _, id := range k.c.Callers(k.w.ID) {
		ids[id] = true
	}
	out := k.peers(ids)
	if len(k.c.Routes(k.w.ID)) > 0 {
		out = append(out, networkingv1.NetworkPolicyPeer{
			NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{namespaceLabel: k.c.EdgeNamespace()}},
		})
	}
	return out
}

func (k *work) peers(ids map[estate.Name]bool) []networkingv1.NetworkPolicyPeer {
	var out []networkingv1.NetworkPolicyPeer
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		if w := k.c.Estate.Find(id); w == nil || !k.c.Renders(w) {
			continue
		}
		p := networkingv1.NetworkPolicyPeer{PodSelector: &metav1.LabelSelector{MatchLabels: pod.Selector(k.c, id)}}
		if ns := k.c.Place(id).Namespace; ns != k.place.Namespace {
			p.NamespaceSelector = &metav1.LabelSelector{MatchLabels: map[string]string{namespaceLabel: ns}}
		}
		out = append(out, p)
	}
	return out
}
