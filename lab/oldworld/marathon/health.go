package marathon

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tranship/tranship/lab/oldworld/definition"
)

// Health is what one check of one instance has found.
type Health struct {
	Alive        bool   `json:"alive"`
	Failures     int    `json:"consecutiveFailures"`
	FirstSuccess string `json:"firstSuccess,omitempty"`
	LastSuccess  string `json:"lastSuccess,omitempty"`
	LastFailure  string `json:"lastFailure,omitempty"`
	Cause        string `json:"lastFailureCause,omitempty"`
	InstanceID   string `json:"instanceId"`
}

// Readiness is what a readiness check of one task has found.
type Readiness struct {
	Name   string            `json:"name"`
	TaskID string            `json:"taskId"`
	Ready  bool              `json:"ready"`
	Last   *ReadinessMessage `json:"lastResponse,omitempty"`
}

// ReadinessMessage is an answer that was to be kept.
type ReadinessMessage struct {
	Status      int    `json:"status"`
	ContentType string `json:"contentType"`
	Body        string `json:"body"`
}

// watch starts the checks of an instance that runs. The lock is held.
func (m *Marathon) watch(i *Instance) {
	if m.ctx == nil || m.ctx.Err() != nil || m.checkers[i.ID] != nil {
		return
	}
	ctx, stop := context.WithCancel(m.ctx)
	m.checkers[i.ID] = stop
	if m.health[i.ID] == nil {
		m.health[i.ID] = map[int]*Health{}
	}
	m.ready[i.ID] = map[string]Readiness{}
	look := *i // what it is now does not change while this task runs
	for n, check := range i.Spec.HealthChecks {
		m.going.Go(func() { m.checkHealth(ctx, look, n, check) })
	}
	if m.deploying(i.App) {
		for _, check := range i.Spec.ReadinessChecks {
			m.ready[i.ID][check.Name] = Readiness{Name: check.Name, TaskID: i.TaskID}
			m.going.Go(func() { m.checkReady(ctx, look, check) })
		}
	}
}

// wait sleeps, or says that it is over.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

func (m *Marathon) checkHealth(ctx context.Context, i Instance, n int, check definition.HealthCheck) {
	if check.ByMesos() && !wait(ctx, time.Duration(check.Delay)*time.Second) {
		return
	}
	for {
		began := time.Now()
		cause := m.probe(ctx, i, check)
		if ctx.Err() != nil {
			return
		}
		m.found(i, n, check, cause)
		if !wait(ctx, max(time.Duration(check.Interval)*time.Second-time.Since(began), 10*time.Millisecond)) {
			return
		}
	}
}

// probe asks once; empty is well.
func (m *Marathon) probe(ctx context.Context, i Instance, check definition.HealthCheck) string {
	ctx, stop := context.WithTimeout(ctx, time.Duration(max(check.Timeout, 1))*time.Second)
	defer stop()
	if check.Protocol == "COMMAND" {
		return m.command(ctx, i, check)
	}
	p := 0
	switch {
	case check.Port != nil && *check.Port != 0:
		p = *check.Port
	case check.PortIndex != nil && *check.PortIndex < len(i.Ports):
		p = i.Ports[*check.PortIndex]
	}
	at := net.JoinHostPort(i.Address, strconv.Itoa(p))
	if strings.HasSuffix(check.Protocol, "TCP") {
		c, err := new(net.Dialer).DialContext(ctx, "tcp", at)
		if err != nil {
			return err.Error()
		}
		_ = c.Close() // that it opened is all that was asked
		return ""
	}
	status, _, err := get(ctx, scheme(check.Protocol), at, check.Path)
	switch {
	case err != nil:
		return err.Error()
	case status < 200 || status > 399:
		return fmt.Sprintf("%d %s", status, http.StatusText(status))
	}
	return ""
}

func scheme(protocol string) string {
	if strings.HasSuffix(protocol, "HTTPS") {
		return "https"
	}
	return "http"
}

// get asks by a connection of its own, takes any certificate and follows nothing, as Marathon does.
func get(ctx context.Context, scheme, at, path string) (int, *ReadinessMessage, error) {
	client := http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://"+at+"/"+strings.TrimPrefix(path, "/"), nil)
	if err != nil {
		return 0, nil, err
	}
	answer, err := client.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 64<<10))
	return answer.StatusCode, &ReadinessMessage{Status: answer.StatusCode, ContentType: answer.Header.Get("Content-Type"), Body: string(body)}, err
}

