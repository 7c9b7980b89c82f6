package edge

import (
	"strconv"
	"strings"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/render/manifest/cluster"
	"github.com/tranship/tranship/internal/render/manifest/naming"
)

// ingress makes one Ingress for each group, as policy asks for.
func (r *route) ingress() {
	tables, ok := r.tables()
	if !ok {
		r.warn(cluster.RouteLost, "has no host or rule that can be carried: it is left out", "correct it at the source, or write it in an overlay")
		return
	}
	ref := r.refs[0]
	for _, x := range r.refs {
		if x.Namespace == "" {
			ref = x
			break
		}
	}
	if ref.Namespace != "" {
		r.warn(cluster.RouteLost, "leads into another namespace, which an Ingress cannot: it is left out", "put both into one namespace")
		return
	}
	if len(r.refs) > 1 {
		r.warn(cluster.RouteChanged, "shares traffic among several backends, which an Ingress cannot: "+ref.Name+" gets all of it", "use spec.edge.kind: gateway")
	}
	for i, name := range groupsOf(r.ep) {
		l := r.group(name)
		if l == nil {
			continue
		}
		own := r.name
		if i > 0 {
			own = naming.Join(naming.Label, r.name, l.name)
		}
		x := &networkingv1.Ingress{
			TypeMeta: metav1.TypeMeta{APIVersion: "networking.k8s.io/v1", Kind: "Ingress"}, ObjectMeta: r.meta(own),
			Spec: networkingv1.IngressSpec{IngressClassName: &l.class},
		}
		x.Annotations = r.facts()
		if !r.guard(x, l.class) {
			return
		}
		for _, t := range tables {
			r.ingressRules(x, t, ref)
		}
		if len(x.Spec.Rules) == 0 {
			return
		}
		r.ingressTLS(x, l, tables)
		r.put("Ingress", "ingress-"+own, x)
	}
	r.lost()
}

// guard keeps a route shut that was shut, by what the controller of the class
// has for it. It reports whether the route can be written.
func (r *route) guard(x *networkingv1.Ingress, class string) bool {
	why := r.shut()
	if why == "" {
		return true
	}
	prefix, list, kind := "", "", ""
	switch {
	case strings.Contains(class, "nginx"):
		prefix, list, kind = "nginx.ingress.kubernetes.io/", "whitelist-source-range", "basic"
	case strings.Contains(class, "haproxy"):
		prefix, list, kind = "haproxy.org/", "allow-list", "basic-auth"
	default:
		r.warn(cluster.RouteLost, why+", and what class "+class+" has for that is not known: it is left out", "write it in an overlay")
		return false
	}
	if a := r.ep.Auth; a != nil {
		x.Annotations[prefix+"auth-type"] = kind
		x.Annotations[prefix+"auth-realm"] = a.Realm
		name := naming.DNS(a.Secret.Name, naming.Label)
		if r.w != nil {
			if o, ok := r.c.Owned(cluster.Secret, r.w.ID, a.Secret.Name); ok {
				name = o.Name
			}
		}
		x.Annotations[prefix+"auth-secret"] = name
	}
	if len(r.ep.Allow) > 0 {
		x.Annotations[prefix+list] = strings.Join(r.ep.Allow, ",")
	}
	return true
}

func (r *route) ingressRules(x *networkingv1.Ingress, t table, ref BackendRef) {
	backend := networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{
		Name: ref.Name, Port: networkingv1.ServiceBackendPort{Number: int32(ref.Port)},
	}}
	var paths []networkingv1.HTTPIngressPath
	for i := range t.matches {
		m := &t.matches[i]
		kind := networkingv1.PathTypePrefix
		switch {
		case m.PathKind == estate.PathExact:
			kind = networkingv1.PathTypeExact
		case m.PathKind == estate.PathRegex || m.PathKind == estate.PathSuffix || m.NoCase:
			kind = networkingv1.PathTypeImplementationSpecific
		}
		if m.Header != "" || !clean(m.Path) {
			r.warn(cluster.RouteLost, "has rule "+strconv.Quote(m.Path+m.Header)+", which an Ingress cannot say: it is left out", "use spec.edge.kind: gateway")
			continue
		}
		paths = append(paths, networkingv1.HTTPIngressPath{Path: m.Path, PathType: &kind, Backend: backend})
	}
	if t.every {
		kind := networkingv1.PathTypePrefix
		paths = append(paths, networkingv1.HTTPIngressPath{Path: "/", PathType: &kind, Backend: backend})
	}
	if len(paths) == 0 {
		return
	}
	for _, h := range orNone(t.hosts) {
		x.Spec.Rules = append(x.Spec.Rules, networkingv1.IngressRule{
			Host: h, IngressRuleValue: networkingv1.IngressRuleValue{HTTP: &networkingv1.HTTPIngressRuleValue{Paths: paths}},
		})
	}
}

func (r *route) ingressTLS(x *networkingv1.Ingress, l *lb, tables []table) {
	if r.ep.TLS == nil || !r.ep.TLS.FromClients {
		return
	}
	var hosts []string
	for _, t := range tables {
		hosts = append(hosts, t.hosts...)
	}
	for _, s := range r.certs(l) {
		x.Spec.TLS = append(x.Spec.TLS, networkingv1.IngressTLS{Hosts: hosts, SecretName: s})
	}
	if strings.Contains(l.class, "nginx") {
		x.Annotations["nginx.ingress.kubernetes.io/ssl-redirect"] = strconv.FormatBool(r.ep.TLS.Redirect)
		if r.ep.TLS.ToBackend {
			x.Annotations["nginx.ingress.kubernetes.io/backend-protocol"] = "HTTPS"
		}
	}
}
