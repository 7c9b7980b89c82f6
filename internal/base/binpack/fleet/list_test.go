package fleet_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/tranship/tranship/internal/base/binpack/fleet"
)

// TestEveryFleetIsListed: what counting through all numbers of bins finds, in the
// order of cost, and nothing else.
func TestEveryFleetIsListed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := fleet.Query{Loss: rapid.Bool().Draw(t, "loss")}
		dims := rapid.IntRange(1, 3).Draw(t, "dimensions")
		for range dims {
			q.Demand = append(q.Demand, rapid.Int64Range(0, 40).Draw(t, "demand"))
		}
		for range rapid.IntRange(1, 4).Draw(t, "types") {
			var room []int64
			for range dims {
				room = append(room, rapid.Int64Range(0, 20).Draw(t, "room"))
			}
			q.Rooms, q.Prices = append(q.Rooms, room), append(q.Prices, rapid.Int64Range(1, 9).Draw(t, "price"))
		}
		odd := rapid.Bool().Draw(t, "odd")
		if odd {
			q.Rule = func(counts []int) bool { return counts[0]%2 == 1 }
		}
		limit := rapid.Int64Range(1, 24).Draw(t, "limit")
		got, whole := q.Below(limit)
		if !whole {
			t.Fatal("few fleets are too many")
		}
		last := int64(0)
		found := map[string]bool{}
		for _, counts := range got {
			if c := q.Cost(counts); c < last || c >= limit {
				t.Fatalf("%v costs %d after %d, below %d", counts, c, last, limit)
			} else {
				last = c
			}
			found[fmt.Sprint(counts)] = true
		}
		want := 0
		counts := make([]int, len(q.Prices))
		var count func(i int)
		count = func(i int) {
			if i < len(counts) {
				for counts[i] = 0; q.Cost(counts[:i+1]) < limit; counts[i]++ {
					count(i + 1)
				}
				counts[i] = 0
				return
			}
			if slices.Max(counts) == 0 || odd && counts[0]%2 == 0 {
				return
			}
			for d, least := range q.Demand {
				sum, largest := int64(0), int64(0)
				for t, n := range counts {
					if n > 0 {
						sum, largest = sum+int64(n)*q.Rooms[t][d], max(largest, q.Rooms[t][d])
					}
				}
				if q.Loss {
					sum -= largest
				}
				if sum < least {
					return
				}
			}
			if want++; !found[fmt.Sprint(counts)] {
				t.Fatalf("%v is not listed", counts)
			}
		}
		count(0)
		if want != len(got) {
			t.Fatalf("%d are listed, want %d", len(got), want)
		}
	})
}

// TestTooManyFleetsAreSaidToBe.
func TestTooManyFleetsAreSaidToBe(t *testing.T) {
	q := fleet.Query{Demand: []int64{100}}
	for i := range int64(40) {
		q.Rooms, q.Prices = append(q.Rooms, []int64{i + 1}), append(q.Prices, i+1)
	}
	if _, whole := q.Below(300); whole {
		t.Error("all ways to spend 300 are listed")
	}
}
