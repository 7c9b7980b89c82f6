package mesos

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/tranship/tranship/internal/rollout/runner"
)

// machine is how maintenance names a host: both parts have to be what the agent
// tells of itself.
type machine struct {
	Hostname string `json:"hostname,omitempty"`
	IP       string `json:"ip,omitempty"`
}

func (m machine) is(o machine) bool { return strings.EqualFold(m.Hostname, o.Hostname) && m.IP == o.IP }

// down gives the machines that are in maintenance: their agents are gone.
func (h *Hosts) down(ctx context.Context) ([]machine, error) {
	var answer struct {
		Get struct {
			Status struct {
				Down []machine `json:"down_machines"`
			} `json:"status"`
		} `json:"get_maintenance_status"`
	}
	if err := h.call(ctx, "GET_MAINTENANCE_STATUS", nil, &answer); err != nil {
		return nil, err
	}
	return answer.Get.Status.Down, nil
}

// maintain puts machines into the schedule, beside what stands there, and takes
// them down.
func (h *Hosts) maintain(ctx context.Context, agents []agent) error {
	var machines []machine
	for _, a := range agents {
		m := machine{Hostname: a.Info.Hostname, IP: ip(a.PID)}
		if m.IP == "" {
			return fmt.Errorf("%s: %w: its agent has not come back since the master was elected, and maintenance needs its address", m.Hostname, runner.ErrRefused)
		}
		if !slices.ContainsFunc(machines, m.is) {
			machines = append(machines, m)
		}
	}
	if len(machines) == 0 {
		return nil
	}
	// Windows of others are sent back as they came.
	var answer struct {
		Get struct {
			Schedule struct {
				Windows []json.RawMessage `json:"windows"`
			} `json:"schedule"`
		} `json:"get_maintenance_schedule"`
	}
	if err := h.call(ctx, "GET_MAINTENANCE_SCHEDULE", nil, &answer); err != nil {
		return err
	}
	fresh := slices.Clone(machines)
	windows := answer.Get.Schedule.Windows
	for _, raw := range windows {
		var w struct {
			Machines []machine `json:"machine_ids"`
		}
		if err := json.Unmarshal(raw, &w); err != nil {
			return fmt.Errorf("read the maintenance schedule: %w", err)
		}
		fresh = slices.DeleteFunc(fresh, func(m machine) bool { return slices.ContainsFunc(w.Machines, m.is) })
	}
	if len(fresh) > 0 {
		raw, err := json.Marshal(map[string]any{
			"machine_ids": fresh, "unavailability": map[string]any{"start": nanoseconds{h.now().UnixNano()}},
		})
		if err != nil {
			return err
		}
		schedule := map[string]any{"schedule": map[string]any{"windows": append(slices.Clone(windows), raw)}}
		if err := h.call(ctx, "UPDATE_MAINTENANCE_SCHEDULE", schedule, nil); err != nil {
			return err
		}
	}
	return h.call(ctx, "START_MAINTENANCE", map[string]any{"machines": machines}, nil)
}
