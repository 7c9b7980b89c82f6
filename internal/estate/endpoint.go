package estate

import "github.com/tranship/tranship/internal/base/unit"

// An Endpoint is a place at which workloads are reached: a route through the
// edge, a port of it, or a virtual address inside.
type Endpoint struct {
	// ID is unique among endpoints: "vip:/shop/cart:80", "route:/shop/cart:0".
	ID     string       `json:"id"`
	Kind   EndpointKind `json:"kind"`
	Origin Origin       `json:"origin"`
	// Backends in the order of the source. More than one share the traffic.
	Backends []Backend `json:"backends"`

	// Port that clients connect to: of the virtual address or of the edge.
	// 0 for routes on the edge's ordinary ports: HTTP, and HTTPS too if clients
	// may come by TLS.
	Port int `json:"port,omitempty"`
	// Direct is a further port of the edge on which every request goes to the
	// backends, whatever its host, path and user: the service port of a route
	// that marathon-lb has virtual hosts for. Clients inside used it.
	Direct   int    `json:"direct,omitempty"`
	Protocol string `json:"protocol,omitempty"` // tcp, udp
	// Address is the name or IP that clients use inside (virtual addresses).
	Address string `json:"address,omitempty"`

	// The rest is for routes.

	// Groups of edge load balancers that carry the route.
	Groups []string  `json:"groups,omitempty"`
	Mode   string    `json:"mode,omitempty"` // http, tcp
	Hosts  []string  `json:"hosts,omitempty"`
	Rules  []Match   `json:"rules,omitempty"`
	Order  int       `json:"order,omitempty"` // larger first
	TLS    *TLS      `json:"tls,omitempty"`
	Auth   *Auth     `json:"auth,omitempty"`
	Rework *Rewrite  `json:"rewrite,omitempty"`
	Allow  []string  `json:"allow,omitempty"` // client networks, all if empty
	Sticky *Sticky   `json:"sticky,omitempty"`
	HSTS   bool      `json:"hsts,omitempty"`
	Bind   string    `json:"bind,omitempty"` // address, and options after a space
	Check  *LBCheck  `json:"check,omitempty"`
	Times  *Timeouts `json:"timeouts,omitempty"`
	// MaxConns is how many connections the balancer let through at once, 0 if unsaid.
	MaxConns int `json:"maxConns,omitempty"`
	// Balance is the algorithm, in HAProxy's word.
	Balance string `json:"balance,omitempty"`
	// Raw holds load balancer configuration in its own language, by template name.
	Raw map[string]string `json:"raw,omitempty"`
	// Disabled routes are declared and carry nothing.
	Disabled bool `json:"disabled,omitempty"`
}

// EndpointKind says what an endpoint is.
type EndpointKind string

// The kinds of endpoint.
const (
	VirtualAddress EndpointKind = "virtual-address" // a stable name and port inside
	Route          EndpointKind = "route"           // through the edge
)

// A Backend is a workload's port behind an endpoint. Workload is empty for an
// address outside the estate.
type Backend struct {
	Workload Name   `json:"workload,omitempty"`
	Port     int    `json:"port"`
	Address  string `json:"address,omitempty"`
	// Weight is a share of the traffic, nil for equal shares.
	Weight *int `json:"weight,omitempty"`
	Backup bool `json:"backup,omitempty"`
}

// A Match picks requests. All that is set must hold.
type Match struct {
	Host      string    `json:"host,omitempty"`
	HostRegex string    `json:"hostRegex,omitempty"`
	Path      string    `json:"path,omitempty"`
	PathKind  PathMatch `json:"pathKind,omitempty"`
	Header    string    `json:"header,omitempty"` // "Name: value"
	NoCase    bool      `json:"noCase,omitempty"`
}

// PathMatch says how a path is compared.
type PathMatch string

// The ways to compare a path. StringPrefix differs from what Kubernetes calls
// Prefix: "/foo" matches "/foobar".
const (
	StringPrefix PathMatch = "string-prefix"
	PathSuffix   PathMatch = "suffix"
	PathRegex    PathMatch = "regex"
	PathExact    PathMatch = "exact"
)

