package haproxy

import (
	"cmp"

	"github.com/tranship/tranship/internal/base/haproxyline"
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/estate"
)

// redact takes passwords and credentials in URLs out of a label.
func redact(text string) (clean string, found bool) {
	clean, inURL := discover.RedactURLs(text)
	clean, found = haproxyline.Redact(clean)
	return clean, found || inURL
}

// apply puts into the route what a template says.
func (s *service) apply(name string, d haproxyline.Directives) {
	ep := &s.ep
	ep.Balance = cmp.Or(d.Balance, ep.Balance)
	if d.Mode == "tcp" || d.Mode == "http" {
		ep.Mode = d.Mode
	}
	if d.Cookie != "" && ep.Sticky != nil {
		ep.Sticky.Cookie = d.Cookie
	}
	if d.CheckPath != "" || d.Interval != 0 {
		if ep.Check == nil {
			ep.Check = &estate.LBCheck{}
		}
		ep.Check.Path = cmp.Or(d.CheckPath, ep.Check.Path)
		ep.Check.Interval = cmp.Or(unit.Seconds(d.Interval.Seconds()), ep.Check.Interval)
	}
	if d.Client != 0 || d.Server != 0 || d.Connect != 0 {
		if ep.Times == nil {
			ep.Times = &estate.Timeouts{}
		}
		ep.Times.Client = cmp.Or(unit.Seconds(d.Client.Seconds()), ep.Times.Client)
		ep.Times.Server = cmp.Or(unit.Seconds(d.Server.Seconds()), ep.Times.Server)
		ep.Times.Connect = cmp.Or(unit.Seconds(d.Connect.Seconds()), ep.Times.Connect)
	}
	ep.MaxConns = cmp.Or(d.MaxConns, ep.MaxConns)
	if name == "BACKEND_SERVER_OPTIONS" && len(d.Servers) > 0 {
		s.servers(d.Servers)
	}
}

// servers reads an own list of servers: addresses that are not the copies'
// take the workload's place.
func (s *service) servers(list []haproxyline.Server) {
	var backends []estate.Backend
	for _, x := range list {
		if x.SSL {
			if s.ep.TLS == nil {
				s.ep.TLS = &estate.TLS{}
			}
			s.ep.TLS.ToBackend = true
		}
		if x.Address != "" {
			backends = append(backends, estate.Backend{Address: x.Address, Port: x.Port})
			continue
		}
		to := s.ep.Backends[0]
		if p, ok := s.containerPort(x.Port); ok {
			to.Port = p
		}
		backends = append(backends, to)
	}
	s.ep.Backends = backends
}

// containerPort gives the container's port behind a number that a server line
// has in place of the copy's.
func (s *service) containerPort(number int) (int, bool) {
	for _, p := range s.ports {
		if number != 0 && (p.Number == number || p.HostPort == number) {
			return p.Number, true
		}
	}
	return 0, false
}
