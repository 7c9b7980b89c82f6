package pod

import (
	"cmp"
	"math"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/render/manifest/cluster"
)

// startPeriod is the longest time between two questions while a copy starts,
// so that a fast one need not wait.
const startPeriod = 10

// probes turns a container's checks into probes. A check that killed becomes
// three: the start, which gives it its grace; whether it gets traffic; whether
// it is killed. One that did not kill becomes readiness and nothing else.
func (b *builder) probes(k *estate.Container, out *corev1.Container) {
	var kills, shows, advice []*estate.HealthCheck
	for i := range k.Checks {
		h := &k.Checks[i]
		switch {
		case h.Advisory:
			advice = append(advice, h)
		case h.Kills:
			kills = append(kills, h)
		default:
			shows = append(shows, h)
		}
	}
	if len(kills) > 0 {
		b.killing(k, kills[0], out)
	}
	ready := slices.Concat(shows, kills, advice)
	switch {
	case len(k.Readiness) > 0 && len(shows) == 0:
		out.ReadinessProbe = b.readiness(k, &k.Readiness[0])
	case len(ready) > 0:
		out.ReadinessProbe = b.ready(k, ready)
	}
	b.checkFacts(k, out.Name)
}

// killing sets the probes that restart a copy.
func (b *builder) killing(k *estate.Container, h *estate.HealthCheck, out *corev1.Container) {
	handler, ok := b.handler(k, h)
	if !ok {
		return
	}
	live := probe(handler, h)
	live.FailureThreshold = threshold(h)
	out.LivenessProbe = &live
	if h.Grace <= 0 {
		live.InitialDelaySeconds = seconds32(h.Delay)
		return
	}
	start := probe(handler, h)
	start.PeriodSeconds = min(live.PeriodSeconds, startPeriod)
	if h.StartInterval > 0 {
		start.PeriodSeconds = max(1, seconds32(h.StartInterval))
	}
	start.InitialDelaySeconds = seconds32(h.Delay)
	start.FailureThreshold = int32(min(math.Ceil(float64(h.Grace)/float64(start.PeriodSeconds))+float64(threshold(h)), math.MaxInt32))
	out.StartupProbe = &start
}

// ready gives the readiness probe of several checks. Checks that are all
// commands are asked together; else the first one counts.
func (b *builder) ready(k *estate.Container, checks []*estate.HealthCheck) *corev1.Probe {
	first := checks[0]
	handler, ok := b.handler(k, first)
	if !ok {
		return nil
	}
	p := probe(handler, first)
	if !first.Kills {
		p.FailureThreshold = threshold(first)
		if first.Grace <= 0 || first.Advisory {
			p.InitialDelaySeconds = seconds32(first.Delay)
		}
	}
	shell := shellOf(first)
	for _, h := range checks[1:] {
		next := shellOf(h)
		if shell == "" || next == "" || h.Kills != first.Kills {
			b.c.Warn(b.w, cluster.UnusedCheck, "has several checks of container "+k.Name+": one decides on restarts and one on traffic",
				"put them behind one check that asks all")
			return &p
		}
		shell = "(" + shell + ") && (" + next + ")"
	}
	if len(checks) > 1 {
		p.Exec = &corev1.ExecAction{Command: []string{"/bin/sh", "-c", Escape(b.renaming.InAny(k.Name, "check", shell))}}
	}
	return &p
}

func shellOf(h *estate.HealthCheck) string {
	if h.Kind != estate.Command {
		return ""
	}
	if h.Shell != "" {
		return h.Shell
	}
	var words []string
	for _, s := range h.Command {
		words = append(words, Quote(s))
	}
	return strings.Join(words, " ")
}

// threshold gives how many failures count; none was never a number of them.
func threshold(h *estate.HealthCheck) int32 {
	return int32(min(max(h.Failures, 1), math.MaxInt32))
}

func probe(handler corev1.ProbeHandler, h *estate.HealthCheck) corev1.Probe {
	return corev1.Probe{
		ProbeHandler:  handler,
		PeriodSeconds: max(1, seconds32(h.Interval)), TimeoutSeconds: max(1, seconds32(h.Timeout)),
		SuccessThreshold: 1, FailureThreshold: 1,
	}
}

