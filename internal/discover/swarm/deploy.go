package swarm

import (
	"regexp"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/estate"
)

// deploy sets how many copies run, where, and how a new version comes.
func (s *service) deploy() {
	d := s.c.Deploy
	if d == nil {
		d = &types.DeployConfig{}
	}
	count := 1
	switch {
	case s.c.Scale != nil:
		count = *s.c.Scale
	case d.Replicas != nil:
		count = *d.Replicas
	}
	if count < 0 || count > 1_000_000 {
		s.fail(discover.OutOfRange, at(s.raw, "deploy", "replicas"), "asks for a number of copies that cannot be", "one copy was taken; correct it at the source")
		count = 1
	}
	s.w.Replicas = count
	switch d.Mode {
	case "", "replicated":
	case "global":
		s.w.Kind, s.w.Replicas = estate.Daemon, 1
	case "replicated-job":
		s.job(count)
	case "global-job":
		s.job(1)
		s.warn(Mode, at(s.raw, "deploy", "mode"), "is a job on every node, which Kubernetes does not have", "run it by a DaemonSet that waits when done, or by one Job a node")
	default:
		s.fail(RefusedValue, at(s.raw, "deploy", "mode"), "has a mode of deployment that Swarm does not have", "the modes are replicated, global, replicated-job and global-job; replicated was taken")
	}
	if p := d.RestartPolicy; p != nil && s.w.Run != nil && p.MaxAttempts != nil {
		n := int(min(*p.MaxAttempts, 1<<30))
		s.w.Run.Retries = &n
	}
	if u := d.UpdateConfig; u != nil {
		s.update(u, count)
	}
	s.w.Constraints = append(s.w.Constraints, s.constraints()...)
}

func (s *service) job(count int) {
	s.w.Kind = estate.Job
	s.w.Run = &estate.Run{Retry: true, Completions: count, Parallelism: count}
	s.w.Replicas = 1
	if p := s.c.Deploy.RestartPolicy; p != nil && p.Condition == "none" {
		s.w.Run.Retry = false
	}
}

func (s *service) update(u *types.UpdateConfig, count int) {
	parallel := 1
	if u.Parallelism != nil {
		parallel = int(min(*u.Parallelism, 1<<30))
	}
	x := estate.Update{
		MinHealthy: 1, Parallel: parallel, StartFirst: u.Order == "start-first", Delay: seconds(u.Delay), Monitor: seconds(u.Monitor),
	}
	share := 1.0
	if parallel > 0 && count > parallel {
		share = float64(parallel) / float64(count)
	}
	switch {
	case s.w.Kind == estate.Daemon:
	case x.StartFirst:
		x.MaxOver = share
	default:
		x.MinHealthy = 1 - share
	}
	s.w.Update = &x
}

// constraints gives where copies may run. What cannot be read is reported
// where it is entered.
func (s *service) constraints() []estate.Constraint {
	var out []estate.Constraint
	if d := s.c.Deploy; d != nil {
		for _, text := range d.Placement.Constraints {
			if c, _, ok := constraint(text); ok {
				out = append(out, c)
			} else {
				s.fail(RefusedValue, at(s.raw, "deploy", "placement", "constraints"), "has a constraint that Swarm does not know",
					"write node.labels.NAME == VALUE or the like; the constraint was left out")
			}
		}
		for _, p := range d.Placement.Preferences {
			if c, _, ok := constraint(p.Spread + " == x"); ok {
				out = append(out, estate.Constraint{Attribute: c.Attribute, Rule: estate.Spread, Soft: true, Source: "spread=" + p.Spread})
			}
		}
		switch n := d.Placement.MaxReplicas; {
		case n == 1:
			out = append(out, estate.Constraint{Attribute: "hostname", Rule: estate.Apart, Source: "max_replicas_per_node=1"})
		case n > 1:
			n = min(n, 1<<30)
			out = append(out, estate.Constraint{Attribute: "hostname", Rule: estate.AtMost, Count: int(n), Source: "max_replicas_per_node=" + itoa(int(n))})
		}
	}
	if system, arch, _ := strings.Cut(s.c.Platform, "/"); system != "" {
		out = append(out, estate.Constraint{Attribute: "@os", Rule: estate.In, Values: []string{system}, Source: "platform=" + s.c.Platform})
		if arch != "" {
			out = append(out, estate.Constraint{Attribute: "@arch", Rule: estate.In, Values: []string{arch}, Source: "platform=" + s.c.Platform})
		}
	}
	return out
}

