package fit_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tranship/tranship/internal/estate"
)

// crowded is services that leave a lost node's room in many small pieces.
func crowded() string {
	var all []string
	for i, x := range [][3]int{
		{115, 647, 4},
		{74, 527, 4},
		{119, 455, 4},
		{188, 354, 3},
		{143, 256, 3},
		{31, 256, 3},
		{95, 246, 2},
		{97, 228, 3},
		{159, 219, 2},
		{89, 205, 3},
		{152, 173, 2},
		{194, 161, 2},
		{86, 152, 4},
		{225, 148, 2},
		{28, 110, 3},
		{222, 90, 3},
		{77, 90, 4},
		{20, 85, 3},
		{268, 76, 2},
		{45, 73, 4},
		{88, 63, 3},
		{102, 56, 2},
		{58, 49, 4},
		{55, 46, 2},
	} {
		all = append(all, service(fmt.Sprintf("/s%02d", i), x[2], fmt.Sprintf("%dm", x[0]), fmt.Sprintf("%dMi", x[1]), ""))
	}
	return "[" + strings.Join(all, ",") + "]"
}

// TestTellingTheSchedulerMoreTakesLess: a pool a node, so that copies prefer the
// planned one, costs less than leaving it to the scheduler; policy can refuse.
func TestTellingTheSchedulerMoreTakesLess(t *testing.T) {
	r, diags := fitted(t, crowded(), "")
	none(t, diags)
	plain, _ := fitted(t, crowded(), "target: {pools: by-type, priorities: none}")
	if r.Survival.Cost >= plain.Survival.Cost || r.Survival.Cost < r.Survival.Bound {
		t.Errorf("told more it costs %s, told nothing %s, at least %s", r.Survival.Cost.Exact(), plain.Survival.Cost.Exact(), r.Survival.Bound.Exact())
	}
	if len(r.Pools) != len(r.Nodes) {
		t.Errorf("%d pools of %d nodes, want one each", len(r.Pools), len(r.Nodes))
	}
	homes, spares := map[estate.Name]int{}, map[estate.Name]int{}
	for _, p := range r.Placements {
		switch {
		case p.Prefer == 100 && p.Copies == 1:
			homes[p.Workload]++
		case p.Prefer > 0 && p.Prefer < 100 && p.Copies == 0:
			spares[p.Workload]++
		case p.Prefer > 0 || p.Copies > 0:
			t.Errorf("%s has %d copies on %s, which it prefers by %d", p.Workload, p.Copies, p.Pool, p.Prefer)
		}
	}
	for id, n := range homes {
		if spares[id] != 1 || n < 2 {
			t.Errorf("%s has %d nodes and %d spares, want one spare", id, n, spares[id])
		}
	}
	for _, p := range plain.Placements {
		if p.Prefer > 0 {
			t.Errorf("%s prefers %s though policy says by-type", p.Workload, p.Pool)
		}
	}
}

// TestOnlyTheHarmlessGiveWay: what has state, or one copy alone, has no class, and
// classes stay above what autoscalers hold to be expendable.
func TestOnlyTheHarmlessGiveWay(t *testing.T) {
	text := strings.TrimSuffix(crowded(), "]") + "," + service("/one", 1, "10m", "32Mi", "") + "," + service("/lonely", 2, "10m", "32Mi", `, "singleton": true`) + "]"
	r, diags := fitted(t, text, "target: {pools: by-type}")
	none(t, diags)
	plain, _ := fitted(t, text, "target: {pools: by-type, priorities: none}")
	if len(plain.Priorities) > 0 || plain.Survival.Preempted > 0 {
		t.Errorf("%d classes though policy says none", len(plain.Priorities))
	}
	if r.Survival.Cost > plain.Survival.Cost {
		t.Errorf("with priorities it costs %s, without %s", r.Survival.Cost.Exact(), plain.Survival.Cost.Exact())
	}
	for _, p := range r.Priorities {
		if p.Value >= 0 || p.Value < -9 {
			t.Errorf("class %s has value %d", p.Name, p.Value)
		}
		for _, id := range p.Workloads {
			if id == "/one" || id == "/lonely" {
				t.Errorf("%s gives way", id)
			}
		}
	}
}
