package pod

import (
	"strconv"
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
)

// healthCheck reads the check that ended ill copies. Mesos itself asks, from
// inside the pod's network.
func (p *pod) healthCheck(v *jsonpos.Value, c *estate.Container) {
	if v == nil || !p.object(v) {
		return
	}
	h := estate.HealthCheck{Loopback: true, Kills: true, Interval: 60, Timeout: 20, Grace: 300, Delay: 15, Failures: 3}
	if !p.question(v, c, &h) {
		return
	}
	p.period(v, "intervalSeconds", &h.Interval, "periodSeconds")
	p.period(v, "timeoutSeconds", &h.Timeout, "timeoutSeconds")
	if x := v.Get("gracePeriodSeconds"); x != nil {
		if n, ok := p.Seconds(x); ok {
			h.Grace = n
			p.Note(x, ledger.Approximate, CheckGrace, "container#startupProbe.failureThreshold", "as long until the first success, in whole probes")
		}
	}
	if x := v.Get("delaySeconds"); x != nil {
		if n, ok := p.Seconds(x); ok {
			h.Delay = n
			p.Note(x, ledger.Approximate, CheckGrace, "container#startupProbe.initialDelaySeconds", "before the first probe at start; there is none once the copy is up")
		}
	}
	if x := v.Get("maxConsecutiveFailures"); x != nil {
		if n, ok := p.Int(x, 0, 1e6); ok {
			if h.Failures = n; n > 0 {
				p.Note(x, ledger.Exact, CheckFailures, "container#livenessProbe.failureThreshold", "as many failures in a row")
			} else {
				h.Failures = 1
				p.Note(x, ledger.Approximate, CheckFailures, "container#livenessProbe.failureThreshold", "ended at the first failure, as with 1")
			}
		}
	}
	c.Checks = append(c.Checks, h)
}

// check reads the check that only told people.
func (p *pod) check(v *jsonpos.Value, c *estate.Container) {
	if v == nil || !p.object(v) {
		return
	}
	h := estate.HealthCheck{Loopback: true, Advisory: true, Interval: 60, Timeout: 20, Delay: 15, Failures: 1}
	if !p.question(v, c, &h) {
		return
	}
	for _, x := range []struct {
		key string
		to  *unit.Seconds
	}{{"intervalSeconds", &h.Interval}, {"timeoutSeconds", &h.Timeout}, {"delaySeconds", &h.Delay}} {
		if s := v.Get(x.key); s != nil {
			if n, ok := p.Seconds(s); ok {
				*x.to = n
				p.advisory(s)
			}
		}
	}
	c.Checks = append(c.Checks, h)
}

func (p *pod) advisory(v *jsonpos.Value) {
	p.Note(v, ledger.Decision, Advisory, "container#readinessProbe",
		"the check changed nothing by itself; proposed is to ask it before a copy gets traffic")
}

func (p *pod) period(v *jsonpos.Value, key string, to *unit.Seconds, target string) {
	x := v.Get(key)
	if x == nil {
		return
	}
	n, ok := p.Seconds(x)
	if !ok {
		return
	}
	*to = n
	if n < 1 {
		p.Note(x, ledger.Approximate, CheckPeriod, "container#livenessProbe."+target, "a second at the least")
		return
	}
	p.Note(x, ledger.Equivalent, CheckPeriod, "container#livenessProbe."+target, "the same, in whole seconds")
}

