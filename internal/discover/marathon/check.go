package marathon

import (
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/discover/marathon/normal"
	"github.com/tranship/tranship/internal/estate"
)

const probes = "container#livenessProbe"

// healthChecks reads the app's health checks. The first is the one that can
// kill; with several, which of them may is a decision.
func (a *app) healthChecks() {
	a.Empty(a.v.Get("healthChecks"))
	for _, c := range a.n.HealthChecks {
		if h, ok := a.healthCheck(c); ok {
			a.c.Checks = append(a.c.Checks, h)
		}
	}
	if len(a.c.Checks) < 2 {
		return
	}
	for _, c := range a.n.HealthChecks {
		c.At.Leaves(func(leaf *jsonpos.Value) {
			a.B.Amend(leaf, func(e *ledger.Entry) {
				if e.Verdict == ledger.Exact || e.Verdict == ledger.Equivalent {
					e.Verdict, e.Code = ledger.Decision, SeveralChecks
					e.Reason = "Kubernetes has one probe of a kind; proposed: the first check kills, readiness asks for all where one probe can"
				}
			})
		})
	}
}

func (a *app) healthCheck(c normal.Check) (estate.HealthCheck, bool) {
	h := estate.HealthCheck{Interval: 60, Timeout: 20, Grace: 300, Failures: 3}
	protocol := c.Protocol.Value
	inside := strings.HasPrefix(protocol, "MESOS_")
	h.Loopback = inside
	switch strings.TrimPrefix(protocol, "MESOS_") {
	case "HTTP":
		h.Kind = estate.HTTP
	case "HTTPS":
		h.Kind = estate.HTTPS
	case "TCP":
		h.Kind = estate.TCP
	default:
		h.Kind = estate.Command
	}
	if h.Kind == estate.Command {
		if !a.checkCommand(c.At, &h) {
			return h, false
		}
	} else if !a.checkPort(c, &h) {
		return h, false
	}
	if c.Protocol.At != nil {
		switch {
		case inside && h.Kind != estate.TCP:
			a.Note(c.Protocol.At, ledger.Decision, LoopbackCheck, probes,
				"asked from inside, at 127.0.0.1: proposed is to ask at the pod's address; a program that listens on loopback only needs a command")
		default:
			a.Note(c.Protocol.At, ledger.Equivalent, HealthCheck, probes, "the kubelet asks in Marathon's place, the same question")
		}
	}
	a.checkPath(c.At.Get("path"), &h)
	a.checkTimes(c.At, &h, protocol)
	if x := c.At.Get("ignoreHttp1xx"); x != nil && !a.Empty(x) {
		a.Note(x, ledger.Informational, CheckUnused, "", "the kubelet never takes an interim answer for the last one")
	}
	if x := c.At.Get("ipProtocol"); x != nil {
		if word, ok := a.Choice(x, "IPv4", "IPv6"); ok {
			h.IPv6 = word == "IPv6"
			a.Note(x, ledger.Approximate, CheckFamily, probes, "the kubelet asks at the pod's first address, whatever its family")
		}
	}
	return h, true
}

// checkCommand reads what a check runs in the container.
func (a *app) checkCommand(v *jsonpos.Value, h *estate.HealthCheck) bool {
	for _, key := range []string{"port", "portIndex"} {
		if x := v.Get(key); x != nil && !a.Empty(x) {
			a.Note(x, ledger.Informational, CheckUnused, "", "a command asks at no port")
		}
	}
	x := v.Get("command")
	if x.Kind() == jsonpos.Object {
		x = x.Get("value")
	}
	text, ok := "", false
	if x != nil {
		text, ok = a.Words(x, a.w, a.c.Name, "check", "", "container#livenessProbe.exec")
	}
	if !ok || text == "" {
		a.Report(NoCommand, diag.Error, v, "has a COMMAND check without a command", "the check was left out; give it command.value")
		v.Leaves(func(leaf *jsonpos.Value) {
			a.Note(leaf, ledger.Dropped, NoCommand, "", "of a check without a command, which was left out")
		})
		return false
	}
	if plain, escaped := unescape(text); escaped {
		text = plain
		a.B.Amend(x, func(e *ledger.Entry) {
			if e.Verdict == ledger.Exact {
				e.Verdict, e.Code = ledger.Equivalent, CheckCommand
				e.Reason = "the same command, without the second escape of quotes that Marathon's own wrapping asked for"
			}
		})
	}
	h.Shell = text
	return true
}

// unescape takes the backslashes off quotes if every quote has one: Marathon
// put the command between quotes of its own.
func unescape(text string) (string, bool) {
	n := strings.Count(text, `\"`)
	if n == 0 || n != strings.Count(text, `"`) || n%2 != 0 {
		return text, false
	}
	return strings.ReplaceAll(text, `\"`, `"`), true
}

// checkPort finds the container's port that a check asks at.
func (a *app) checkPort(c normal.Check, h *estate.HealthCheck) bool {
	if x := c.At.Get("command"); x != nil && !a.Empty(x) {
		a.Note(x, ledger.Informational, CheckUnused, "", "only a COMMAND check runs a command")
	}
	port, index := c.Port, c.PortIndex
	switch {
	case port.Set && port.Value > 0:
		h.Port = a.portAt(port.Value, h.Loopback)
		a.Note(port.At, ledger.Equivalent, CheckPort, probes, "the port of the container that it led to")
		if index.At != nil {
			a.Note(index.At, ledger.Informational, CheckUnused, "", "the check names its port by number")
		}
		return true
	case port.Set:
		a.Note(port.At, ledger.Approximate, CheckPort, probes, "no port: the first one is asked")
	}
	if index.Value >= len(a.c.Ports) {
		a.Report(NoSuchPort, diag.Error, c.At, "has a health check at a port that the app does not have",
			"the check was left out and the rest was read; correct its portIndex, or declare the port")
		c.At.Leaves(func(leaf *jsonpos.Value) {
			a.Note(leaf, ledger.Dropped, NoSuchPort, "", "of a check at a port that the app does not have, which was left out")
		})
		return false
	}
	h.Port = a.c.Ports[index.Value].Number
	a.Note(index.At, ledger.Equivalent, CheckPort, probes, "the same port, at the container in place of the agent")
	return true
}

