package edgelb

import "github.com/tranship/tranship/internal/base/diag"

// Codes of a pool's own settings.
const (
	// PoolSetting is the ledger's code for how Edge-LB ran its own tasks.
	//
	// Example:
	//	{"apiVersion": "V2", "name": "a", "packageVersion": "v1.7.0", "haproxy": {"frontends": [], "backends": []}}
	PoolSetting diag.Code = "L101"

	// PoolName is the ledger's code for the name of a pool.
	//
	// Example:
	//	{"apiVersion": "V2", "name": "a", "haproxy": {"frontends": [], "backends": []}}
	PoolName diag.Code = "L102"

	// PoolRole is the ledger's code for the role that a pool ran under.
	//
	// Example:
	//	{"apiVersion": "V2", "name": "a", "role": "slave_public", "haproxy": {"frontends": []}}
	PoolRole diag.Code = "L103"

	// PoolSize is the ledger's code for how many load balancers of what size.
	//
	// Example:
	//	{"apiVersion": "V2", "name": "a", "count": 3, "cpus": 0.9, "haproxy": {"frontends": []}}
	PoolSize diag.Code = "L104"

	// PoolSecret is the ledger's code for a secret that a pool used.
	//
	// Example:
	//	{"apiVersion": "V2", "name": "a", "secrets": [{"secret": "edge/cert", "file": "cert"}], "haproxy": {"frontends": []}}
	PoolSecret diag.Code = "L105"

	// PoolVariable is the ledger's code for a pool's environment variable.
	//
	// Example:
	//	{"apiVersion": "V2", "name": "a", "environmentVariables": {"ELB_FILE_CERT": "not-here"}, "haproxy": {"frontends": []}}
	PoolVariable diag.Code = "L106"

	// AutoCertificate is the ledger's code for a certificate that Edge-LB signed.
	//
	// Example:
	//	{"apiVersion": "V2", "name": "a", "autoCertificate": true, "haproxy": {"frontends": []}}
	AutoCertificate diag.Code = "L107"

	// CloudBalancer is the ledger's code for a cloud's load balancer before a pool.
	//
	// Example:
	//	{"apiVersion": "V2", "name": "a", "cloudProvider": {"aws": {"elbs": [{"name": "e", "type": "NLB"}]}}, "haproxy": {"frontends": []}}
	CloudBalancer diag.Code = "L108"

	// StatsPage is the ledger's code for HAProxy's page of figures.
	//
	// Example:
	//	{"apiVersion": "V2", "name": "a", "haproxy": {"stats": {"bindPort": 9090}, "frontends": []}}
	StatsPage diag.Code = "L109"

	// AutoPoolLabel is the ledger's code for a label that makes a pool by itself.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "labels": {"edgelb.expose": "true"}}
	AutoPoolLabel diag.Code = "L110"

	// NotAPool is reported for an element of a list of pools that is none.
	//
	// Example:
	//	[{"apiVersion": "V2", "name": "a", "haproxy": {"frontends": []}}, {"name": "b"}]
	NotAPool diag.Code = "L111"

	// NoPoolName is reported for a pool without a name.
	//
	// Example:
	//	{"apiVersion": "V2", "haproxy": {"frontends": []}}
	NoPoolName diag.Code = "L112"
)