// question reads what the check asks: http, tcp or exec. It reports whether it
// asks anything.
func (p *pod) question(v *jsonpos.Value, c *estate.Container, h *estate.HealthCheck) bool {
	found := ""
	for _, key := range []string{"http", "tcp", "exec"} {
		x := v.Get(key)
		if x.IsNull() || x.Kind() == jsonpos.Object && x.IsLeaf() {
			if x != nil {
				p.Empty(x)
			}
			continue
		}
		if found != "" {
			p.Report(BadCheck, diag.Error, x, "has a check that asks by "+found+" and by "+key, "the first is taken; delete the other")
			p.Note(x, ledger.Dropped, BadCheck, "", "beside another question, which is taken")
			continue
		}
		if p.Is(x, jsonpos.Object) {
			found = key
		}
	}
	ok := false
	switch found {
	case "http":
		ok = p.http(v.Get("http"), c, h)
	case "tcp":
		h.Kind = estate.TCP
		ok = p.portOf(v.At("tcp", "endpoint"), v.Get("tcp"), c, h)
	case "exec":
		ok = p.ask(v.Get("exec"), c, h)
	default:
		p.Report(BadCheck, diag.Error, v, "has a check that asks nothing", "say http, tcp or exec; the check was left out")
	}
	if !ok {
		for _, e := range v.Elems() {
			switch e.Key() {
			case "http", "tcp", "exec", "gracePeriodSeconds", "intervalSeconds", "maxConsecutiveFailures", "timeoutSeconds", "delaySeconds":
				p.Note(e, ledger.Dropped, BadCheck, "", "of a check that cannot be read, which was left out")
			}
		}
	}
	return ok
}

// entry gives the verdict on a check's question: one that only told people is
// a decision.
func (p *pod) entry(v *jsonpos.Value, h *estate.HealthCheck, verdict ledger.Verdict, reason string) {
	if h.Advisory {
		p.advisory(v)
		return
	}
	p.Note(v, verdict, CheckQuestion, "container#livenessProbe", reason)
}

func (p *pod) http(v *jsonpos.Value, c *estate.Container, h *estate.HealthCheck) bool {
	h.Kind, h.Path = estate.HTTP, "/"
	if !p.portOf(v.Get("endpoint"), v, c, h) {
		return false
	}
	if x := v.Get("scheme"); x != nil {
		if word, ok := p.Choice(x, "HTTP", "HTTPS"); ok {
			if word == "HTTPS" {
				h.Kind = estate.HTTPS
			}
			p.entry(x, h, ledger.Exact, "the same; certificates are not looked at, as before")
		}
	}
	if x := v.Get("path"); x != nil {
		if text, ok := p.String(x); ok {
			if h.Path = text; !strings.HasPrefix(text, "/") {
				h.Path = "/" + text
			}
			p.entry(x, h, ledger.Exact, "the same path")
		}
	}
	return true
}

// portOf finds the endpoint that a check names, in its own container first.
func (p *pod) portOf(v, check *jsonpos.Value, c *estate.Container, h *estate.HealthCheck) bool {
	n := 0
	for _, x := range c.Ports {
		if x.Name == v.Text() && x.Name != "" {
			n = x.Number
		}
	}
	if n == 0 {
		n = p.byName[v.Text()]
	}
	if n == 0 {
		at := v
		if at == nil {
			at = check
		}
		p.Report(NoEndpoint, diag.Error, at, "has a check of endpoint "+strconv.Quote(v.Text())+", which it does not have",
			"name one of its endpoints; the check was left out")
		return false
	}
	h.Port = n
	p.entry(v, h, ledger.Equivalent, "the same port, if the program listens on the pod's address and not on loopback alone")
	return true
}

func (p *pod) ask(v *jsonpos.Value, c *estate.Container, h *estate.HealthCheck) bool {
	h.Kind = estate.Command
	cmd := v.Get("command")
	key := strconv.Itoa(len(c.Checks))
	if x := cmd.Get("shell"); !x.IsNull() {
		h.Shell, _ = p.Words(x, p.w, c.Name, "check", key, "container#livenessProbe.exec")
		if h.Advisory {
			p.advisory(x)
		}
	}
	if x := cmd.Get("argv"); h.Shell == "" && !x.IsNull() {
		h.Command = p.List(x, p.w, c.Name, "check", "container#livenessProbe.exec")
		if h.Advisory {
			for _, e := range x.Elems() {
				p.advisory(e)
			}
		}
	}
	if h.Shell == "" && len(h.Command) == 0 {
		p.Report(BadCheck, diag.Error, v, "has a check without a command", "give it shell or argv; the check was left out")
		return false
	}
	return true
}
