// Package mesos empties machines of the old world that nothing needs any more.
// It takes host names as the plan has them and gives what still runs there. It
// never marks an agent gone and never takes a machine out of maintenance: what
// it does, an operator can undo.
//
// Masters from 1.9 on drain an agent: its tasks are killed by their own kill
// policies, their frameworks start them elsewhere, and it is offered no more.
// Older ones have maintenance alone: the machine is put into the schedule, so
// that frameworks hear of it, and then taken down, which ends what runs there
// and keeps its agent from coming back.
package mesos

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tranship/tranship/internal/rollout/runner"
	"github.com/tranship/tranship/internal/world/wire"
)

// Hosts is runner.Hosts over the master's v1 operator API.
type Hosts struct {
	master *wire.Client
	now    func() time.Time
}

// New makes the hosts of a master. now dates windows of maintenance.
func New(master *wire.Client, now func() time.Time) *Hosts { return &Hosts{master: master, now: now} }

const callPath = "/api/v1"

// call sends one call; body is its own message, nil if it has none.
func (h *Hosts) call(ctx context.Context, kind string, body, into any) error {
	message := map[string]any{"type": kind}
	if body != nil {
		message[strings.ToLower(kind)] = body
	}
	if err := h.master.Post(ctx, callPath, message, into); err != nil {
		return fmt.Errorf("%s: %w", kind, err)
	}
	return nil
}

type value struct {
	Value string `json:"value"`
}

type nanoseconds struct {
	Nanoseconds int64 `json:"nanoseconds"`
}

type info struct {
	ID       value  `json:"id"`
	Hostname string `json:"hostname"`
}

type agent struct {
	Info  info            `json:"agent_info"`
	PID   string          `json:"pid"`
	Drain json.RawMessage `json:"drain_info"`
}

// agents gives the agents that the master knows, those that have not come back
// since it was elected included.
func (h *Hosts) agents(ctx context.Context) ([]agent, error) {
	var answer struct {
		Get struct {
			Agents    []agent `json:"agents"`
			Recovered []info  `json:"recovered_agents"`
		} `json:"get_agents"`
	}
	if err := h.call(ctx, "GET_AGENTS", nil, &answer); err != nil {
		return nil, err
	}
	out := answer.Get.Agents
	for _, r := range answer.Get.Recovered {
		out = append(out, agent{Info: r})
	}
	return out, nil
}

func of(agents []agent, host string) []agent {
	return slices.DeleteFunc(slices.Clone(agents), func(a agent) bool { return !strings.EqualFold(a.Info.Hostname, host) })
}

// Drain implements runner.Hosts.
func (h *Hosts) Drain(ctx context.Context, hosts []string) error {
	if err := h.drain(ctx, hosts); err != nil {
		return fmt.Errorf("drain hosts: %w", err)
	}
	return nil
}

func (h *Hosts) drain(ctx context.Context, hosts []string) error {
	if len(hosts) == 0 {
		return nil
	}
	agents, err := h.agents(ctx)
	if err != nil {
		return err
	}
	down, err := h.down(ctx)
	if err != nil {
		return err
	}
	drains, err := h.drains(ctx)
	if err != nil {
		return err
	}
	var unknown []string
	var chosen []agent
	for _, host := range hosts {
		mine := of(agents, host)
		switch {
		case slices.ContainsFunc(down, func(m machine) bool { return strings.EqualFold(m.Hostname, host) }):
		case len(mine) == 0:
			unknown = append(unknown, host)
		default:
			chosen = append(chosen, mine...)
		}
	}
	if drains {
		err = h.drainAgents(ctx, chosen)
	} else {
		err = h.maintain(ctx, chosen)
	}
	if err != nil {
		return err
	}
	if unknown != nil {
		return fmt.Errorf("%s: no agent of that name: %w", strings.Join(unknown, ", "), runner.ErrAbsent)
	}
	return nil
}

// drainAgents leaves the time that a task has to end to its own kill policy.
func (h *Hosts) drainAgents(ctx context.Context, agents []agent) error {
	for _, a := range agents {
		if len(a.Drain) > 0 && string(a.Drain) != "null" {
			continue // it drains, or is drained
		}
		if err := h.call(ctx, "DRAIN_AGENT", map[string]any{"agent_id": a.Info.ID}, nil); err != nil {
			return fmt.Errorf("%s: %w", a.Info.Hostname, err)
		}
	}
	return nil
}

// drains reports whether the master can drain an agent: since 1.9.
func (h *Hosts) drains(ctx context.Context) (bool, error) {
	var answer struct {
		Get struct {
			Info struct {
				Version string `json:"version"`
			} `json:"version_info"`
		} `json:"get_version"`
	}
	if err := h.call(ctx, "GET_VERSION", nil, &answer); err != nil {
		return false, err
	}
	text := answer.Get.Info.Version
	parts := strings.SplitN(text, ".", 3)
	if len(parts) < 2 {
		return false, fmt.Errorf("the master's version %q is none", text)
	}
	major, err := strconv.Atoi(parts[0])
	if err != nil {
		return false, fmt.Errorf("the master's version %q is none", text)
	}
	minor, err := strconv.Atoi(parts[1])
	if err != nil {
		return false, fmt.Errorf("the master's version %q is none", text)
	}
	return major > 1 || major == 1 && minor >= 9, nil
}

// Tasks implements runner.Hosts. What is being killed or is out of reach counts:
// it may still run.
func (h *Hosts) Tasks(ctx context.Context, hosts []string) (map[string]int, error) {
	out, err := h.tasks(ctx, hosts)
	if err != nil {
		return nil, fmt.Errorf("count tasks: %w", err)
	}
	return out, nil
}

func (h *Hosts) tasks(ctx context.Context, hosts []string) (map[string]int, error) {
	agents, err := h.agents(ctx)
	if err != nil {
		return nil, err
	}
	down, err := h.down(ctx)
	if err != nil {
		return nil, err
	}
	type task struct {
		Agent value  `json:"agent_id"`
		State string `json:"state"`
	}
	var answer struct {
		Get struct {
			Pending     []task `json:"pending_tasks"`
			Tasks       []task `json:"tasks"`
			Unreachable []task `json:"unreachable_tasks"`
		} `json:"get_tasks"`
	}
	if err := h.call(ctx, "GET_TASKS", nil, &answer); err != nil {
		return nil, err
	}
	byAgent := map[string]int{}
	for _, t := range slices.Concat(answer.Get.Pending, answer.Get.Tasks, answer.Get.Unreachable) {
		switch t.State {
		case "TASK_FINISHED", "TASK_FAILED", "TASK_KILLED", "TASK_ERROR", "TASK_LOST", "TASK_DROPPED", "TASK_GONE", "TASK_GONE_BY_OPERATOR":
			// Ended, and its framework has not taken note yet.
		default:
			byAgent[t.Agent.Value]++
		}
	}
	out := map[string]int{}
	for _, host := range hosts {
		mine := of(agents, host)
		if len(mine) == 0 && !slices.ContainsFunc(down, func(m machine) bool { return strings.EqualFold(m.Hostname, host) }) {
			continue
		}
		out[host] = 0
		for _, a := range mine {
			out[host] += byAgent[a.Info.ID.Value]
		}
	}
	return out, nil
}

// ip takes the address out of an agent's process: "slave(1)@10.0.0.1:5051".
func ip(pid string) string {
	_, address, ok := strings.Cut(pid, "@")
	if !ok {
		return ""
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return ""
	}
	return host
}