func (b *builder) handler(k *estate.Container, h *estate.HealthCheck) (corev1.ProbeHandler, bool) {
	var out corev1.ProbeHandler
	if h.Kind == estate.Command {
		switch {
		case h.Shell != "":
			text := b.renaming.InAny(k.Name, "check", h.Shell)
			out.Exec = &corev1.ExecAction{Command: []string{"/bin/sh", "-c", Escape(text)}}
		case len(h.Command) > 0:
			out.Exec = &corev1.ExecAction{}
			for _, s := range h.Command {
				out.Exec.Command = append(out.Exec.Command, Escape(b.renaming.InAny(k.Name, "check", s)))
			}
		default:
			b.unusable(k, "runs nothing")
			return out, false
		}
		return out, true
	}
	port, ok := b.checkPort(k, h.Port)
	if !ok {
		return out, false
	}
	if h.Kind == estate.TCP {
		out.TCPSocket = &corev1.TCPSocketAction{Port: port}
		return out, true
	}
	out.HTTPGet = httpGet(h.Kind, h.Path, port)
	return out, true
}

func httpGet(kind estate.CheckKind, path string, port intstr.IntOrString) *corev1.HTTPGetAction {
	scheme := corev1.URISchemeHTTP
	if kind == estate.HTTPS {
		scheme = corev1.URISchemeHTTPS
	}
	return &corev1.HTTPGetAction{Path: cmp.Or(path, "/"), Port: port, Scheme: scheme}
}

func (b *builder) checkPort(k *estate.Container, port int) (intstr.IntOrString, bool) {
	if port == 0 && len(k.Ports) > 0 {
		port = k.Ports[0].Number
	}
	if port < 1 || port > 65535 {
		b.unusable(k, "asks a port that is not known")
		return intstr.IntOrString{}, false
	}
	return intstr.FromInt32(int32(port)), true
}

func (b *builder) unusable(k *estate.Container, why string) {
	b.c.Warn(b.w, cluster.UnusedCheck, "has a check of container "+k.Name+" that "+why+": no probe was made of it",
		"correct it at the source, or write a probe in an overlay")
}

// readiness gives the probe of a check that held back deployments.
func (b *builder) readiness(k *estate.Container, r *estate.ReadinessCheck) *corev1.Probe {
	port, ok := b.checkPort(k, r.Port)
	if !ok {
		return nil
	}
	p := corev1.Probe{
		PeriodSeconds: max(1, seconds32(r.Interval)), TimeoutSeconds: max(1, seconds32(r.Timeout)),
		SuccessThreshold: 1, FailureThreshold: 3,
	}
	if r.Kind == estate.TCP {
		p.TCPSocket = &corev1.TCPSocketAction{Port: port}
	} else {
		p.HTTPGet = httpGet(r.Kind, r.Path, port)
	}
	return &p
}

// A checkFact is what of a check no probe shows.
type checkFact struct {
	Check    any  `json:"check"`
	Unused   bool `json:"unused,omitempty"`
	Advisory bool `json:"advisory,omitempty"`
}

// checkFacts keeps what probes round off or leave out.
func (b *builder) checkFacts(k *estate.Container, name string) {
	var list []checkFact
	for i := range k.Checks {
		h := k.Checks[i]
		period := max(1, min(seconds32(h.Interval), startPeriod))
		if h.StartInterval > 0 {
			period = max(1, seconds32(h.StartInterval))
		}
		exact := whole(h.Interval) && whole(h.Timeout) && whole(h.Grace) && whole(h.Delay) && whole(h.StartInterval) &&
			h.Failures > 0 && h.Interval >= 1 && h.Timeout >= 1 && !h.IPv6 && !h.Loopback && h.Kills &&
			(h.Grace == 0 || math.Mod(float64(h.Grace), float64(period)) == 0)
		if i > 0 || !exact || h.Advisory {
			list = append(list, checkFact{Check: h, Unused: i > 0})
		}
	}
	for i := range k.Readiness {
		list = append(list, checkFact{Check: k.Readiness[i], Unused: i > 0})
	}
	if len(list) > 0 {
		b.checks[name] = list
	}
}

func whole(s unit.Seconds) bool { return float64(s) == math.Trunc(float64(s)) }
