package edgelb

import (
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/discover"
)

func rule(v ledger.Verdict, code diag.Code, target, reason string) discover.Ruling {
	return discover.Ruling{Verdict: v, Code: code, Target: target, Reason: reason}
}

// Symbolic targets in the ledger.
const (
	gateway   = "route#spec.parentRefs"
	routeSpec = "route#spec"
	matches   = "route#spec.rules[].matches"
	filters   = "route#spec.rules[].filters"
	backends  = "route#spec.rules[].backendRefs"
)

var (
	ofThePool = rule(ledger.Informational, PoolSetting, "", "how Edge-LB ran the pool's own tasks")
	size      = rule(ledger.Decision, PoolSize, gateway, "the size of the load balancer; proposed: the gateway implementation's own scaling")
	cloud     = rule(ledger.Decision, CloudBalancer, gateway, "the cloud's load balancer before the pool; proposed: one made for the gateway's Service")
	ofMesos   = rule(ledger.Approximate, ServiceSelector, backends, "tasks are known by their application or framework; this names them otherwise")
	selector  = rule(ledger.Equivalent, ServiceSelector, backends, "the workloads that it finds today; what matches it later is not followed")
	raw       = rule(ledger.Decision, RawLines, routeSpec, "HAProxy's own configuration; what tranship knows of it is read; proposed: only what was read")
	header    = rule(ledger.Approximate, ForwardedHeaders, routeSpec, "gateways add X-Forwarded-For and X-Forwarded-Proto by themselves, and leave the Host header as it came")
	regex     = rule(ledger.Decision, RegexMatch, matches, "regular expressions match on some gateway implementations only, each in its own syntax; proposed: as it stands")
	secret    = rule(ledger.Decision, PoolSecret, "secret#metadata.name", "a secret of DC/OS with a certificate; proposed: a secret of the same name, to be filled or issued")
	check     = rule(ledger.Decision, BackendCheck, routeSpec, "the load balancer's own check; proposed: none, as a gateway sends to ready pods only")
)

