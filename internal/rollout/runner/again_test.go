package runner

import (
	"testing"

	"github.com/tranship/tranship/internal/rollout/gate"
)

// TestLatencyFailsAtTheSecondLook: what held both worlds up may have ended in
// the target a moment earlier. Nothing else waits.
func TestLatencyFailsAtTheSecondLook(t *testing.T) {
	slow := false
	for i, c := range []struct {
		latency, errors, want gate.Verdict
	}{
		{gate.Fail, gate.Pass, gate.Unknown},
		{gate.Pass, gate.Pass, gate.Pass}, // the source's ended too
		{gate.Fail, gate.Pass, gate.Unknown},
		{gate.Fail, gate.Pass, gate.Fail},
		{gate.Fail, gate.Pass, gate.Fail},
		{gate.Pass, gate.Fail, gate.Fail},
		{gate.Fail, gate.Fail, gate.Fail},
	} {
		results := []gate.Result{{Gate: gate.LatencyGate, Verdict: c.latency}, {Gate: gate.ErrorsGate, Verdict: c.errors}}
		slow = again(results, slow)
		if got := gate.Judge(results); got != c.want {
			t.Errorf("look %d: %s, want %s", i+1, got, c.want)
		}
	}
}
