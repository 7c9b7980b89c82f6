package edge

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// group is the API group of Gateway API.
const group = "gateway.networking.k8s.io"

// A Gateway is Gateway API's, as far as it is written here: its own types need
// a newer toolchain than the rest of Kubernetes'.
type Gateway struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              GatewaySpec `json:"spec"`
}

// GatewaySpec lists the ports.
type GatewaySpec struct {
	GatewayClassName string     `json:"gatewayClassName"`
	Listeners        []Listener `json:"listeners"`
}

// A Listener is one port.
type Listener struct {
	Name          string        `json:"name"`
	Port          int           `json:"port"`
	Protocol      string        `json:"protocol"`
	TLS           *ListenerTLS  `json:"tls,omitempty"`
	AllowedRoutes AllowedRoutes `json:"allowedRoutes"`
}

// ListenerTLS names the certificates.
type ListenerTLS struct {
	Mode            string      `json:"mode"`
	CertificateRefs []SecretRef `json:"certificateRefs"`
}

// SecretRef names a Secret.
type SecretRef struct {
	Name string `json:"name"`
}

// AllowedRoutes says which namespaces may attach routes.
type AllowedRoutes struct {
	Namespaces RouteNamespaces `json:"namespaces"`
}

// RouteNamespaces is All.
type RouteNamespaces struct {
	From string `json:"from"`
}

// An HTTPRoute leads requests to Services.
type HTTPRoute struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              HTTPRouteSpec `json:"spec"`
}

// HTTPRouteSpec is where the route hangs, and its rules.
type HTTPRouteSpec struct {
	ParentRefs []ParentRef `json:"parentRefs,omitempty"`
	Hostnames  []string    `json:"hostnames,omitempty"`
	Rules      []Rule      `json:"rules"`
}

// ParentRef names a listener of a Gateway.
type ParentRef struct {
	Namespace   string `json:"namespace"`
	Name        string `json:"name"`
	SectionName string `json:"sectionName"`
}

// A Rule leads what matches to backends, or answers by itself.
type Rule struct {
	Matches     []Match      `json:"matches,omitempty"`
	Filters     []Filter     `json:"filters,omitempty"`
	BackendRefs []BackendRef `json:"backendRefs,omitempty"`
	Timeouts    *Timeouts    `json:"timeouts,omitempty"`
}

// A Match picks requests.
type Match struct {
	Path    *PathMatch    `json:"path,omitempty"`
	Headers []HeaderMatch `json:"headers,omitempty"`
}

// PathMatch compares the path.
type PathMatch struct {
	Type  string `json:"type"`
	Value string `json:"value"`
}

// HeaderMatch compares a header.
type HeaderMatch struct {
	Type  string `json:"type"`
	Name  string `json:"name"`
	Value string `json:"value"`
}

// A Filter changes a request or an answer.
type Filter struct {
	Type                   string        `json:"type"`
	RequestHeaderModifier  *HeaderFilter `json:"requestHeaderModifier,omitempty"`
	ResponseHeaderModifier *HeaderFilter `json:"responseHeaderModifier,omitempty"`
	RequestRedirect        *Redirect     `json:"requestRedirect,omitempty"`
	URLRewrite             *URLRewrite   `json:"urlRewrite,omitempty"`
}

// HeaderFilter sets headers.
type HeaderFilter struct {
	Set []Header `json:"set,omitempty"`
}

// A Header is one.
type Header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Redirect sends the client elsewhere.
type Redirect struct {
	Scheme     string        `json:"scheme,omitempty"`
	Path       *PathModifier `json:"path,omitempty"`
	StatusCode int           `json:"statusCode"`
}

// URLRewrite changes host or path.
type URLRewrite struct {
	Hostname string        `json:"hostname,omitempty"`
	Path     *PathModifier `json:"path,omitempty"`
}

// PathModifier is a new path, or a new beginning of it.
type PathModifier struct {
	Type               string  `json:"type"`
	ReplaceFullPath    *string `json:"replaceFullPath,omitempty"`
	ReplacePrefixMatch *string `json:"replacePrefixMatch,omitempty"`
}

// A BackendRef is a Service's port with its share.
type BackendRef struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace,omitempty"`
	Port      int    `json:"port"`
	Weight    int    `json:"weight"`
}

// Timeouts of a rule.
type Timeouts struct {
	Request string `json:"request,omitempty"`
}

// A ReferenceGrant lets routes of other namespaces lead into its own.
type ReferenceGrant struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              GrantSpec `json:"spec"`
}

// GrantSpec says from where to what.
type GrantSpec struct {
	From []GrantFrom `json:"from"`
	To   []GrantTo   `json:"to"`
}

// GrantFrom is a kind in a namespace.
type GrantFrom struct {
	Group     string `json:"group"`
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
}

// GrantTo is a kind, or one object.
type GrantTo struct {
	Group string `json:"group"`
	Kind  string `json:"kind"`
	Name  string `json:"name,omitempty"`
}

func gatewayType(kind string) metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: group + "/v1", Kind: kind}
}