// rulings say what becomes of each leaf of a pool, by its pointer without
// indices. "*" stands for the keys of a free map.
var rulings = map[string]discover.Ruling{
	"/apiVersion":                        rule(ledger.Informational, PoolSetting, "", "the version of the schema"),
	"/name":                              rule(ledger.Decision, PoolName, routeSpec+".parentRefs", "the group of load balancers; proposed: a gateway of the same name"),
	"/namespace":                         ofThePool,
	"/packageName":                       ofThePool,
	"/packageVersion":                    ofThePool,
	"/type":                              ofThePool,
	"/items":                             ofThePool,
	"/ports":                             ofThePool,
	"/virtualNetworks/labels":            ofThePool,
	"/virtualNetworks/name":              ofThePool,
	"/virtualNetworks/labels/*":          ofThePool,
	"/poolHealthcheckGracePeriod":        ofThePool,
	"/poolHealthcheckInterval":           ofThePool,
	"/poolHealthcheckMaxFail":            ofThePool,
	"/poolHealthcheckTimeout":            ofThePool,
	"/poolhealthcheckTimeout":            ofThePool,
	"/role":                              rule(ledger.Decision, PoolRole, gateway, "slave_public was open to the outside, any other role inside only; proposed: a gateway of that kind"),
	"/count":                             size,
	"/cpus":                              size,
	"/cpusAdminOverhead":                 size,
	"/mem":                               size,
	"/memAdminOverhead":                  size,
	"/disk":                              size,
	"/constraints":                       size,
	"/secrets/secret":                    secret,
	"/secrets/file":                      secret,
	"/environmentVariables/*":            rule(ledger.Decision, PoolVariable, "secret#data", "its value stays in the snapshot, as Edge-LB wrote certificates with their keys there; proposed: no variable"),
	"/autoCertificate":                   rule(ledger.Decision, AutoCertificate, gateway, "a certificate that Edge-LB signed itself; proposed: one issued by cert-manager"),
	"/haproxy/stats/bindAddress":         rule(ledger.Informational, StatsPage, "", "where HAProxy showed its own figures; the gateway has its own"),
	"/haproxy/stats/bindPort":            rule(ledger.Informational, StatsPage, "", "where HAProxy showed its own figures; the gateway has its own"),
	"/cloudProvider/aws/elbs/name":       cloud,
	"/cloudProvider/aws/elbs/type":       cloud,
	"/cloudProvider/aws/elbs/arn":        cloud,
	"/cloudProvider/aws/elbs/internal":   cloud,
	"/cloudProvider/aws/elbs/subnets":    cloud,
	"/cloudProvider/aws/elbs/elasticIPs": cloud,
	"/cloudProvider/aws/elbs/accessLogS3Location":        cloud,
	"/cloudProvider/aws/elbs/deletionProtection":         cloud,
	"/cloudProvider/aws/elbs/tags/key":                   cloud,
	"/cloudProvider/aws/elbs/tags/value":                 cloud,
	"/cloudProvider/aws/elbs/listeners/port":             cloud,
	"/cloudProvider/aws/elbs/listeners/protocol":         cloud,
	"/cloudProvider/aws/elbs/listeners/linkFrontend":     cloud,
	"/cloudProvider/aws/elbs/listeners/tls/policy":       cloud,
	"/cloudProvider/aws/elbs/listeners/tls/certificates": cloud,

	"/haproxy/frontends/name":                                         rule(ledger.Informational, FrontendName, "", "a name inside the pool"),
	"/haproxy/frontends/bindAddress":                                  rule(ledger.Decision, BindAddress, gateway, "an address of the load balancer's machine; proposed: the gateway's own"),
	"/haproxy/frontends/bindPort":                                     rule(ledger.Exact, FrontendPort, gateway+"[].port", ""),
	"/haproxy/frontends/bindModifier":                                 rule(ledger.Decision, BindAddress, gateway, "options of HAProxy's socket; proposed: the gateway's defaults"),
	"/haproxy/frontends/certificates":                                 rule(ledger.Decision, FrontendCertificate, gateway, "proposed: a secret of the same name, to be filled or issued"),
	"/haproxy/frontends/protocol":                                     rule(ledger.Exact, FrontendProtocol, "route#kind", ""),
	"/haproxy/frontends/miscStrs":                                     raw,
	"/haproxy/frontends/redirectToHttps":                              rule(ledger.Exact, RedirectToHTTPS, filters, ""),
	"/haproxy/frontends/redirectToHttps/except/host":                  rule(ledger.Decision, RedirectToHTTPS, matches, "requests that stay on HTTP; proposed: a rule of their own before the redirect"),
	"/haproxy/frontends/redirectToHttps/except/pathBeg":               rule(ledger.Decision, RedirectToHTTPS, matches, "requests that stay on HTTP; proposed: a rule of their own before the redirect"),
	"/haproxy/frontends/redirectToHttps/items/host":                   rule(ledger.Informational, RedirectItems, "", "describes an element of except and stands in the place of none; Edge-LB redirects everything"),
	"/haproxy/frontends/redirectToHttps/items/pathBeg":                rule(ledger.Informational, RedirectItems, "", "describes an element of except and stands in the place of none; Edge-LB redirects everything"),
	"/haproxy/frontends/linkBackend/defaultBackend":                   rule(ledger.Exact, LinkBackend, backends, ""),
	"/haproxy/frontends/linkBackend/map/backend":                      rule(ledger.Exact, LinkBackend, backends, ""),
	"/haproxy/frontends/linkBackend/map/hostEq":                       rule(ledger.Exact, HostMatch, routeSpec+".hostnames", ""),
	"/haproxy/frontends/linkBackend/map/hostReg":                      regex,
	"/haproxy/frontends/linkBackend/map/pathBeg":                      rule(ledger.Approximate, PathBegin, matches, "compares strings, so /foo matches /foobar too; a path prefix compares whole segments"),
	"/haproxy/frontends/linkBackend/map/pathEnd":                      regex,
	"/haproxy/frontends/linkBackend/map/pathReg":                      regex,
	"/haproxy/backends/name":                                          rule(ledger.Equivalent, LinkBackend, backends, "the name by which frontends link to it"),
	"/haproxy/backends/protocol":                                      rule(ledger.Exact, BackendProtocol, backends, ""),
	"/haproxy/backends/balance":                                       rule(ledger.Approximate, BalanceAlgorithm, routeSpec, "the Gateway API has no word for it; the implementation balances in its own way unless it is configured"),
	"/haproxy/backends/miscStrs":                                      raw,
	"/haproxy/backends/customCheck/httpchk":                           check,
	"/haproxy/backends/customCheck/httpchkMiscStr":                    check,
	"/haproxy/backends/customCheck/sslHelloChk":                       check,
	"/haproxy/backends/customCheck/miscStr":                           check,
	"/haproxy/backends/rewriteHttp/host":                              rule(ledger.Exact, HostRewrite, filters, ""),
	"/haproxy/backends/rewriteHttp/path/fromPath":                     rule(ledger.Approximate, PathRewrite, filters, "a prefix is replaced by whole segments"),
	"/haproxy/backends/rewriteHttp/path/toPath":                       rule(ledger.Approximate, PathRewrite, filters, "a prefix is replaced by whole segments"),
	"/haproxy/backends/rewriteHttp/request/forwardfor":                header,
	"/haproxy/backends/rewriteHttp/request/xForwardedPort":            header,
	"/haproxy/backends/rewriteHttp/request/xForwardedProtoHttpsIfTls": header,
	"/haproxy/backends/rewriteHttp/request/setHostHeader":             header,
	"/haproxy/backends/rewriteHttp/request/rewritePath":               rule(ledger.Approximate, PathRewrite, filters, "whether the path is rewritten on its way in"),
	"/haproxy/backends/rewriteHttp/response/rewriteLocation":          rule(ledger.Approximate, PathRewrite, filters, "redirects of the backend are rewritten back by some implementations only"),
	"/haproxy/backends/rewriteHttp/sticky":                            rule(ledger.Approximate, StickyCookie, routeSpec+".rules", "a client may meet another copy at each request, unless the implementation is told to set a cookie"),
	"/haproxy/backends/rewriteHttp/sticky/enabled":                    rule(ledger.Approximate, StickyCookie, routeSpec+".rules", "a client may meet another copy at each request, unless the implementation is told to set a cookie"),
	"/haproxy/backends/rewriteHttp/sticky/customStr":                  rule(ledger.Decision, StickyCookie, routeSpec+".rules[].sessionPersistence", "HAProxy's options of the cookie; proposed: its name alone"),

	"/haproxy/backends/services/marathon/serviceID":            rule(ledger.Exact, ServiceSelector, backends, ""),
	"/haproxy/backends/services/marathon/serviceIDPattern":     selector,
	"/haproxy/backends/services/marathon/containerName":        selector,
	"/haproxy/backends/services/marathon/containerNamePattern": selector,
	"/haproxy/backends/services/mesos/frameworkName":           ofMesos,
	"/haproxy/backends/services/mesos/frameworkNamePattern":    ofMesos,
	"/haproxy/backends/services/mesos/frameworkID":             ofMesos,
	"/haproxy/backends/services/mesos/frameworkIDPattern":      ofMesos,
	"/haproxy/backends/services/mesos/taskName":                ofMesos,
	"/haproxy/backends/services/mesos/taskNamePattern":         ofMesos,
	"/haproxy/backends/services/mesos/taskID":                  ofMesos,
	"/haproxy/backends/services/mesos/taskIDPattern":           ofMesos,
	"/haproxy/backends/services/endpoint/type":                 rule(ledger.Approximate, EndpointType, backends, "a Service sends to pods, whichever address the load balancer took"),
	"/haproxy/backends/services/endpoint/miscStr":              raw,
	"/haproxy/backends/services/endpoint/check/enabled":        check,
	"/haproxy/backends/services/endpoint/check/customStr":      check,
	"/haproxy/backends/services/endpoint/address":              rule(ledger.Exact, BackendAddress, backends, ""),
	"/haproxy/backends/services/endpoint/port":                 rule(ledger.Exact, BackendPort, backends+"[].port", ""),
	"/haproxy/backends/services/endpoint/portName":             rule(ledger.Exact, BackendPort, backends+"[].port", ""),
	"/haproxy/backends/services/endpoint/allPorts":             rule(ledger.Approximate, BackendPort, backends, "each port is a backend of its own and they share the traffic"),
}