func (m *Marathon) command(ctx context.Context, i Instance, check definition.HealthCheck) string {
	var c struct{ Value string }
	if err := json.Unmarshal(check.Command, &c); err != nil || c.Value == "" {
		return "no command"
	}
	env, dir, err := m.cluster.Environment(i.TaskID)
	if err != nil {
		return err.Error()
	}
	x := exec.CommandContext(ctx, "/bin/sh", "-c", c.Value)
	x.Env, x.Dir, x.WaitDelay = env, dir, time.Second
	if err := x.Run(); err != nil {
		return "Command returned " + err.Error()
	}
	return ""
}

// found enters what a check said, and has a task ended that fails too often.
func (m *Marathon) found(look Instance, n int, check definition.HealthCheck, cause string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := m.s.Instances[look.ID]
	if i == nil || i.TaskID != look.TaskID || m.health[i.ID] == nil {
		return
	}
	h := m.health[i.ID][n]
	first := h == nil
	if first {
		h = &Health{InstanceID: i.ID}
		m.health[i.ID][n] = h
	}
	was, now := h.Alive, Stamp(time.Now())
	switch {
	case cause == "":
		h.Alive, h.Failures, h.LastSuccess = true, 0, now
		if h.FirstSuccess == "" {
			h.FirstSuccess = now
		}
	case h.FirstSuccess == "" && time.Since(i.StartedAt) < time.Duration(check.Grace)*time.Second:
		// It may take this long until it first is well; what it says before is not counted.
		h.Cause = cause
	default:
		h.Alive, h.LastFailure, h.Cause = false, now, cause
		h.Failures++
		m.events.publish("failed_health_check_event", map[string]any{"appId": i.App, "taskId": i.TaskID, "instanceId": i.ID, "healthCheck": check})
	}
	i.Well = m.healthy(i)
	if check.ByMesos() && (cause == "" || h.Failures > 0) {
		m.cluster.SetHealthy(i.TaskID, h.Alive)
	}
	if was != h.Alive || first && h.Alive {
		m.events.publish("health_status_changed_event", map[string]any{"appId": i.App, "taskId": i.TaskID, "instanceId": i.ID, "version": i.Spec.Version, "alive": h.Alive})
		m.events.publish("instance_health_changed_event", map[string]any{"instanceId": i.ID, "runSpecId": i.App, "runSpecVersion": i.Spec.Version, "healthy": m.healthy(i)})
		m.touch()
	}
	limit := check.MaxFailures
	if check.ByMesos() {
		limit = max(limit, 1) // an agent ends a task at the first failure where 0 is said, Marathon never does
	}
	if limit > 0 && h.Failures >= limit && i.Goal == goalRunning && !i.Ending {
		m.events.publish("unhealthy_instance_kill_event", map[string]any{
			"appId": i.App, "taskId": i.TaskID, "instanceId": i.ID, "version": i.Spec.Version, "reason": cause, "host": i.Host, "slaveId": i.Agent,
		})
		i.Sick = true
		m.end(i)
		m.touch()
	}
}

func (m *Marathon) checkReady(ctx context.Context, i Instance, check definition.ReadinessCheck) {
	p := -1
	for n, x := range i.Spec.Ports() {
		if x.Name == check.PortName && n < len(i.Ports) {
			p = i.Ports[n]
		}
	}
	for {
		once, stop := context.WithTimeout(ctx, time.Duration(max(check.Timeout, 1))*time.Second)
		status, answer, err := get(once, scheme(check.Protocol), net.JoinHostPort(i.Address, strconv.Itoa(p)), check.Path)
		stop()
		if ctx.Err() != nil {
			return
		}
		r := Readiness{Name: check.Name, TaskID: i.TaskID, Ready: err == nil && slices.Contains(check.Ready, status)}
		if check.Preserve && err == nil {
			r.Last = answer
		}
		m.mu.Lock()
		if m.ready[i.ID] != nil {
			m.ready[i.ID][check.Name] = r
			m.touch()
		}
		m.mu.Unlock()
		if r.Ready || !wait(ctx, time.Duration(max(check.Interval, 1))*time.Second) {
			return
		}
	}
}

// healthy tells whether an instance is counted on: it runs, and all its checks say so. The lock is held.
func (m *Marathon) healthy(i *Instance) bool {
	if i.Condition != "Running" {
		return false
	}
	for n := range i.Spec.HealthChecks {
		if h := m.health[i.ID][n]; h == nil || !h.Alive {
			return false
		}
	}
	return true
}

// isReady tells whether all readiness checks of a healthy instance were passed once. The lock is held.
func (m *Marathon) isReady(i *Instance) bool {
	if !m.healthy(i) {
		return false
	}
	for _, r := range m.ready[i.ID] {
		if !r.Ready {
			return false
		}
	}
	return true
}
