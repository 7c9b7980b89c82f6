package fake

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/rollout"
)

// Volumes stands in for what copies of workloads keep, in both worlds.
type Volumes struct {
	faults
	now Clock

	mu     sync.Mutex
	kept   map[shelf]map[string]string // files by path
	moving map[shelf]int               // copies during which a file changes
	spoil  map[shelf]int               // copies during which a file is spoilt on its way
	copies int
}

// shelf is one instance's volumes on one side.
type shelf struct {
	side     string
	workload estate.Name
	instance int
}

// NewVolumes makes volumes with nothing on them.
func NewVolumes(now Clock) *Volumes {
	return &Volumes{now: now, kept: map[shelf]map[string]string{}, moving: map[shelf]int{}, spoil: map[shelf]int{}}
}

// Copy implements runner.Volumes.
func (v *Volumes) Copy(ctx context.Context, w rollout.Workload, instance int, back bool) (rollout.Comparison, error) {
	torn, err := v.begin(ctx, v.now(), fmt.Sprintf("copy volumes of %s, instance %d", w.Name, instance))
	if err != nil {
		return rollout.Comparison{}, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	from, to := shelf{SourceSide, w.Name, instance}, shelf{TargetSide, w.Name, instance}
	if back {
		from, to = to, from
	}
	v.copies++
	arrived := maps.Clone(v.kept[from])
	if v.moving[from] > 0 {
		v.moving[from]--
		if v.kept[from] == nil {
			v.kept[from] = map[string]string{}
		}
		v.kept[from]["log"] += "."
	}
	if v.spoil[from] > 0 && len(arrived) > 0 {
		v.spoil[from]--
		first := slices.Min(slices.Collect(maps.Keys(arrived)))
		arrived[first] += "?"
	}
	v.kept[to] = arrived
	return compareFiles(v.kept[from], arrived), torn
}

func compareFiles(from, to map[string]string) rollout.Comparison {
	var c rollout.Comparison
	for _, path := range slices.Sorted(maps.Keys(from)) {
		c.Size += int64(len(from[path]))
		got, ok := to[path]
		switch {
		case !ok:
			c.Missing++
			fallthrough
		case got != from[path]:
			c.Different = append(c.Different, path)
		}
	}
	for path := range to {
		if _, ok := from[path]; !ok {
			c.Extra++
		}
	}
	c.Same = len(c.Different) == 0 && c.Extra == 0
	c.Different = c.Different[:min(len(c.Different), 10)]
	return c
}

// Put has an instance keep a file.
func (v *Volumes) Put(side string, w estate.Name, instance int, path, content string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	s := shelf{side, w, instance}
	if v.kept[s] == nil {
		v.kept[s] = map[string]string{}
	}
	v.kept[s][path] = content
}

// Files gives what an instance keeps, by path.
func (v *Volumes) Files(side string, w estate.Name, instance int) map[string]string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return maps.Clone(v.kept[shelf{side, w, instance}])
}

// Write has a file of the instance's side change during each of the next n
// copies from there, as if somebody still wrote.
func (v *Volumes) Write(side string, w estate.Name, instance, n int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.moving[shelf{side, w, instance}] = n
}

// Spoil has a file not arrive as it was sent in each of the next n copies from
// the instance's side.
func (v *Volumes) Spoil(side string, w estate.Name, instance, n int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.spoil[shelf{side, w, instance}] = n
}

// Copies counts the copies that were made.
func (v *Volumes) Copies() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.copies
}
