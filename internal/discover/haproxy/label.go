package haproxy

import (
	"strconv"
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/discover"
)

// Symbolic targets in the ledger.
const (
	annotations = "workload#metadata.annotations"
	routeSpec   = "route#spec"
)

// A rule says what becomes of a label.
type rule struct {
	ruling   discover.Ruling
	template bool // a piece of HAProxy's configuration
	secret   bool
}

// A key is a label's name taken apart.
type key struct {
	name    string // without prefix and index
	index   int
	perPort bool
	rule    rule
}

// parseKey takes HAPROXY_{n}_NAME or HAPROXY_NAME apart and reports whether
// marathon-lb, or the tool that swaps its colours, knows it.
func parseKey(label string) (key, bool) {
	rest := strings.TrimPrefix(label, "HAPROXY_")
	if n, name, ok := strings.Cut(rest, "_"); ok {
		// Index "00" is none: marathon-lb writes the number and looks it up.
		if i, err := strconv.Atoi(n); err == nil && strconv.Itoa(i) == n && i >= 0 {
			r, known := perPort(name)
			return key{name: name, index: i, perPort: true, rule: r}, known
		}
	}
	r, known := perApp(rest)
	return key{name: rest, rule: r}, known
}

func ruling(v ledger.Verdict, code diag.Code, target, reason string) rule {
	return rule{ruling: discover.Ruling{Verdict: v, Code: code, Target: target, Reason: reason}}
}

// perPort gives the rule of HAPROXY_{n}_NAME.
func perPort(name string) (rule, bool) {
	switch name {
	case "VHOST":
		return ruling(ledger.Exact, VirtualHost, routeSpec+".hostnames", ""), true
	case "GROUP":
		return groupRule(), true
	case "PATH":
		return ruling(ledger.Approximate, PathPrefix, routeSpec+".rules[].matches[].path",
			"path_beg compares strings, so /foo matches /foobar too; a path prefix compares whole segments"), true
	case "BACKEND_WEIGHT":
		return ruling(ledger.Equivalent, RuleOrder, routeSpec+".rules",
			"the order of rules, which a gateway takes from the length of their paths; it never was a share of the traffic"), true
	case "MODE":
		return ruling(ledger.Exact, RouteMode, "route#kind", ""), true
	case "PORT":
		return ruling(ledger.Decision, ListenPort, routeSpec+".parentRefs[].port",
			"proposed: a listener on the same port of the group's gateway"), true
	case "REDIRECT_TO_HTTPS":
		return ruling(ledger.Exact, RedirectToHTTPS, routeSpec+".rules[].filters", ""), true
	case "USE_HSTS":
		return ruling(ledger.Exact, StrictTransport, routeSpec+".rules[].filters", ""), true
	case "SSL_CERT":
		return ruling(ledger.Decision, Certificate, routeSpec+".parentRefs",
			"the file lies on the load balancer's own disk; proposed: a secret of the same name, to be filled or issued"), true
	case "BALANCE":
		return ruling(ledger.Approximate, BalanceAlgorithm, routeSpec,
			"the Gateway API has no word for it; the implementation balances in its own way unless it is configured"), true
	case "STICKY":
		return ruling(ledger.Approximate, StickyCookie, routeSpec+".rules",
			"a client may meet another copy at each request, unless the implementation is told to set a cookie"), true
	case "AUTH":
		r := ruling(ledger.Decision, BasicAuth, "secret#data",
			"holds a password's hash, which stays in the snapshot; proposed: a secret to be filled, and basic auth in the implementation's own policy")
		r.secret = true
		return r, true
	case "BACKEND_NETWORK_ALLOWED_ACL":
		return ruling(ledger.Equivalent, AllowedNetworks, routeSpec,
			"allowed client networks, as long as the edge sees the clients' own addresses"), true
	case "HTTP_BACKEND_PROXYPASS_PATH", "HTTP_BACKEND_REVPROXY_PATH", "HTTP_BACKEND_REDIR":
		return ruling(ledger.Approximate, PathRewrite, routeSpec+".rules[].filters",
			"a rewrite or redirect filter; Location headers of the backend are rewritten only by some implementations"), true
	case "BACKEND_HEALTHCHECK_PORT_INDEX":
		return ruling(ledger.Approximate, CheckPort, routeSpec,
			"the load balancer checked that port; a gateway sends to what its own readiness probe finds ready"), true
	case "BIND_ADDR", "BIND_OPTIONS":
		return ruling(ledger.Decision, BindOptions, routeSpec+".parentRefs",
			"address and TLS options of the load balancer's socket; proposed: the gateway's defaults"), true
	case "ENABLED":
		return ruling(ledger.Equivalent, Enabled, "route", "whether there is a route, as long as marathon-lb runs without --strict-mode"), true
	}
	if template(name) {
		r := ruling(ledger.Decision, TemplateOverride, routeSpec,
			"a piece of HAProxy's configuration; what tranship knows of it is read, the rest is kept verbatim; proposed: only what was read")
		r.template = true
		return r, true
	}
	return rule{}, false
}

func groupRule() rule {
	return ruling(ledger.Decision, LoadBalancerGroup, routeSpec+".parentRefs",
		"proposed: one gateway for each group of load balancers")
}

