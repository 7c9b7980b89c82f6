package field

import (
	"strings"

	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
)

// What Marathon and Metronome gave a task that did not say.
const (
	DefaultCPU    = unit.CPU(1000)
	DefaultMemory = 128 * unit.MiB
)

// Resources reads the keys cpus, mem, disk and gpus of object v into c. An
// absent one is what the source's scheduler took for it.
func (s Scope) Resources(v *jsonpos.Value, c *estate.Container) {
	c.CPU, c.Memory = DefaultCPU, DefaultMemory
	if x := v.Get("cpus"); x != nil {
		if n, ok := s.cores(x); ok {
			c.CPU = n
			s.Note(x, ledger.Exact, CPURequest, "container#resources.requests.cpu", "the same share of processors")
		}
	}
	if x := v.Get("mem"); x != nil {
		if n, ok := s.mebibytes(x); ok {
			c.Memory = n
			s.Note(x, ledger.Exact, MemoryRequest, "container#resources.limits.memory", "the same bound, request and limit")
		}
	}
	if x := v.Get("disk"); x != nil {
		if n, ok := s.mebibytes(x); ok {
			c.Disk = n
			s.Note(x, ledger.Approximate, DiskRequest, "container#resources.requests.ephemeral-storage",
				"counted when a node is chosen; Mesos counted it too, and seldom enforced it")
		}
	}
	if x := v.Get("gpus"); x != nil {
		if n, ok := s.Int(x, 0, 1024); ok {
			c.GPUs = n
			s.Note(x, ledger.Equivalent, GPURequest, "container#resources.limits.nvidia.com/gpu",
				"as many, where nodes have them and the device plugin")
		}
	}
}

// Limits reads resourceLimits: {"cpus": number or "unlimited", "mem": same}.
// Read the resources before: a limit below them is refused, as Marathon did.
func (s Scope) Limits(v *jsonpos.Value, c *estate.Container) {
	if s.Empty(v) || !s.Is(v, jsonpos.Object) {
		return
	}
	if x := v.Get("cpus"); x != nil {
		if unlimited(x) {
			c.NoCPULimit = true
			s.Note(x, ledger.Exact, ResourceLimit, "container#resources.limits.cpu", "no limit")
		} else if n, ok := s.cores(x); ok && n < c.CPU {
			s.outOfRange(x, "as much as is asked for")
		} else if ok {
			c.CPULimit = &n
			s.Note(x, ledger.Exact, ResourceLimit, "container#resources.limits.cpu", "the same limit")
		}
	}
	if x := v.Get("mem"); x != nil {
		if unlimited(x) {
			c.NoMemoryLimit = true
			s.Note(x, ledger.Exact, ResourceLimit, "container#resources.limits.memory", "no limit")
		} else if n, ok := s.mebibytes(x); ok && n < c.Memory {
			s.outOfRange(x, "as much as is asked for")
		} else if ok {
			c.MemoryLimit = &n
			s.Note(x, ledger.Exact, ResourceLimit, "container#resources.limits.memory", "the same limit")
		}
	}
}

func unlimited(v *jsonpos.Value) bool {
	return v.Kind() == jsonpos.String && strings.EqualFold(v.Text(), "unlimited")
}

func (s Scope) cores(v *jsonpos.Value) (unit.CPU, bool) {
	f, ok := s.Number(v)
	if !ok {
		return 0, false
	}
	n, err := unit.Cores(f)
	if err != nil {
		s.outOfRange(v, "an amount of processors")
		return 0, false
	}
	return n, true
}

func (s Scope) mebibytes(v *jsonpos.Value) (unit.Bytes, bool) {
	f, ok := s.Number(v)
	if !ok {
		return 0, false
	}
	n, err := unit.Mebibytes(f)
	if err != nil {
		s.outOfRange(v, "an amount in MiB")
		return 0, false
	}
	return n, true
}

// Seconds reads a length of time that is not negative.
func (s Scope) Seconds(v *jsonpos.Value) (unit.Seconds, bool) {
	f, ok := s.Number(v)
	if !ok {
		return 0, false
	}
	if f < 0 || f > 1e12 {
		s.outOfRange(v, "a length of time")
		return 0, false
	}
	return unit.Seconds(f), true
}
