package edge

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/big"
	"net"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/tranship/tranship/lab/oldworld/definition"
	"github.com/tranship/tranship/lab/oldworld/marathon"
)

// Config says what is served where.
type Config struct {
	Address string // that service ports are bound at; empty: no load balancer
	Dir     string // of its files
	Groups  []string
	HTTP    int // port of the shared frontend by host names; 0: none
	AppID   int // port of the frontend by header X-Marathon-App-Id; 0: none
	Stats   int // port of the page of statistics; 0: none
	Program string
	Env     []string
	Log     func(format string, args ...any)
}

// server is one task behind a service port.
type server struct {
	host, ip string
	port     int
	drained  bool
	task     string
}

func (s server) name() string {
	if s.host != s.ip {
		return clean(fmt.Sprintf("%s_%s_%d", s.host, s.ip, s.port))
	}
	return clean(fmt.Sprintf("%s_%d", s.ip, s.port))
}

// service is one service port of an app, as marathon-lb reads it out of the labels.
type service struct {
	app      string
	port     int
	index    int
	mode     string
	balance  string
	bind     string
	hosts    []string
	path     string
	sticky   bool
	check    *definition.HealthCheck
	checkIdx int // port index of the check, -1 for that of the servers
	labels   map[string]string
	servers  []server
}

var unclean = regexp.MustCompile(`[^a-zA-Z0-9\-]`)

func clean(s string) string { return unclean.ReplaceAllString(s, "_") }

func (s service) backend() string {
	return clean(strings.TrimPrefix(s.app, "/") + "_" + strconv.Itoa(s.port))
}

// services groups routes by app and service port. Only what is alive is served, as marathon-lb does with --health-check;
// what is ending stays, disabled, so that no server changes its place.
func services(routes []marathon.Route, c Config) []service {
	byKey := map[string]*service{}
	var out []*service
	for _, r := range routes {
		for n, port := range r.App.ServicePorts() {
			if n >= len(r.Ports) || !r.Alive {
				continue
			}
			s := read(r.App, n, port)
			if s == nil || !grouped(r.App.Labels, n, c.Groups) {
				continue
			}
			key := fmt.Sprintf("%s %d", s.app, s.port)
			if byKey[key] == nil {
				byKey[key] = s
				out = append(out, s)
			}
			byKey[key].servers = append(byKey[key].servers, server{host: r.Host, ip: r.Address, port: r.Ports[n], drained: r.Ending, task: r.TaskID})
		}
	}
	sort.Slice(out, func(i, j int) bool {
		if out[i].app != out[j].app {
			return out[i].app < out[j].app
		}
		return out[i].port < out[j].port
	})
	var list []service
	for _, s := range out {
		sort.Slice(s.servers, func(i, j int) bool {
			if s.servers[i].host != s.servers[j].host {
				return s.servers[i].host < s.servers[j].host
			}
			return s.servers[i].port < s.servers[j].port
		})
		list = append(list, *s)
	}
	return list
}

// grouped tells whether an app's port belongs to this load balancer. A group of the port wins over that of the app.
func grouped(labels map[string]string, n int, groups []string) bool {
	text, ok := labels[fmt.Sprintf("HAPROXY_%d_GROUP", n)]
	if !ok {
		text = labels["HAPROXY_GROUP"]
	}
	if slices.Contains(groups, "*") {
		return true
	}
	for g := range strings.SplitSeq(text, ",") {
		if slices.Contains(groups, g) && g != "" {
			return true
		}
	}
	return false
}

func read(a *definition.App, n, port int) *service {
	label := func(name string) string { return a.Labels[fmt.Sprintf("HAPROXY_%d_%s", n, name)] }
	if strings.EqualFold(label("ENABLED"), "false") || port == 0 {
		return nil
	}
	s := &service{app: a.ID, port: port, index: n, mode: "tcp", balance: "roundrobin", labels: a.Labels, checkIdx: -1}
	if p, err := strconv.Atoi(label("PORT")); err == nil && p > 0 {
		s.port = p
	}
	if v := label("MODE"); v != "" {
		s.mode = v
	}
	if v := label("BALANCE"); v != "" {
		s.balance = v
	}
	s.bind = label("BIND_ADDR")
	s.path = label("PATH")
	s.sticky = strings.EqualFold(label("STICKY"), "true")
	if v := label("VHOST"); v != "" {
		s.mode = "http"
		for h := range strings.SplitSeq(strings.ToLower(v), ",") {
			s.hosts = append(s.hosts, strings.TrimSpace(h))
		}
	}
	for i, h := range a.HealthChecks {
		if h.Port != nil && *h.Port != 0 || h.PortIndex != nil && *h.PortIndex == n {
			s.check = &a.HealthChecks[i]
			break
		}
	}
	if p, err := strconv.Atoi(label("BACKEND_HEALTHCHECK_PORT_INDEX")); err == nil {
		s.checkIdx = p
		for i, h := range a.HealthChecks {
			if h.PortIndex != nil && *h.PortIndex == p {
				s.check = &a.HealthChecks[i]
			}
		}
	}
	if s.check != nil && strings.Contains(s.check.Protocol, "HTTP") {
		s.mode = "http"
	}
	return s
}