// Codes of frontends and their links.
const (
	// FrontendName is the ledger's code for a frontend's name.
	//
	// Example:
	//	{"name": "a", "haproxy": {"frontends": [{"name": "web", "bindPort": 80, "protocol": "HTTP", "linkBackend": {"defaultBackend": "b"}}], "backends": [{"name": "b"}]}}
	FrontendName diag.Code = "L121"

	// BindAddress is the ledger's code for the address and options of a socket.
	//
	// Example:
	//	{"name": "a", "haproxy": {"frontends": [{"bindAddress": "10.0.0.5", "bindPort": 80, "protocol": "HTTP", "linkBackend": {"defaultBackend": "b"}}], "backends": [{"name": "b"}]}}
	BindAddress diag.Code = "L122"

	// FrontendPort is the ledger's code for the port of a frontend.
	//
	// Example:
	//	{"name": "a", "haproxy": {"frontends": [{"bindPort": 80, "protocol": "HTTP", "linkBackend": {"defaultBackend": "b"}}], "backends": [{"name": "b"}]}}
	FrontendPort diag.Code = "L123"

	// FrontendProtocol is the ledger's code for the protocol of a frontend.
	//
	// Example:
	//	{"name": "a", "haproxy": {"frontends": [{"bindPort": 80, "protocol": "HTTP", "linkBackend": {"defaultBackend": "b"}}], "backends": [{"name": "b"}]}}
	FrontendProtocol diag.Code = "L124"

	// FrontendCertificate is the ledger's code for a frontend's certificate.
	//
	// Example:
	//	{"name": "a", "haproxy": {"frontends": [{"bindPort": 443, "protocol": "HTTPS", "certificates": ["$AUTOCERT"], "linkBackend": {"defaultBackend": "b"}}], "backends": [{"name": "b"}]}}
	FrontendCertificate diag.Code = "L125"

	// RedirectToHTTPS is the ledger's code for sending HTTP to HTTPS.
	//
	// Example:
	//	{"name": "a", "haproxy": {"frontends": [{"bindPort": 80, "protocol": "HTTP", "redirectToHttps": {}}]}}
	RedirectToHTTPS diag.Code = "L126"

	// RedirectItems is the ledger's code for conditions of a redirect that
	// stand where Edge-LB does not look.
	//
	// Example:
	//	{"name": "a", "haproxy": {"frontends": [{"bindPort": 80, "protocol": "HTTP", "redirectToHttps": {"items": {"host": "a.example.com"}}}]}}
	RedirectItems diag.Code = "L127"

	// LinkBackend is the ledger's code for the link from a frontend to a backend.
	//
	// Example:
	//	{"name": "a", "haproxy": {"frontends": [{"bindPort": 80, "protocol": "HTTP", "linkBackend": {"defaultBackend": "b"}}], "backends": [{"name": "b"}]}}
	LinkBackend diag.Code = "L128"

	// HostMatch is the ledger's code for a host that a link asks for.
	//
	// Example:
	//	{"name": "a", "haproxy": {"frontends": [{"bindPort": 80, "protocol": "HTTP", "linkBackend": {"map": [{"hostEq": "a.example.com", "backend": "b"}]}}], "backends": [{"name": "b"}]}}
	HostMatch diag.Code = "L129"

	// PathBegin is the ledger's code for the beginning of a path.
	//
	// Example:
	//	{"name": "a", "haproxy": {"frontends": [{"bindPort": 80, "protocol": "HTTP", "linkBackend": {"map": [{"pathBeg": "/api", "backend": "b"}]}}], "backends": [{"name": "b"}]}}
	PathBegin diag.Code = "L130"

	// RegexMatch is the ledger's code for conditions beyond equality and prefix.
	//
	// Example:
	//	{"name": "a", "haproxy": {"frontends": [{"bindPort": 80, "protocol": "HTTP", "linkBackend": {"map": [{"pathReg": "^/v[12]/", "backend": "b"}]}}], "backends": [{"name": "b"}]}}
	RegexMatch diag.Code = "L131"

	// RawLines is the ledger's code for HAProxy's own configuration.
	//
	// Example:
	//	{"name": "a", "haproxy": {"frontends": [{"bindPort": 80, "protocol": "HTTP", "miscStrs": ["timeout client 60s"], "linkBackend": {"defaultBackend": "b"}}], "backends": [{"name": "b"}]}}
	RawLines diag.Code = "L132"

	// DynamicPort is reported for a frontend that chooses its port by itself.
	//
	// Example:
	//	{"name": "a", "haproxy": {"frontends": [{"bindPort": 0, "protocol": "TCP", "linkBackend": {"defaultBackend": "b"}}], "backends": [{"name": "b"}]}}
	DynamicPort diag.Code = "L133"

	// NoCondition is reported for a link that takes every request.
	//
	// Example:
	//	{"name": "a", "haproxy": {"frontends": [{"bindPort": 80, "protocol": "HTTP", "linkBackend": {"map": [{"backend": "b"}]}}], "backends": [{"name": "b"}]}}
	NoCondition diag.Code = "L134"

	// Shadowed is the ledger's code for links that a redirect keeps from being asked.
	//
	// Example:
	//	{"name": "a", "haproxy": {"frontends": [{"bindPort": 80, "protocol": "HTTP", "redirectToHttps": {}, "linkBackend": {"defaultBackend": "b"}}], "backends": [{"name": "b"}]}}
	Shadowed diag.Code = "L135"

	// Unlinked is the ledger's code for a frontend that leads nowhere, or a
	// backend that none leads to.
	//
	// Example:
	//	{"name": "a", "haproxy": {"frontends": [], "backends": [{"name": "b", "protocol": "HTTP"}]}}
	Unlinked diag.Code = "L136"

	// NoBackend is reported for a link to a backend that is not there.
	//
	// Example:
	//	{"name": "a", "haproxy": {"frontends": [{"bindPort": 80, "protocol": "HTTP", "linkBackend": {"defaultBackend": "c"}}], "backends": [{"name": "b"}]}}
	NoBackend diag.Code = "L137"
)

