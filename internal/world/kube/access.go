package kube

import (
	"context"
	"fmt"
	"slices"
	"strings"

	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tranship/tranship/internal/world/kube/internal/fault"
)

// grant is what the mover has to be allowed.
type grant struct {
	group     string
	resources []string
	verbs     []string
	// own is for the mover's namespace alone.
	own bool
	// optional kinds are not on every cluster.
	optional bool
}

// Server-side apply of what is not there yet needs "create" beside "patch".
func grants() []grant {
	applied := []string{"create", "delete", "get", "list", "patch"}
	return []grant{
		{group: "", resources: []string{"configmaps", "secrets", "serviceaccounts"}, verbs: applied},
		{group: "", resources: []string{"services"}, verbs: append(slices.Clone(applied), "update")},
		{group: "", resources: []string{"namespaces", "persistentvolumeclaims", "persistentvolumes", "resourcequotas", "limitranges"}, verbs: []string{"create", "get", "patch"}},
		{group: "", resources: []string{"pods", "nodes", "events"}, verbs: []string{"list"}},
		{group: "apps", resources: []string{"deployments", "statefulsets", "daemonsets"}, verbs: applied},
		{group: "apps", resources: []string{"replicasets"}, verbs: []string{"list"}},
		{group: "batch", resources: []string{"cronjobs", "jobs"}, verbs: applied},
		{group: "batch", resources: []string{"cronjobs/status"}, verbs: []string{"patch"}},
		{group: "autoscaling", resources: []string{"horizontalpodautoscalers"}, verbs: applied},
		{group: "policy", resources: []string{"poddisruptionbudgets"}, verbs: applied},
		{group: "networking.k8s.io", resources: []string{"ingresses", "networkpolicies"}, verbs: applied},
		{group: gatewayGroup, resources: []string{"httproutes"}, verbs: append(slices.Clone(applied), "update"), optional: true},
		{group: gatewayGroup, resources: []string{"gateways", "referencegrants"}, verbs: []string{"create", "get", "patch"}, optional: true},
		{group: "discovery.k8s.io", resources: []string{"endpointslices"}, verbs: []string{"create", "delete", "get", "list", "update"}, optional: true},
		{group: "external-secrets.io", resources: []string{"externalsecrets"}, verbs: applied, optional: true},
		{group: "coordination.k8s.io", resources: []string{"leases"}, verbs: []string{"create", "get", "update"}, own: true},
		{group: "", resources: []string{"configmaps"}, verbs: []string{"create", "get", "update"}, own: true},
	}
}

// Optional ends the name of a right that only some clusters have a use for.
const Optional = " (only where it is used)"

// Missing gives what the mover lacks of the rights that it needs, as "verb
// resource.group", with its namespace where it is for that alone.
func Missing(ctx context.Context, c *Connection, namespace string) ([]string, error) {
	var out []string
	for _, g := range grants() {
		for _, resource := range g.resources {
			for _, verb := range g.verbs {
				a := &authorizationv1.ResourceAttributes{Verb: verb, Group: g.group}
				a.Resource, a.Subresource, _ = strings.Cut(resource, "/")
				name := verb + " " + strings.TrimSuffix(resource+"."+g.group, ".")
				if g.own {
					a.Namespace = namespace
					name += " in namespace " + namespace
				}
				answer, err := c.Typed.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, &authorizationv1.SelfSubjectAccessReview{
					Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: a},
				}, metav1.CreateOptions{})
				if err != nil {
					return nil, fault.Of("ask whether the mover may "+name, err)
				}
				if !answer.Status.Allowed {
					if g.optional {
						name += Optional
					}
					out = append(out, name)
				}
			}
		}
	}
	return out, nil
}

// Role gives the least that the mover has to be allowed, as YAML to apply: a
// ClusterRole for what it moves and a Role in its own namespace. Bind both to
// whoever runs it. Secrets are listed by their labels and written without
// values, and Kubernetes has no right that is narrower than "list" for that.
func Role(namespace string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: tranship-mover\nrules:\n")
	rules(&b, false)
	fmt.Fprintf(&b, "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata:\n  name: tranship-mover\n  namespace: %s\nrules:\n", namespace)
	rules(&b, true)
	return b.String()
}

func rules(b *strings.Builder, own bool) {
	for _, g := range grants() {
		if g.own == own {
			fmt.Fprintf(b, "  - apiGroups: [%q]\n    resources: [%s]\n    verbs: [%s]\n", g.group, strings.Join(g.resources, ", "), strings.Join(g.verbs, ", "))
		}
	}
}
