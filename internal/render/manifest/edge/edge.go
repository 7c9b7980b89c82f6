// Package edge makes what lets traffic in: Gateways with their routes, or
// Ingresses, and load balancers for bare TCP. It takes the routes of the
// estate and gives objects for the folders of the workloads behind them. It
// never opens a route that was kept shut by a password or by the client's
// address: such a route is written, and hangs on nothing.
package edge

import (
	"cmp"
	"encoding/json"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/render/manifest/cluster"
	"github.com/tranship/tranship/internal/render/manifest/naming"
)

// An Object is one to be written.
type Object struct {
	Kind string
	File string // without ending
	Body any
	// Of is where the definition of the route stands, if the object is a route's.
	Of estate.Origin
}

// A Folder is one of the edge's own.
type Folder struct {
	Namespace string
	Folder    string
	Objects   []Object
}

// Gateways gathers what the routes need of the edge.
type Gateways struct {
	c      *cluster.Cluster
	groups map[string]*lb
	names  map[string]naming.Set         // of routes by namespace
	grants map[string]map[GrantFrom]bool // by namespace of the backend
	told   map[string]bool               // certificates that were asked for
	lbs    naming.Set                    // names of Gateways
}

// New begins without any.
func New(c *cluster.Cluster) *Gateways {
	return &Gateways{
		c: c, groups: map[string]*lb{}, names: map[string]naming.Set{}, grants: map[string]map[GrantFrom]bool{},
		told: map[string]bool{}, lbs: naming.Set{},
	}
}

// An lb is a group of old load balancers on its way to Gateways.
type lb struct {
	name      string
	class     string
	listeners []Listener
	at        map[string]int // listener to Gateway
	certs     map[string][]string
}

// listenerLimit is how many ports one Gateway has.
const listenerLimit = 64

// group gives the Gateway of a group, nil if policy leaves it out.
func (g *Gateways) group(name string) *lb {
	policy := g.c.Policy.Spec.Edge
	said := policy.Groups[name]
	if said.Skip {
		return nil
	}
	if l := g.groups[name]; l != nil {
		return l
	}
	text := name
	if text == "*" || text == "" {
		text = "shared"
	}
	l := &lb{
		name: cmp.Or(said.Gateway, ""), class: cmp.Or(said.Class, policy.Class, "default"), at: map[string]int{}, certs: map[string][]string{},
	}
	if l.name == "" {
		l.name = g.lbs.Take(naming.DNS(text, naming.Label-4), name, naming.Label-4)
	} else {
		l.name = naming.DNS(l.name, naming.Label-4)
	}
	g.groups[name] = l
	return l
}

// listen gives the reference to a port of the group's Gateway, opening it.
func (g *Gateways) listen(l *lb, port int, tls bool, certs []string) ParentRef {
	protocol, name := "HTTP", "http"
	if tls {
		protocol, name = "HTTPS", "https"
	}
	if port != 80 && !tls || port != 443 && tls {
		name += "-" + strconv.Itoa(port)
	}
	if _, ok := l.at[name]; !ok {
		l.at[name] = len(l.listeners) / listenerLimit
		l.listeners = append(l.listeners, Listener{
			Name: name, Port: port, Protocol: protocol, AllowedRoutes: AllowedRoutes{RouteNamespaces{"All"}},
		})
	}
	if tls {
		for _, s := range certs {
			if !slices.Contains(l.certs[name], s) {
				l.certs[name] = append(l.certs[name], s)
			}
		}
	}
	return ParentRef{Namespace: g.c.EdgeNamespace(), Name: numbered(l.name, l.at[name]), SectionName: name}
}

func numbered(name string, i int) string {
	if i == 0 {
		return name
	}
	return name + "-" + strconv.Itoa(i+1)
}

// Add makes the objects of a workload's routes.
func (g *Gateways) Add(w *estate.Workload) []Object {
	var out []Object
	for _, ep := range g.c.Routes(w.ID) {
		out = append(out, g.endpoint(w, ep, g.c.Place(w.ID))...)
	}
	return out
}