// inner are the pointers above the leaves that have rulings.
var inner = above()

func above() map[string]bool {
	out := map[string]bool{"": true}
	for p := range rulings {
		for i := strings.LastIndexByte(p, '/'); i > 0; i = strings.LastIndexByte(p[:i], '/') {
			out[p[:i]] = true
		}
	}
	return out
}

// note enters every leaf that has a ruling. What has none is left to be swept
// up as unknown, one entry for each key.
func (p *pool) note(v *jsonpos.Value, at string) {
	r, leaf := rulings[at]
	if !leaf {
		r, leaf = rulings[at[:strings.LastIndexByte(at, '/')+1]+"*"]
	}
	switch {
	case v.Kind() == jsonpos.Array && len(v.Elems()) > 0:
		for _, e := range v.Elems() {
			p.note(e, at)
		}
	case v.Kind() == jsonpos.Object && len(v.Elems()) > 0 && inner[at]:
		for _, e := range v.Elems() {
			if k := at + "/" + jsonpos.Escape(e.Key()); known(k) {
				p.note(e, k)
			}
		}
	case leaf && v.Kind() == jsonpos.Object && len(v.Elems()) > 0:
		p.Is(v, jsonpos.String)
	case v.IsNull(), v.IsLeaf() && v.Kind() == jsonpos.Array, v.Kind() == jsonpos.Object && !leaf:
		p.Empty(v)
	case leaf:
		p.Note(v, r.Verdict, r.Code, r.Target, r.Reason)
	case inner[at]:
		p.Is(v, jsonpos.Object)
	}
}

func known(at string) bool {
	if _, ok := rulings[at]; ok || inner[at] {
		return true
	}
	_, ok := rulings[at[:strings.LastIndexByte(at, '/')+1]+"*"]
	return ok
}
