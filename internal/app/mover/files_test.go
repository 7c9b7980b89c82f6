package mover

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tranship/tranship/internal/rollout/runner"
)

// TestAnOrderToStopEndsWithTheMoverItMeant: who leaves one while a mover dies
// does not stop the next; what was ordered of a unit holds.
func TestAnOrderToStopEndsWithTheMoverItMeant(t *testing.T) {
	f := FilesOf(filepath.Join(t.TempDir(), "plan.json"), "")
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	back := runner.Order{Kind: runner.OrderRollBack, Unit: "/shop/cart", By: "op"}
	for _, left := range []struct {
		order runner.Order
		at    time.Time
	}{
		{runner.Order{Kind: runner.OrderStop, By: "early"}, noon.Add(-2 * time.Second)},
		{back, noon.Add(-time.Second)},
		{runner.Order{Kind: runner.OrderStop, By: "late"}, noon.Add(time.Second)},
	} {
		if err := Order(f, left.order, left.at); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(f.Orders, "1-stop.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := Orders(f, noon)
	if err == nil {
		t.Error("an order that cannot be read is not told")
	}
	if len(got) != 2 || got[0] != back || got[1].By != "late" {
		t.Errorf("orders = %+v, want the one of the unit and the late one", got)
	}
	if got, err := Orders(f, noon); len(got) > 0 || err != nil {
		t.Errorf("orders are taken twice: %+v, %v", got, err)
	}
}