// endpoint makes the objects of one route.
func (g *Gateways) endpoint(w *estate.Workload, ep *estate.Endpoint, place cluster.Place) []Object {
	r := &route{Gateways: g, w: w, ep: ep, place: place}
	if ep.Disabled {
		return nil
	}
	r.name = r.take()
	if r.backends(); len(r.refs) == 0 {
		r.warn(cluster.RouteLost, "leads to nothing that is rendered: it is kept as a route that hangs on nothing", "name what takes the place of its backends in an overlay")
		r.kept()
		return r.out
	}
	switch {
	case ep.Mode == "tcp" || ep.TLS != nil && ep.TLS.Passthrough:
		r.tcp()
	case g.c.Policy.Spec.Edge.Kind == "ingress":
		r.ingress()
	default:
		r.http()
	}
	return r.out
}

// kept writes a route without backends, so that what was known of it is not
// lost: it has no parent, and no request reaches it.
func (r *route) kept() {
	if r.c.Policy.Spec.Edge.Kind == "ingress" {
		return // an Ingress without a backend is refused
	}
	meta := r.meta(r.name)
	meta.Annotations = map[string]string{cluster.Prefix + "route": r.all("id", "kind", "origin")}
	r.put("HTTPRoute", "httproute-"+r.name, &HTTPRoute{
		TypeMeta: gatewayType("HTTPRoute"), ObjectMeta: meta, Spec: HTTPRouteSpec{Rules: []Rule{{}}},
	})
}

// all gives what is known of the route as JSON, but for some keys.
func (r *route) all(but ...string) string {
	text, err := json.Marshal(r.ep)
	if err != nil {
		return ""
	}
	var m map[string]json.RawMessage
	if err := json.Unmarshal(text, &m); err != nil {
		return ""
	}
	for _, key := range but {
		delete(m, key)
	}
	text, _ = json.Marshal(m)
	return string(text)
}

// take names the route's objects: as the workload, and which of its routes.
func (r *route) take() string {
	ns := r.place.Namespace
	if r.names[ns] == nil {
		r.names[ns] = naming.Set{}
	}
	name := r.place.Name
	if r.w != nil && len(r.c.Routes(r.w.ID)) > 1 || r.w == nil {
		which := r.ep.ID[strings.LastIndexByte(r.ep.ID, '/')+1:]
		name = naming.Join(naming.Label-12, name, strings.TrimPrefix(which, name+":"))
	}
	return r.names[ns].Take(naming.Cut(name, name, naming.Label-12), r.ep.ID, naming.Label-12)
}

func (r *route) warn(code diag.Code, problem, hint string) {
	d := diag.Diagnostic{
		Code: code, Severity: diag.Warning, Pos: diag.Pos{File: r.ep.Origin.File}, Subject: "route " + r.ep.ID, Problem: problem, Hint: hint,
	}
	r.c.Report(d)
}

func (r *route) note(code diag.Code, problem, hint string) {
	r.c.Report(diag.Diagnostic{
		Code: code, Severity: diag.Note, Pos: diag.Pos{File: r.ep.Origin.File}, Subject: "route " + r.ep.ID, Problem: problem, Hint: hint,
	})
}

// put keeps an object for the folder.
func (r *route) put(kind, file string, body any) {
	r.out = append(r.out, Object{Kind: kind, File: file, Body: body, Of: r.ep.Origin})
}

func (r *route) meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Name: name, Namespace: r.place.Namespace,
		Labels: map[string]string{cluster.NameLabel: r.place.Name, "app.kubernetes.io/managed-by": "tranship"},
	}
}