var constraintText = regexp.MustCompile(`^\s*([A-Za-z0-9_.\-/]+)\s*(==|!=)\s*(.*?)\s*$`)

// constraint reads "node.labels.disk == ssd" and says what becomes of it.
func constraint(text string) (estate.Constraint, discover.Ruling, bool) {
	m := constraintText.FindStringSubmatch(text)
	if m == nil || m[3] == "" {
		return estate.Constraint{}, dropped(RefusedValue, "is no constraint, and was left out"), false
	}
	c := estate.Constraint{Rule: estate.In, Values: []string{m[3]}, Source: text}
	if m[2] == "!=" {
		c.Rule = estate.NotIn
	}
	const target = "pod#spec.affinity.nodeAffinity"
	switch name := strings.ToLower(m[1]); {
	case strings.HasPrefix(name, "node.labels."):
		c.Attribute = m[1][len("node.labels."):]
		return c, equivalent(Placement, target, "the same, once nodes have the label"), true
	case strings.HasPrefix(name, "engine.labels."):
		c.Attribute = m[1][len("engine.labels."):]
		return c, equivalent(Placement, target, "the same, once nodes have the label"), true
	case name == "node.hostname" || name == "node.id" || name == "node.ip":
		c.Attribute = "hostname"
		return c, decision(PinnedToHost, target, "pinned to a machine that will not exist; proposed is to keep the name until policy maps it"), true
	case name == "node.role":
		c.Attribute = "@role"
		return c, decision(PinnedToHost, target, "nodes of the target have no such role; proposed is to keep it until policy maps it to a label"), true
	case name == "node.platform.os":
		c.Attribute = "@os"
		return c, equivalent(Placement, target, "the same system"), true
	case name == "node.platform.arch":
		c.Attribute = "@arch"
		c.Values = []string{architecture(m[3])}
		return c, equivalent(Placement, target, "the same architecture, as Kubernetes calls it"), true
	}
	return c, dropped(RefusedValue, "is no constraint that Swarm knows, and was left out"), false
}

// architecture gives Kubernetes' word for what the kernel calls a machine.
func architecture(s string) string {
	switch s {
	case "x86_64":
		return "amd64"
	case "aarch64":
		return "arm64"
	}
	return s
}

func noteScale(s *service, v *jsonpos.Value) {
	if s.w.Kind == estate.Daemon {
		s.put(v, informational(Replicas, "a global service has one copy on every node"))
		return
	}
	s.put(v, exact(Replicas, "workload#spec.replicas", "as many copies"))
}

func noteRestart(s *service, v *jsonpos.Value) {
	switch strings.SplitN(s.text(v), ":", 2)[0] {
	case "no", "false", "on-failure":
		s.put(v, decision(Restart, "workload", "a copy that ends by itself is not started again; proposed is to run it always, a Job where it ends by design"))
	default:
		s.put(v, informational(Restart, "a pod is started again always"))
	}
}

