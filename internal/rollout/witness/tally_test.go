package witness

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

var noon = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

// TestEveryMarkIsCountedOnce: whatever happens to marks, sent is the sum of what
// came back for writes, and acknowledged that of what was found of them; a mark
// that a store lost is missing, and only such a one.
func TestEveryMarkIsCountedOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const settle = 3 * time.Second
		w := New("w-", rapid.IntRange(1, 3).Draw(t, "devices"), settle)
		store := map[Mark]int{}
		now, lost, doubled := noon, int64(0), int64(0)
		for range rapid.IntRange(1, 60).Draw(t, "marks") {
			now = now.Add(100 * time.Millisecond)
			m := w.Next(now)
			switch rapid.SampledFrom([]string{"kept", "kept", "kept", "late", "lost", "doubled", "refused", "unsure"}).Draw(t, "fate") {
			case "kept", "late":
				store[m] = 1
				w.Answered(m, Acknowledged, now)
			case "lost":
				lost++
				w.Answered(m, Acknowledged, now)
			case "doubled":
				doubled++
				store[m] = 2
				w.Answered(m, Acknowledged, now)
			case "refused":
				w.Answered(m, Refused, now)
			case "unsure":
				store[m] = rapid.IntRange(0, 1).Draw(t, "stored")
				w.Answered(m, Unsure, now)
			}
		}
		for range 200 {
			now = now.Add(100 * time.Millisecond)
			for {
				m, ok := w.Due(now)
				if !ok {
					break
				}
				answered := rapid.IntRange(0, 4).Draw(t, "answered") > 0
				w.Read(m, store[m], answered, now)
			}
		}
		sum, open := w.Sum()
		if sum.Sent != sum.Acknowledged+sum.Refused+sum.Unsure {
			t.Fatalf("%+v: sent is not what came back", sum)
		}
		if sum.Acknowledged != sum.Stored+sum.Missing+sum.Duplicated+int64(open) {
			t.Fatalf("%+v, %d open: acknowledged is not what was found", sum, open)
		}
		if sum.Missing > lost || sum.Duplicated > doubled || open == 0 && (sum.Missing != lost || sum.Duplicated != doubled) {
			t.Fatalf("%+v, %d open: want %d missing, %d doubled", sum, open, lost, doubled)
		}
		p := w.Proof("/cart", "head", now)
		var devices Count
		for _, d := range p.Devices {
			devices.add(d.Sum)
		}
		if devices != p.Sum {
			t.Fatalf("devices sum to %+v, the whole is %+v", devices, p.Sum)
		}
	})
}

// TestABlindWitnessFindsNothingMissing: what cannot be read is not missing.
func TestABlindWitnessFindsNothingMissing(t *testing.T) {
	w := New("w-", 1, time.Second)
	m := w.Next(noon)
	w.Answered(m, Acknowledged, noon)
	for i := range 100 {
		now := noon.Add(time.Duration(i) * time.Second)
		if due, ok := w.Due(now); ok {
			w.Read(due, 0, false, now)
		}
	}
	if sum, open := w.Sum(); sum.Missing != 0 || open != 1 {
		t.Errorf("%+v, %d open: want none missing, one open", sum, open)
	}
	if got := w.Blind(noon.Add(time.Minute)); got != time.Minute {
		t.Errorf("Blind = %s, want a minute", got)
	}
}