// Finish gives the folders of the edge itself. All routes have been added.
func (g *Gateways) Finish() []Folder {
	var out []Folder
	ns := g.c.EdgeNamespace()
	if loose := g.c.Loose(); len(loose) > 0 {
		f := Folder{Namespace: ns, Folder: "routes"}
		for _, ep := range loose {
			f.Objects = append(f.Objects, g.endpoint(nil, ep, cluster.Place{Namespace: ns, Name: "route"})...)
		}
		if len(f.Objects) > 0 {
			out = append(out, f)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(g.groups)) {
		out = append(out, g.groups[name].folders(ns)...)
	}
	for _, to := range slices.Sorted(maps.Keys(g.grants)) {
		grant := &ReferenceGrant{
			TypeMeta: gatewayType("ReferenceGrant"), ObjectMeta: metav1.ObjectMeta{Name: "routes", Namespace: to},
			Spec: GrantSpec{To: []GrantTo{{Kind: "Service"}}},
		}
		grant.APIVersion = group + "/v1beta1" // served by every release; v1 is new
		for from := range g.grants[to] {
			grant.Spec.From = append(grant.Spec.From, from)
		}
		slices.SortFunc(grant.Spec.From, func(a, b GrantFrom) int { return strings.Compare(a.Namespace+a.Kind, b.Namespace+b.Kind) })
		out = append(out, Folder{Namespace: to, Folder: "referencegrant-routes", Objects: []Object{{Kind: "ReferenceGrant", File: "referencegrant", Body: grant}}})
	}
	return out
}

// folders gives a group's Gateways: as many as its ports need.
func (l *lb) folders(ns string) []Folder {
	var out []Folder
	sorted := slices.Clone(l.listeners)
	slices.SortFunc(sorted, func(a, b Listener) int {
		return cmp.Or(cmp.Compare(l.at[a.Name], l.at[b.Name]), strings.Compare(a.Name, b.Name))
	})
	for _, x := range sorted {
		if certs := l.certs[x.Name]; x.Protocol == "HTTPS" {
			x.TLS = &ListenerTLS{Mode: "Terminate"}
			slices.Sort(certs)
			for _, s := range certs[:min(len(certs), listenerLimit)] {
				x.TLS.CertificateRefs = append(x.TLS.CertificateRefs, SecretRef{s})
			}
		}
		i := l.at[x.Name]
		if i == len(out) {
			name := numbered(l.name, i)
			out = append(out, Folder{Namespace: ns, Folder: "gateway-" + name, Objects: []Object{{Kind: "Gateway", File: "gateway", Body: &Gateway{
				TypeMeta: gatewayType("Gateway"),
				ObjectMeta: metav1.ObjectMeta{
					Name: name, Namespace: ns, Labels: map[string]string{cluster.NameLabel: name, "app.kubernetes.io/managed-by": "tranship"},
				},
				Spec: GatewaySpec{GatewayClassName: l.class},
			}}}})
		}
		gw := out[i].Objects[0].Body.(*Gateway)
		gw.Spec.Listeners = append(gw.Spec.Listeners, x)
	}
	return out
}

// certs gives the Secrets with a route's certificates.
func (r *route) certs(l *lb) []string {
	t := r.ep.TLS
	var out []string
	add := func(name, secret string) {
		if !slices.Contains(out, secret) {
			out = append(out, secret)
		}
		if ns := r.certNamespace(); !r.told[ns+"/"+secret] {
			r.told[ns+"/"+secret] = true
			r.note(cluster.CertificateNeeded, "needs "+name+" as Secret "+secret+" in namespace "+ns,
				"create it (kubernetes.io/tls), or have cert-manager do so; spec.edge.certificates names another")
		}
	}
	for _, c := range slices.Concat(t.Certs, []string{t.Secret}) {
		if c == "" || c == "$AUTOCERT" {
			continue // the pool made one for itself
		}
		said := r.c.Policy.Spec.Edge.Certificates[c]
		add("certificate "+c, cmp.Or(said, naming.DNS(strings.TrimSuffix(path.Base(c), path.Ext(c)), naming.Label)))
	}
	if len(out) == 0 {
		add("a certificate", cmp.Or(r.c.Policy.Spec.Edge.Certificates[""], naming.Join(naming.Label, l.name, "tls")))
	}
	return out
}

func (r *route) certNamespace() string {
	if r.c.Policy.Spec.Edge.Kind == "ingress" {
		return r.place.Namespace
	}
	return r.c.EdgeNamespace()
}
