package haproxy

import "github.com/tranship/tranship/internal/base/diag"

// Codes of marathon-lb's labels.
const (
	// LoadBalancerGroup is the ledger's code for the group of load balancers
	// that carry a route.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "portDefinitions": [{"port": 10000}], "labels": {"HAPROXY_GROUP": "external"}}
	LoadBalancerGroup diag.Code = "H101"

	// VirtualHost is the ledger's code for the host names of a route.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "portDefinitions": [{"port": 10000}],
	//	 "labels": {"HAPROXY_GROUP": "external", "HAPROXY_0_VHOST": "a.example.com,www.a.example.com"}}
	VirtualHost diag.Code = "H102"

	// PathPrefix is the ledger's code for the paths of a route.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "portDefinitions": [{"port": 10000}],
	//	 "labels": {"HAPROXY_GROUP": "external", "HAPROXY_0_VHOST": "a.example.com", "HAPROXY_0_PATH": "-i /api /v2"}}
	PathPrefix diag.Code = "H103"

	// RuleOrder is the ledger's code for BACKEND_WEIGHT, the order of rules.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "portDefinitions": [{"port": 10000}],
	//	 "labels": {"HAPROXY_GROUP": "external", "HAPROXY_0_VHOST": "a.example.com", "HAPROXY_0_BACKEND_WEIGHT": "7"}}
	RuleOrder diag.Code = "H104"

	// RouteMode is the ledger's code for http or tcp.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "portDefinitions": [{"port": 10000}],
	//	 "labels": {"HAPROXY_GROUP": "external", "HAPROXY_0_MODE": "http"}}
	RouteMode diag.Code = "H105"

	// ListenPort is the ledger's code for the port on the load balancer.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "portDefinitions": [{"port": 10000}],
	//	 "labels": {"HAPROXY_GROUP": "external", "HAPROXY_0_PORT": "5432"}}
	ListenPort diag.Code = "H106"

	// RedirectToHTTPS is the ledger's code for sending HTTP to HTTPS.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "portDefinitions": [{"port": 10000}],
	//	 "labels": {"HAPROXY_GROUP": "external", "HAPROXY_0_VHOST": "a.example.com", "HAPROXY_0_REDIRECT_TO_HTTPS": "true"}}
	RedirectToHTTPS diag.Code = "H107"

	// StrictTransport is the ledger's code for the HSTS header.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "portDefinitions": [{"port": 10000}],
	//	 "labels": {"HAPROXY_GROUP": "external", "HAPROXY_0_VHOST": "a.example.com", "HAPROXY_0_USE_HSTS": "true"}}
	StrictTransport diag.Code = "H108"

	// Certificate is the ledger's code for certificate files of the load balancer.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "portDefinitions": [{"port": 10000}],
	//	 "labels": {"HAPROXY_GROUP": "external", "HAPROXY_0_SSL_CERT": "/etc/ssl/a.pem"}}
	Certificate diag.Code = "H109"

	// BalanceAlgorithm is the ledger's code for how copies are chosen.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "portDefinitions": [{"port": 10000}],
	//	 "labels": {"HAPROXY_GROUP": "external", "HAPROXY_0_BALANCE": "leastconn"}}
	BalanceAlgorithm diag.Code = "H110"

	// StickyCookie is the ledger's code for sticky sessions.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "portDefinitions": [{"port": 10000}],
	//	 "labels": {"HAPROXY_GROUP": "external", "HAPROXY_0_STICKY": "true"}}
	StickyCookie diag.Code = "H111"

	// BasicAuth is the ledger's code for a user and a password's hash.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "portDefinitions": [{"port": 10000}],
	//	 "labels": {"HAPROXY_GROUP": "external", "HAPROXY_0_VHOST": "a.example.com", "HAPROXY_0_AUTH": "staff:ann:not-here"}}
	BasicAuth diag.Code = "H112"

	// AllowedNetworks is the ledger's code for the clients that may connect.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "portDefinitions": [{"port": 10000}],
	//	 "labels": {"HAPROXY_GROUP": "external", "HAPROXY_0_BACKEND_NETWORK_ALLOWED_ACL": "10.1.40.0/24 10.1.55.43"}}
	AllowedNetworks diag.Code = "H113"

	// PathRewrite is the ledger's code for changes to the path on its way.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "portDefinitions": [{"port": 10000}],
	//	 "labels": {"HAPROXY_GROUP": "external", "HAPROXY_0_VHOST": "a.example.com", "HAPROXY_0_HTTP_BACKEND_PROXYPASS_PATH": "/old"}}
	PathRewrite diag.Code = "H114"

	// CheckPort is the ledger's code for the port that the load balancer checks.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "portDefinitions": [{"port": 10000}, {"port": 10001}],
	//	 "healthChecks": [{"protocol": "HTTP", "path": "/", "portIndex": 1}],
	//	 "labels": {"HAPROXY_GROUP": "external", "HAPROXY_0_BACKEND_HEALTHCHECK_PORT_INDEX": "1"}}
	CheckPort diag.Code = "H115"

	// BindOptions is the ledger's code for the address and options of the
	// load balancer's socket.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "portDefinitions": [{"port": 10000}],
	//	 "labels": {"HAPROXY_GROUP": "external", "HAPROXY_0_BIND_OPTIONS": "force-tlsv12"}}
	BindOptions diag.Code = "H116"

	// Enabled is the ledger's code for switching a route on or off.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "portDefinitions": [{"port": 10000}],
	//	 "labels": {"HAPROXY_GROUP": "external", "HAPROXY_0_ENABLED": "false"}}
	Enabled diag.Code = "H117"

	// BlueGreen is the ledger's code for the marks of a blue/green pair.
	//
	// Example:
	//	{"id": "/a-blue", "cmd": "true", "portDefinitions": [{"port": 10000}],
	//	 "labels": {"HAPROXY_GROUP": "external", "HAPROXY_DEPLOYMENT_GROUP": "a", "HAPROXY_DEPLOYMENT_COLOUR": "blue"}}
	BlueGreen diag.Code = "H118"

	// HeaderRoute is the ledger's code for routing by X-Marathon-App-Id.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "portDefinitions": [{"port": 10000}],
	//	 "labels": {"HAPROXY_GROUP": "external", "HAPROXY_APP_ID": "a"}}
	HeaderRoute diag.Code = "H119"

	// TemplateOverride is the ledger's code for HAProxy configuration in a label.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "portDefinitions": [{"port": 10000}],
	//	 "labels": {"HAPROXY_GROUP": "external", "HAPROXY_0_BACKEND_HTTP_OPTIONS": "  timeout server 90s\n"}}
	TemplateOverride diag.Code = "H120"

	// GlobalTemplate is the ledger's code for a setting of the whole load
	// balancer on an application, where it does nothing.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "portDefinitions": [{"port": 10000}], "labels": {"HAPROXY_HEAD": "global"}}
	GlobalTemplate diag.Code = "H121"

	// NoSuchPort is reported for labels of a port that the application has not.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "portDefinitions": [{"port": 10000}],
	//	 "labels": {"HAPROXY_GROUP": "external", "HAPROXY_3_VHOST": "a.example.com"}}
	NoSuchPort diag.Code = "H122"

	// UnknownLabel is reported for a HAPROXY_ label that marathon-lb has not.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "portDefinitions": [{"port": 10000}],
	//	 "labels": {"HAPROXY_GROUP": "external", "HAPROXY_VHOST": "a.example.com"}}
	UnknownLabel diag.Code = "H123"

	// NoEffect is the ledger's code for a label that does nothing where it is.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "portDefinitions": [{"port": 10000}],
	//	 "labels": {"HAPROXY_GROUP": "external", "HAPROXY_0_PATH": "/api"}}
	NoEffect diag.Code = "H124"

	// NoGroup is reported for a route that names no group.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "portDefinitions": [{"port": 10000}], "labels": {"HAPROXY_0_VHOST": "a.example.com"}}
	NoGroup diag.Code = "H125"

	// BadValue is reported for a label that cannot be read.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "portDefinitions": [{"port": 10000}],
	//	 "labels": {"HAPROXY_GROUP": "external", "HAPROXY_0_PORT": "http"}}
	BadValue diag.Code = "H126"

	// RouteClash is reported when two routes claim the same requests.
	//
	// Example:
	//	[{"id": "/a", "cmd": "true", "portDefinitions": [{"port": 10000}],
	//	  "labels": {"HAPROXY_GROUP": "external", "HAPROXY_0_VHOST": "a.example.com"}},
	//	 {"id": "/b", "cmd": "true", "portDefinitions": [{"port": 10001}],
	//	  "labels": {"HAPROXY_GROUP": "external", "HAPROXY_0_VHOST": "a.example.com"}}]
	RouteClash diag.Code = "H127"

	// NoServicePort is reported for a TCP route whose port nobody has said.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "portDefinitions": [{"port": 0}], "labels": {"HAPROXY_GROUP": "external"}}
	NoServicePort diag.Code = "H128"

	// BlueGreenPair is reported for workloads that share one route.
	//
	// Example:
	//	[{"id": "/a-blue", "cmd": "true", "portDefinitions": [{"port": 10000}],
	//	  "labels": {"HAPROXY_GROUP": "external", "HAPROXY_DEPLOYMENT_GROUP": "a", "HAPROXY_DEPLOYMENT_COLOUR": "blue"}},
	//	 {"id": "/a-green", "cmd": "true", "portDefinitions": [{"port": 10001}],
	//	  "labels": {"HAPROXY_GROUP": "external", "HAPROXY_DEPLOYMENT_GROUP": "a", "HAPROXY_DEPLOYMENT_COLOUR": "green"}}]
	BlueGreenPair diag.Code = "H129"

	// OddHost is reported for a virtual host that cannot be a host's name.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "portDefinitions": [{"port": 10000}],
	//	 "labels": {"HAPROXY_GROUP": "external", "HAPROXY_0_VHOST": "<your-vhost>"}}
	OddHost diag.Code = "H130"

	// NotTCP is reported for a UDP port behind HAProxy.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "portDefinitions": [{"port": 10000, "protocol": "udp"}],
	//	 "labels": {"HAPROXY_GROUP": "external"}}
	NotTCP diag.Code = "H131"

	// StrictMode is reported for a route that a strict load balancer left out.
	//
	// Example:
	//	[{"id": "/a", "cmd": "true", "portDefinitions": [{"port": 10000}], "labels": {"HAPROXY_GROUP": "external"}},
	//	 {"id": "/lb", "args": ["sse", "--strict-mode", "--group", "external"],
	//	  "container": {"type": "DOCKER", "docker": {"image": "mesosphere/marathon-lb:v1.15.0"}}}]
	StrictMode diag.Code = "H132"

	// TCPHost is reported for a virtual host in TCP mode.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "portDefinitions": [{"port": 10000}],
	//	 "labels": {"HAPROXY_GROUP": "external", "HAPROXY_0_VHOST": "a.example.com", "HAPROXY_0_MODE": "tcp"}}
	TCPHost diag.Code = "H133"

	// NotAnApp is reported for labels of marathon-lb on what it never read.
	//
	// Example:
	//	{"id": "/a", "containers": [{"name": "c"}], "labels": {"HAPROXY_GROUP": "external"}}
	NotAnApp diag.Code = "H134"

	// OrderMatters is reported when HAProxy asked a shorter path before a
	// longer one of the same host, which a gateway never does.
	//
	// Example:
	//	[{"id": "/a", "cmd": "true", "portDefinitions": [{"port": 10000}],
	//	  "labels": {"HAPROXY_GROUP": "external", "HAPROXY_0_VHOST": "a.example.com", "HAPROXY_0_PATH": "/api"}},
	//	 {"id": "/b", "cmd": "true", "portDefinitions": [{"port": 10001}],
	//	  "labels": {"HAPROXY_GROUP": "external", "HAPROXY_0_VHOST": "a.example.com", "HAPROXY_0_PATH": "/api/v2"}}]
	OrderMatters diag.Code = "H135"
)

// Codes of the labels of other load balancers.
const (
	// Traefik is the ledger's code for a label of Traefik.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "labels": {"traefik.frontend.rule": "Host:a.example.com"}}
	Traefik diag.Code = "H151"

	// BigIP is the ledger's code for a label of F5's controller.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "labels": {"F5_0_BIND_ADDR": "10.0.0.5"}}
	BigIP diag.Code = "H152"

	// Bamboo is the ledger's code for a label of Bamboo.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "labels": {"BAMBOO_TCP_PORT": "8080"}}
	Bamboo diag.Code = "H153"

	// AdminRouter is the ledger's code for the labels that put an application
	// below /service of DC/OS' own web server.
	//
	// Example:
	//	{"id": "/a", "cmd": "true",
	//	 "labels": {"DCOS_SERVICE_NAME": "a", "DCOS_SERVICE_PORT_INDEX": "0", "DCOS_SERVICE_SCHEME": "http"}}
	AdminRouter diag.Code = "H154"

	// EdgeCredential is the ledger's code for a label of a load balancer that
	// holds users and passwords.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "labels": {"traefik.frontend.auth.basic": "ann:not-here"}}
	EdgeCredential diag.Code = "H155"
)