// portAt gives the container's port behind a number that a check names: the
// container's own, or that of the agent from which it is mapped.
func (a *app) portAt(n int, inside bool) int {
	for _, p := range a.c.Ports {
		if p.Number == n && (inside || p.HostPort == 0 || p.HostPort == n) {
			return n
		}
	}
	for _, p := range a.c.Ports {
		if p.HostPort == n && !inside {
			return p.Number
		}
	}
	return n
}

func (a *app) checkPath(x *jsonpos.Value, h *estate.HealthCheck) {
	if h.Kind == estate.HTTP || h.Kind == estate.HTTPS {
		h.Path = "/"
	}
	if x == nil {
		return
	}
	text, ok := a.String(x)
	switch {
	case !ok:
	case h.Path == "":
		a.Note(x, ledger.Informational, CheckUnused, "", "only HTTP has a path")
	case text == "":
		a.Note(x, ledger.Equivalent, HealthCheck, probes+".httpGet.path", "no path is the root")
	default:
		clean, found := discover.RedactURLs("http://x" + slash(text))
		h.Path = strings.TrimPrefix(clean, "http://x")
		if found {
			a.Note(x, ledger.Decision, discover.CredentialInURL, probes+".httpGet.path", "held a credential, which was taken out")
		} else {
			a.Note(x, ledger.Equivalent, HealthCheck, probes+".httpGet.path", "the same path")
		}
		a.B.Text(discover.Text{
			Workload: a.w.ID, Place: estate.Place{Container: a.c.Name, Field: "check"}, File: a.File, At: x, Secret: found,
		})
	}
}

func slash(p string) string {
	if strings.HasPrefix(p, "/") {
		return p
	}
	return "/" + p
}

// checkTimes reads how often, how long and how many times.
func (a *app) checkTimes(v *jsonpos.Value, h *estate.HealthCheck, protocol string) {
	if x := v.Get("gracePeriodSeconds"); x != nil {
		if n, ok := a.Seconds(x); ok {
			h.Grace = n
			a.Note(x, ledger.Approximate, CheckGrace, "container#startupProbe",
				"failures count for nothing until the first success, in whole periods of a startup probe")
		}
	}
	a.period(v.Get("intervalSeconds"), &h.Interval, probes+".periodSeconds")
	a.period(v.Get("timeoutSeconds"), &h.Timeout, probes+".timeoutSeconds")
	if x := v.Get("delaySeconds"); x != nil {
		if n, ok := a.Seconds(x); ok {
			if protocol == "HTTP" || protocol == "HTTPS" || protocol == "TCP" {
				a.Note(x, ledger.Informational, CheckUnused, "", "Marathon never waited before its own checks")
			} else {
				h.Delay = n
				a.Note(x, ledger.Approximate, CheckDelay, "container#startupProbe.initialDelaySeconds",
					"waited before the first check of a start; later ones follow at once")
			}
		}
	} else if strings.HasPrefix(protocol, "MESOS_") || protocol == "COMMAND" {
		h.Delay = 15
	}
	x := v.Get("maxConsecutiveFailures")
	if x != nil {
		if n, ok := a.Int(x, 0, 1<<31-1); ok {
			h.Failures = n
			a.failures(x, n, protocol)
		}
	}
	h.Kills = h.Failures > 0
	if h.Failures == 0 && protocol != "HTTP" && protocol != "HTTPS" && protocol != "TCP" {
		// Mesos' own checks know no "never": the first failure kills.
		h.Failures, h.Kills = 1, true
	}
}

func (a *app) failures(x *jsonpos.Value, n int, protocol string) {
	own := protocol == "HTTP" || protocol == "HTTPS" || protocol == "TCP"
	switch {
	case n == 0 && own:
		a.Note(x, ledger.Equivalent, NeverKills, "container#readinessProbe",
			"never kills: readiness only, so that an ill copy gets no traffic")
	case n == 0:
		a.Note(x, ledger.Approximate, KillsAtOnce, probes+".failureThreshold", "Mesos kills at the first failure: a threshold of 1")
	case !own && n == 1:
		a.Note(x, ledger.Approximate, HealthCheck, probes+".failureThreshold", "as many failures; Mesos takes 0 for 1")
	default:
		a.Note(x, ledger.Equivalent, HealthCheck, probes+".failureThreshold",
			"as many failures in a row; then the kubelet starts it again on the same node, where Marathon looked for another")
	}
}

// period reads a length of time of which Kubernetes takes whole seconds from 1.
func (a *app) period(x *jsonpos.Value, to *unit.Seconds, target string) {
	if x == nil {
		return
	}
	n, ok := a.Seconds(x)
	if !ok {
		return
	}
	*to = n
	if n < 1 || n != unit.Seconds(int64(n)) {
		a.Note(x, ledger.Approximate, CheckTime, target, "in whole seconds, one at the least")
		return
	}
	a.Note(x, ledger.Exact, CheckTime, target, "the same time")
}