// Text is the whole configuration.
func Text(routes []marathon.Route, c Config) string {
	list := services(routes, c)
	var b strings.Builder
	fmt.Fprintf(&b, head, c.socket())
	if c.Stats != 0 {
		fmt.Fprintf(&b, stats, c.at("", c.Stats))
	}
	if c.HTTP != 0 {
		fmt.Fprintf(&b, "\nfrontend marathon_http_in\n  bind %s\n  mode http\n", c.at("", c.HTTP))
		for _, s := range list {
			vhosts(&b, s)
		}
	}
	if c.AppID != 0 {
		fmt.Fprintf(&b, "\nfrontend marathon_http_appid_in\n  bind %s\n  mode http\n", c.at("", c.AppID))
		seen := map[string]bool{}
		for _, s := range list {
			if s.mode == "http" && !seen[s.app] {
				seen[s.app] = true
				id := clean(s.app)
				fmt.Fprintf(&b, "  acl app_%s hdr(x-marathon-app-id) -i %s\n  use_backend %s if app_%s\n", id, s.app, s.backend(), id)
			}
		}
	}
	for _, s := range list {
		fmt.Fprintf(&b, "\nfrontend %s\n  bind %s\n  mode %s\n  use_backend %s\n", s.backend(), c.at(s.bind, s.port), s.mode, s.backend())
	}
	for _, s := range list {
		backend(&b, s)
	}
	return b.String()
}

func (c Config) at(bind string, port int) string {
	if bind == "" || bind == "*" {
		bind = c.Address
	}
	return net.JoinHostPort(bind, strconv.Itoa(port))
}

func vhosts(b *strings.Builder, s service) {
	for _, h := range s.hosts {
		name := clean(h)
		fmt.Fprintf(b, "  acl host_%s_%s hdr(host) -i %s\n", name, s.backend(), h)
		if s.path != "" {
			fmt.Fprintf(b, "  acl path_%s path_beg %s\n  use_backend %s if host_%s_%s path_%s\n", s.backend(), s.path, s.backend(), name, s.backend(), s.backend())
			continue
		}
		fmt.Fprintf(b, "  use_backend %s if host_%s_%s\n", s.backend(), name, s.backend())
	}
}

func backend(b *strings.Builder, s service) {
	fmt.Fprintf(b, "\nbackend %s\n  balance %s\n  mode %s\n", s.backend(), s.balance, s.mode)
	tcp := s.mode == "tcp" || s.check != nil && strings.HasSuffix(s.check.Protocol, "TCP")
	if s.mode == "http" {
		b.WriteString("  option forwardfor\n  http-request set-header X-Forwarded-Port %[dst_port]\n  http-request add-header X-Forwarded-Proto https if { ssl_fc }\n")
		if s.sticky {
			b.WriteString("  cookie mesosphere_server_id insert indirect nocache\n")
		}
		if s.check != nil && !tcp && len(s.servers) > 0 {
			fmt.Fprintf(b, "  option  httpchk GET %s\n  timeout check %ds\n", s.check.Path, s.check.Timeout)
		}
	}
	taken := map[int]bool{}
	for _, x := range s.servers {
		fmt.Fprintf(b, "  server %s %s:%d id %d", x.name(), x.ip, x.port, serverID(x.name(), taken))
		if s.sticky {
			sum := sha1.Sum([]byte(x.name()))
			fmt.Fprintf(b, " check cookie %s", hex.EncodeToString(sum[:])[:10])
		}
		if s.check != nil && s.check.Protocol != "COMMAND" {
			fmt.Fprintf(b, " check inter %ds fall %d", s.check.Interval, s.check.MaxFailures+1)
			if s.check.Port != nil && *s.check.Port != 0 {
				fmt.Fprintf(b, " port %d", *s.check.Port)
			}
		}
		if x.drained {
			b.WriteString(" disabled")
		}
		b.WriteString("\n")
	}
}

// serverID is marathon-lb's own: the same for a name whatever else there is, as far as possible.
func serverID(name string, taken map[int]bool) int {
	const most = 32767 // a signed number of 16 bits, to HAProxy
	for {
		sum := sha256.Sum256([]byte(name))
		n := new(big.Int).SetBytes(sum[:])
		if id := int(n.Mod(n, big.NewInt(most)).Int64()); id > 0 && !taken[id] {
			taken[id] = true
			return id
		}
		name += " " + hex.EncodeToString(sum[:])
	}
}

// head is marathon-lb's, without what needs Lua and certificates. Servers get a connection for each request, and one that
// was refused is tried elsewhere.
const head = `global
  log stdout format raw local0 notice
  spread-checks 5
  max-spread-checks 15000
  maxconn 8000
  nbthread 1
  hard-stop-after 60s
  stats socket %s mode 600 level admin expose-fd listeners
defaults
  log               global
  retries                   3
  backlog               10000
  maxconn               10000
  timeout connect          3s
  timeout client          30s
  timeout server          30s
  timeout tunnel        3600s
  timeout http-keep-alive  1s
  timeout http-request    15s
  timeout queue           30s
  timeout tarpit          60s
  option            redispatch
  option            http-server-close
  option            dontlognull
`

const stats = `listen stats
  bind %s
  balance
  mode http
  stats enable
  http-request use-service prometheus-exporter if { path /metrics }
  monitor-uri /_haproxy_health_check
`