// Codes of backends and their services.
const (
	// BackendProtocol is the ledger's code for the protocol of a backend.
	//
	// Example:
	//	{"name": "a", "haproxy": {"frontends": [{"bindPort": 80, "protocol": "HTTP", "linkBackend": {"defaultBackend": "b"}}], "backends": [{"name": "b", "protocol": "HTTPS"}]}}
	BackendProtocol diag.Code = "L151"

	// BalanceAlgorithm is the ledger's code for how copies are chosen.
	//
	// Example:
	//	{"name": "a", "haproxy": {"frontends": [{"bindPort": 80, "protocol": "HTTP", "linkBackend": {"defaultBackend": "b"}}], "backends": [{"name": "b", "balance": "leastconn"}]}}
	BalanceAlgorithm diag.Code = "L152"

	// HostRewrite is the ledger's code for another Host header.
	//
	// Example:
	//	{"name": "a", "haproxy": {"frontends": [{"bindPort": 80, "protocol": "HTTP", "linkBackend": {"defaultBackend": "b"}}], "backends": [{"name": "b", "rewriteHttp": {"host": "b.example.com"}}]}}
	HostRewrite diag.Code = "L153"

	// PathRewrite is the ledger's code for changes to the path on its way.
	//
	// Example:
	//	{"name": "a", "haproxy": {"frontends": [{"bindPort": 80, "protocol": "HTTP", "linkBackend": {"defaultBackend": "b"}}],
	//	 "backends": [{"name": "b", "rewriteHttp": {"path": {"fromPath": "/a", "toPath": "/"}}}]}}
	PathRewrite diag.Code = "L154"

	// ForwardedHeaders is the ledger's code for headers that HAProxy adds.
	//
	// Example:
	//	{"name": "a", "haproxy": {"frontends": [{"bindPort": 80, "protocol": "HTTP", "linkBackend": {"defaultBackend": "b"}}],
	//	 "backends": [{"name": "b", "rewriteHttp": {"request": {"forwardfor": true}}}]}}
	ForwardedHeaders diag.Code = "L155"

	// StickyCookie is the ledger's code for sticky sessions.
	//
	// Example:
	//	{"name": "a", "haproxy": {"frontends": [{"bindPort": 80, "protocol": "HTTP", "linkBackend": {"defaultBackend": "b"}}],
	//	 "backends": [{"name": "b", "rewriteHttp": {"sticky": {"enabled": true}}}]}}
	StickyCookie diag.Code = "L156"

	// NotHTTP is the ledger's code for rewrites of what is not HTTP.
	//
	// Example:
	//	{"name": "a", "haproxy": {"frontends": [{"bindPort": 25, "protocol": "TCP", "linkBackend": {"defaultBackend": "b"}}],
	//	 "backends": [{"name": "b", "protocol": "TCP", "rewriteHttp": {"host": "b.example.com"}}]}}
	NotHTTP diag.Code = "L157"

	// BackendCheck is the ledger's code for the load balancer's own check.
	//
	// Example:
	//	{"name": "a", "haproxy": {"frontends": [{"bindPort": 80, "protocol": "HTTP", "linkBackend": {"defaultBackend": "b"}}],
	//	 "backends": [{"name": "b", "customCheck": {"httpchk": true, "httpchkMiscStr": "GET /ping"}}]}}
	BackendCheck diag.Code = "L158"

	// ServiceSelector is the ledger's code for what a service selects.
	//
	// Example:
	//	{"name": "a", "haproxy": {"frontends": [{"bindPort": 80, "protocol": "HTTP", "linkBackend": {"defaultBackend": "b"}}],
	//	 "backends": [{"name": "b", "services": [{"mesos": {"taskName": "t"}, "endpoint": {"type": "ADDRESS", "address": "db.example.com", "port": 80}}]}]}}
	ServiceSelector diag.Code = "L159"

	// EndpointType is the ledger's code for whose address was taken.
	//
	// Example:
	//	{"name": "a", "haproxy": {"frontends": [{"bindPort": 80, "protocol": "HTTP", "linkBackend": {"defaultBackend": "b"}}],
	//	 "backends": [{"name": "b", "services": [{"endpoint": {"type": "ADDRESS", "address": "db.example.com", "port": 80}}]}]}}
	EndpointType diag.Code = "L160"

	// BackendAddress is the ledger's code for an address of a backend.
	//
	// Example:
	//	{"name": "a", "haproxy": {"frontends": [{"bindPort": 80, "protocol": "HTTP", "linkBackend": {"defaultBackend": "b"}}],
	//	 "backends": [{"name": "b", "services": [{"endpoint": {"type": "ADDRESS", "address": "db.example.com", "port": 80}}]}]}}
	BackendAddress diag.Code = "L161"

	// BackendPort is the ledger's code for a port of a service.
	//
	// Example:
	//	{"name": "a", "haproxy": {"frontends": [{"bindPort": 80, "protocol": "HTTP", "linkBackend": {"defaultBackend": "b"}}],
	//	 "backends": [{"name": "b", "services": [{"endpoint": {"type": "ADDRESS", "address": "db.example.com", "port": 80}}]}]}}
	BackendPort diag.Code = "L162"

	// BackendWeight is the ledger's code for a share of the traffic.
	//
	// Example:
	//	{"name": "a", "haproxy": {"frontends": [{"bindPort": 80, "protocol": "HTTP", "linkBackend": {"defaultBackend": "b"}}],
	//	 "backends": [{"name": "b", "services": [
	//	   {"endpoint": {"type": "ADDRESS", "address": "a.example.com", "port": 80, "miscStr": "weight 20"}},
	//	   {"endpoint": {"type": "ADDRESS", "address": "b.example.com", "port": 80}}]}]}}
	BackendWeight diag.Code = "L163"

	// UnresolvedService is reported for a service that matches nothing.
	//
	// Example:
	//	{"name": "a", "haproxy": {"frontends": [{"bindPort": 80, "protocol": "HTTP", "linkBackend": {"defaultBackend": "b"}}],
	//	 "backends": [{"name": "b", "services": [{"marathon": {"serviceID": "/gone"}, "endpoint": {"portName": "web"}}]}]}}
	UnresolvedService diag.Code = "L164"

	// BadPattern is reported for a pattern that is no regular expression.
	//
	// Example:
	//	{"name": "a", "haproxy": {"frontends": [{"bindPort": 80, "protocol": "HTTP", "linkBackend": {"defaultBackend": "b"}}],
	//	 "backends": [{"name": "b", "services": [{"marathon": {"serviceIDPattern": "^(/a"}, "endpoint": {"portName": "web"}}]}]}}
	BadPattern diag.Code = "L165"

	// BackendName is reported for backends of one name.
	//
	// Example:
	//	{"name": "a", "haproxy": {"frontends": [], "backends": [{"name": "b"}, {"name": "b"}]}}
	BackendName diag.Code = "L166"
)