// perApp gives the rule of HAPROXY_NAME.
func perApp(name string) (rule, bool) {
	switch name {
	case "GROUP":
		return groupRule(), true
	case "DEPLOYMENT_GROUP", "DEPLOYMENT_COLOUR", "DEPLOYMENT_ALT_PORT", "DEPLOYMENT_STARTED_AT",
		"DEPLOYMENT_TARGET_INSTANCES", "DEPLOYMENT_NEW_INSTANCES":
		return ruling(ledger.Decision, BlueGreen, "workload#metadata.annotations",
			"two applications take turns behind one route; proposed: one route to both, to be merged into one workload"), true
	case "APP_ID":
		return ruling(ledger.Decision, HeaderRoute, routeSpec+".rules[].matches[].headers",
			"port 9091 routed by header X-Marathon-App-Id; proposed: clients call the service by its name"), true
	}
	if global(name) || template(name) {
		return ruling(ledger.Equivalent, GlobalTemplate, annotations,
			"an annotation; marathon-lb reads it from its own environment or folder, and not from an application"), true
	}
	return rule{}, false
}

// template reports whether name is a template that a label can override.
func template(name string) bool {
	switch name {
	case "BACKEND_HEAD", "BACKEND_HSTS_OPTIONS", "BACKEND_HTTP_HEALTHCHECK_OPTIONS", "BACKEND_HTTP_OPTIONS",
		"BACKEND_REDIRECT_HTTP_TO_HTTPS", "BACKEND_REDIRECT_HTTP_TO_HTTPS_WITH_PATH",
		"BACKEND_SERVER_HTTP_HEALTHCHECK_OPTIONS", "BACKEND_SERVER_OPTIONS", "BACKEND_SERVER_TCP_HEALTHCHECK_OPTIONS",
		"BACKEND_STICKY_OPTIONS", "BACKEND_TCP_HEALTHCHECK_OPTIONS", "FRONTEND_BACKEND_GLUE", "FRONTEND_HEAD",
		"HTTPS_FRONTEND_ACL", "HTTPS_FRONTEND_ACL_ONLY_WITH_PATH", "HTTPS_FRONTEND_ACL_WITH_AUTH",
		"HTTPS_FRONTEND_ACL_WITH_AUTH_AND_PATH", "HTTPS_FRONTEND_ACL_WITH_PATH", "HTTPS_FRONTEND_AUTH_ACL_ONLY",
		"HTTPS_FRONTEND_AUTH_REQUEST_ONLY", "HTTPS_FRONTEND_ROUTING_ONLY_WITH_PATH_AND_AUTH",
		"HTTP_BACKEND_NETWORK_ALLOWED_ACL", "HTTP_BACKEND_PROXYPASS_GLUE", "HTTP_BACKEND_REVPROXY_GLUE",
		"HTTP_FRONTEND_ACL", "HTTP_FRONTEND_ACL_ONLY", "HTTP_FRONTEND_ACL_ONLY_WITH_PATH",
		"HTTP_FRONTEND_ACL_ONLY_WITH_PATH_AND_AUTH", "HTTP_FRONTEND_ACL_WITH_AUTH",
		"HTTP_FRONTEND_ACL_WITH_AUTH_AND_PATH", "HTTP_FRONTEND_ACL_WITH_PATH", "HTTP_FRONTEND_APPID_ACL",
		"HTTP_FRONTEND_ROUTING_ONLY", "HTTP_FRONTEND_ROUTING_ONLY_WITH_AUTH", "HTTP_FRONTEND_ROUTING_ONLY_WITH_PATH",
		"HTTP_FRONTEND_ROUTING_ONLY_WITH_PATH_AND_AUTH", "MAP_HTTPS_FRONTEND_ACL", "MAP_HTTP_FRONTEND_ACL",
		"MAP_HTTP_FRONTEND_ACL_ONLY", "MAP_HTTP_FRONTEND_APPID_ACL", "TCP_BACKEND_NETWORK_ALLOWED_ACL", "USERLIST_HEAD":
		return true
	}
	return false
}

// global reports whether name is a template of the whole load balancer.
func global(name string) bool {
	switch name {
	case "HEAD", "HTTPS_FRONTEND_HEAD", "HTTPS_GROUPED_FRONTEND_HEAD", "HTTPS_GROUPED_VHOST_BACKEND_HEAD",
		"HTTPS_GROUPED_VHOST_FRONTEND_ACL", "HTTPS_GROUPED_VHOST_FRONTEND_HEAD", "HTTP_BACKEND_ACL_ALLOW_DENY",
		"HTTP_FRONTEND_APPID_HEAD", "HTTP_FRONTEND_HEAD", "TCP_BACKEND_ACL_ALLOW_DENY", "HTTP_BACKEND_REDIR",
		"GLOBAL_DEFAULT_OPTIONS", "SSL_CERT", "SYSCTL_PARAMS", "USE_RELOAD", "RELOAD_SIGTERM_DELAY":
		return true
	}
	return false
}

// truth reads a boolean as marathon-lb does: what is none of its four words is false.
func truth(s string) bool {
	switch strings.ToLower(s) {
	case "true", "t", "yes", "y":
		return true
	}
	return false
}
