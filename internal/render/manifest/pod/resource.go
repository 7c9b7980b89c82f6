package pod

import (
	"cmp"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
)

// gpu is the resource that NVIDIA's device plugin gives.
const gpu corev1.ResourceName = "nvidia.com/gpu"

// size gives what the plan gives to a container.
func (b *builder) size(k *estate.Container) plan.ContainerSize {
	if s := b.c.Size(b.w.ID); s != nil {
		for _, c := range s.Containers {
			if c.Name == k.Name {
				return c
			}
		}
	}
	return plan.ContainerSize{Name: k.Name, CPU: k.CPU, Memory: k.Memory, Disk: k.Disk, GPUs: k.GPUs}
}

// resources sets requests and limits: memory up to what is asked for,
// processors without a limit unless the source held to one.
func (b *builder) resources(k *estate.Container, out *corev1.Container) {
	s := b.size(k)
	requests, limits := corev1.ResourceList{}, corev1.ResourceList{}
	if s.CPU > 0 {
		requests[corev1.ResourceCPU] = CPU(s.CPU)
	}
	if n := b.cpuLimit(k, s.CPU); n > 0 {
		limits[corev1.ResourceCPU] = CPU(max(n, s.CPU))
	}
	memory, limit := s.Memory, s.Memory
	if k.Memory == 0 && b.c.Policy.For(b.w.ID).Memory == nil && (s.Used == nil || s.Used.MemoryPeak == 0 || memory < s.Used.MemoryPeak) {
		limit = 0 // the plan needs a number, and nobody has said or seen one to stop it at
	}
	if k.MemoryLimit != nil && *k.MemoryLimit > 0 {
		limit = *k.MemoryLimit
		if memory == 0 || limit < memory {
			memory = limit
		}
	}
	if memory > 0 {
		requests[corev1.ResourceMemory] = Bytes(memory)
	}
	if limit > 0 && !k.NoMemoryLimit {
		limits[corev1.ResourceMemory] = Bytes(limit)
	}
	if s.Disk > 0 {
		requests[corev1.ResourceEphemeralStorage] = Bytes(s.Disk)
		if b.c.Policy.Spec.Pods.EphemeralLimit == "request" {
			limits[corev1.ResourceEphemeralStorage] = Bytes(s.Disk)
		}
	}
	if s.GPUs > 0 {
		limits[gpu] = *resource.NewQuantity(int64(s.GPUs), resource.DecimalSI)
	}
	if len(requests) > 0 {
		out.Resources.Requests = requests
	}
	if len(limits) > 0 {
		out.Resources.Limits = limits
	}
}

func (b *builder) cpuLimit(k *estate.Container, request unit.CPU) unit.CPU {
	switch {
	case k.NoCPULimit:
		return 0
	case k.CPULimit != nil:
		return *k.CPULimit
	}
	switch cmp.Or(b.c.Policy.For(b.w.ID).CPULimits, b.c.Policy.Spec.CPULimits, "auto") {
	case "request":
		return request
	case "auto":
		if b.c.Throttles {
			return request
		}
	}
	return 0
}

// CPU gives a quantity of processors.
func CPU(n unit.CPU) resource.Quantity {
	return *resource.NewMilliQuantity(int64(n), resource.DecimalSI)
}

// Bytes gives a quantity of memory or disk.
func Bytes(n unit.Bytes) resource.Quantity {
	return *resource.NewQuantity(int64(n), resource.BinarySI)
}

// Count gives a quantity of whole things.
func Count(n int) resource.Quantity { return *resource.NewQuantity(int64(n), resource.DecimalSI) }