// TLS is how a route is encrypted, on either side of the edge.
type TLS struct {
	// FromClients: clients come by TLS, on Port or, if that is 0, on the edge's
	// ordinary HTTPS port beside plain HTTP. The edge ends it.
	FromClients  bool     `json:"fromClients,omitempty"`
	Certs        []string `json:"certs,omitempty"`
	Redirect     bool     `json:"redirect,omitempty"`     // HTTP is sent to HTTPS
	RedirectPath string   `json:"redirectPath,omitempty"` // only this path is
	// RedirectExcept are requests that stay on HTTP.
	RedirectExcept []Match `json:"redirectExcept,omitempty"`
	Passthrough    bool    `json:"passthrough,omitempty"`
	ToBackend      bool    `json:"toBackend,omitempty"`
	Secret         string  `json:"secret,omitempty"`
}

// Auth asks for a user and password. Users are in the secret.
type Auth struct {
	Realm  string    `json:"realm,omitempty"`
	User   string    `json:"user,omitempty"`
	Secret SecretRef `json:"secret"`
}

// Rewrite changes a request on its way.
type Rewrite struct {
	From         string `json:"from,omitempty"`
	Path         string `json:"path,omitempty"`
	Host         string `json:"host,omitempty"`
	RedirectPath string `json:"redirectPath,omitempty"` // "/" is sent there
	// RewriteLocation changes the path in redirects that the backend answers.
	RewriteLocation bool `json:"rewriteLocation,omitempty"`
	// LocationPath takes the place of the path in such redirects; if empty,
	// Path is changed back to From.
	LocationPath string `json:"locationPath,omitempty"`
	// Headers to set on the request and on the response.
	RequestHeaders  map[string]string `json:"requestHeaders,omitempty"`
	ResponseHeaders map[string]string `json:"responseHeaders,omitempty"`
}

// Sticky binds a client to a copy by a cookie.
type Sticky struct {
	Cookie string `json:"cookie,omitempty"`
}

// LBCheck is the load balancer's own check of a backend.
type LBCheck struct {
	Port     int          `json:"port,omitempty"`
	Path     string       `json:"path,omitempty"`
	Interval unit.Seconds `json:"interval,omitempty"`
}

// Timeouts of a route, 0 if unsaid.
type Timeouts struct {
	Client  unit.Seconds `json:"client,omitempty"`
	Server  unit.Seconds `json:"server,omitempty"`
	Connect unit.Seconds `json:"connect,omitempty"`
}

// A Dependency is an edge: From calls, mounts or waits for To.
type Dependency struct {
	From Name `json:"from"`
	// To is empty when the name that was found resolves to no workload.
	To  Name    `json:"to,omitempty"`
	Way EdgeWay `json:"way"`
	// Match is the text that was found: "db.marathon.l4lb.thisdcos.directory:5432".
	Match string `json:"match,omitempty"`
	// Port is To's container port that Match leads to, 0 if none is said.
	Port int `json:"port,omitempty"`
	// Listen is the port that Match says (of the virtual address, say).
	Listen int `json:"listen,omitempty"`
	// Endpoint is the ID of the endpoint that Match names, if it names one.
	Endpoint string `json:"endpoint,omitempty"`
	// Place is where From holds Match, At the same in the snapshot.
	Place Place  `json:"place,omitzero"`
	At    Origin `json:"at,omitzero"`
	Fate  Fate   `json:"fate"`
	// Why says so in a clause when Fate is not Rewritten.
	Why string `json:"why,omitempty"`
}

// EdgeWay is how a dependency came to be known.
type EdgeWay string

// The ways.
const (
	Declared EdgeWay = "declared" // the definition says so
	ByName   EdgeWay = "by-name"  // a name of To stands in From
	Routed   EdgeWay = "routed"   // by way of the old load balancer
)

// Fate is what becomes of a name.
type Fate string

// The fates.
const (
	None       Fate = ""           // there is no name
	Rewritten  Fate = "rewritten"  // replaced by the new name
	Bridged    Fate = "bridged"    // the old name is answered in the new world
	Unresolved Fate = "unresolved" // a person must look
)

// A Place is a text field of a workload.
type Place struct {
	Container string `json:"container,omitempty"`
	// Field is env, shell, command, args, label, check, artifact or image.
	Field string `json:"field,omitempty"`
	Key   string `json:"key,omitempty"` // the variable's or label's name, or an index
}