func noteDeploy(s *service, v *jsonpos.Value) {
	if v.IsLeaf() {
		s.put(v, empty)
		return
	}
	for _, m := range s.mapping(v) {
		if m.v.IsNull() {
			s.put(m.v, empty)
			continue
		}
		switch m.key {
		case "mode":
			s.put(m.v, exact(Mode, "workload#kind", "Deployment, DaemonSet or Job"))
		case "replicas":
			if s.c.Scale != nil {
				s.put(m.v, overridden)
				continue
			}
			noteScale(s, m.v)
		case "labels":
			noteLabels(s, m.v)
		case "endpoint_mode":
			s.put(m.v, decision(EndpointMode, "service#spec.clusterIP", "one address for all copies, or each copy's own; proposed is one address"))
		case "update_config":
			s.noteUpdate(m.v)
		case "rollback_config":
			s.put(m.v, dropped(UpdateFailure, "a rollback is an update to the version before, by the same rules"))
		case "restart_policy":
			s.noteRestartPolicy(m.v)
		case "placement":
			s.notePlacement(m.v)
		case "resources":
			s.noteResources(m.v)
		}
	}
}

func (s *service) noteUpdate(v *jsonpos.Value) {
	if v.IsLeaf() {
		s.put(v, empty)
		return
	}
	for _, m := range s.mapping(v) {
		switch m.key {
		case "parallelism":
			s.put(m.v, approximate(UpdateBatch, "workload#spec.strategy.rollingUpdate", "a bound of copies that are renewed at once, not batches"))
		case "order":
			s.put(m.v, approximate(UpdateBatch, "workload#spec.strategy.rollingUpdate", "start-first by surge, stop-first without"))
		case "delay":
			s.put(m.v, approximate(UpdateBatch, "workload#spec.minReadySeconds", "waited for each copy, not between batches"))
		case "monitor":
			s.put(m.v, approximate(UpdateBatch, "workload#spec.progressDeadlineSeconds", "bounds the time to become ready"))
		case "failure_action":
			s.put(m.v, decision(UpdateFailure, "workload#spec.strategy", "Kubernetes stops an update that fails, and goes back only when told; proposed is that tranship's gates do"))
		case "max_failure_ratio":
			s.put(m.v, dropped(UpdateFailure, "an update stops at the first copy that does not become ready"))
		}
	}
}

func (s *service) noteRestartPolicy(v *jsonpos.Value) {
	if v.IsLeaf() {
		s.put(v, empty)
		return
	}
	for _, m := range s.mapping(v) {
		switch m.key {
		case "condition":
			if text := s.text(m.v); text == "any" && s.w.Run == nil {
				s.put(m.v, informational(Restart, "a pod is started again always"))
				continue
			}
			s.put(m.v, decision(Restart, "workload", "a copy that ends by itself is not always started again; proposed is to run a service always, and to retry a job"))
		case "max_attempts":
			if s.w.Run != nil {
				s.put(m.v, equivalent(Restart, "job#spec.backoffLimit", "as many attempts"))
				continue
			}
			s.put(m.v, dropped(Restart, "kubelet tries for ever, with growing pauses of up to 5 minutes"))
		case "delay", "window":
			s.put(m.v, dropped(Restart, "kubelet waits 10 s, then twice as long each time, up to 5 minutes"))
		}
	}
}

func (s *service) notePlacement(v *jsonpos.Value) {
	if v.IsLeaf() {
		s.put(v, empty)
		return
	}
	for _, m := range s.mapping(v) {
		if m.v.IsLeaf() && (m.v.Kind() == jsonpos.Array || m.v.IsNull()) {
			s.put(m.v, empty)
			continue
		}
		switch m.key {
		case "constraints":
			for _, e := range m.v.Elems() {
				_, r, _ := constraint(s.text(e))
				s.put(e, r)
			}
		case "preferences":
			for _, e := range m.v.Elems() {
				for _, p := range s.mapping(e) {
					if p.key != "spread" {
						continue
					}
					if _, _, ok := constraint(s.text(p.v) + " == x"); ok {
						s.put(p.v, equivalent(Placement, "pod#spec.topologySpreadConstraints", "spread as well as can be, once nodes have the label"))
						continue
					}
					s.put(p.v, dropped(RefusedValue, "is nothing that Swarm spreads over, and was left out"))
				}
			}
		case "max_replicas_per_node":
			s.put(m.v, approximate(Placement, "pod#spec.topologySpreadConstraints", "one a node by anti-affinity; more by an even spread"))
		}
	}
}
