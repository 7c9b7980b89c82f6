package marathon

import (
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/estate"
)

// check reads the app's one check, which people looked at and which changed
// nothing.
func (a *app) check() {
	v := a.v.Get("check")
	if v == nil || a.Empty(v) || !a.Is(v, jsonpos.Object) {
		return
	}
	h := estate.HealthCheck{Interval: 60, Timeout: 20, Delay: 15, Failures: 1, Advisory: true, Loopback: true}
	kind := ""
	for _, key := range []string{"http", "tcp", "exec"} {
		if x := v.Get(key); x.Kind() == jsonpos.Object {
			kind = key
			a.advisory(key, x, &h)
			break
		}
	}
	const reason = "told people and changed nothing: proposed is no probe, policy can make it a readiness probe"
	for key, to := range map[string]*unit.Seconds{"intervalSeconds": &h.Interval, "timeoutSeconds": &h.Timeout, "delaySeconds": &h.Delay} {
		if x := v.Get(key); x != nil {
			if n, ok := a.Seconds(x); ok {
				*to = n
			}
		}
	}
	for _, key := range []string{"intervalSeconds", "timeoutSeconds", "delaySeconds", "http", "tcp", "exec"} {
		if x := v.Get(key); x != nil {
			a.Note(x, ledger.Decision, AdvisoryCheck, "container#readinessProbe", reason)
		}
	}
	if kind != "" {
		a.c.Checks = append(a.c.Checks, h)
	}
}

func (a *app) advisory(kind string, v *jsonpos.Value, h *estate.HealthCheck) {
	if kind == "exec" {
		h.Kind, h.Loopback = estate.Command, false
		x := v.At("command", "shell")
		if text, ok := a.Words(x, a.w, a.c.Name, "check", "", "container#readinessProbe.exec"); ok && x != nil {
			h.Shell = text
			if _, found := discover.RedactURLs(x.Text()); !found {
				a.Note(x, ledger.Decision, AdvisoryCheck, "container#readinessProbe.exec", "told people and changed nothing: proposed is no probe")
			}
		}
		if argv := v.At("command", "argv"); argv != nil {
			h.Command = a.List(argv, a.w, a.c.Name, "check", "container#readinessProbe.exec")
			for _, e := range argv.Elems() {
				a.Note(e, ledger.Decision, AdvisoryCheck, "container#readinessProbe.exec", "told people and changed nothing: proposed is no probe")
			}
		}
		return
	}
	h.Kind = estate.TCP
	if kind == "http" {
		h.Kind, h.Path = estate.HTTP, "/"
		if strings.EqualFold(v.Get("scheme").Text(), "HTTPS") {
			h.Kind = estate.HTTPS
		}
		if p := v.Get("path"); p.Kind() == jsonpos.String && p.Text() != "" {
			h.Path, _ = discover.RedactURLs(slash(p.Text()))
		}
	}
	index := 0
	if x := v.Get("portIndex"); x != nil {
		index, _ = a.Int(x, 0, 65535)
	}
	if x := v.Get("port"); x != nil {
		if n, ok := a.Int(x, 0, 65535); ok && n > 0 {
			h.Port = a.portAt(n, true)
			return
		}
	}
	if index < len(a.c.Ports) {
		h.Port = a.c.Ports[index].Number
	}
}

// readinessChecks reads what held back a deployment.
func (a *app) readinessChecks() {
	a.Empty(a.v.Get("readinessChecks"))
	for _, c := range a.n.ReadinessChecks {
		r := estate.ReadinessCheck{Kind: estate.HTTP, Path: "/", Interval: 30, Timeout: 10, Statuses: c.Statuses}
		v := c.At
		if x := v.Get("name"); x.Kind() == jsonpos.String {
			r.Name = x.Text()
		}
		if x := v.Get("protocol"); x != nil {
			if word, ok := a.Choice(x, "HTTP", "HTTPS"); ok && word == "HTTPS" {
				r.Kind = estate.HTTPS
			}
		}
		if x := v.Get("path"); x.Kind() == jsonpos.String && x.Text() != "" {
			r.Path, _ = discover.RedactURLs(slash(x.Text()))
		}
		for key, to := range map[string]*unit.Seconds{"intervalSeconds": &r.Interval, "timeoutSeconds": &r.Timeout} {
			if x := v.Get(key); x != nil {
				if n, ok := a.Seconds(x); ok {
					*to = n
				}
			}
		}
		r.Port = a.portNamed(v.Get("portName"))
		if x := v.Get("preserveLastResponse"); x != nil && !a.Empty(x) {
			a.Note(x, ledger.Informational, CheckUnused, "", "kept the last answer for people to look at")
		}
		for _, key := range []string{"name", "protocol", "path", "portName", "intervalSeconds", "timeoutSeconds", "httpStatusCodesForReady"} {
			if x := v.Get(key); x != nil && !a.Empty(x) {
				a.Note(x, ledger.Approximate, Readiness, "container#readinessProbe",
					"asked all the time, not only while a new version comes in; every status from 200 to 399 is ready")
			}
		}
		a.c.Readiness = append(a.c.Readiness, r)
	}
}

func (a *app) portNamed(x *jsonpos.Value) int {
	name := "http-api"
	if x.Kind() == jsonpos.String {
		name = x.Text()
	}
	for _, p := range a.c.Ports {
		if p.Name == name {
			return p.Number
		}
	}
	if x != nil && !x.IsNull() {
		a.Report(NoSuchPort, diag.Warning, x, "has a readiness check at a port of a name that no port has", "name the port; the first one is asked")
	}
	if len(a.c.Ports) > 0 {
		return a.c.Ports[0].Number
	}
	return 0
}
