package witness

import (
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestRangesAreASetOfNumbers, as few ranges as there can be.
func TestRangesAreASetOfNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var r ranges
		set := map[int64]bool{}
		for range rapid.IntRange(0, 80).Draw(t, "steps") {
			n := rapid.Int64Range(1, 30).Draw(t, "n")
			if set[n] = rapid.Bool().Draw(t, "add"); set[n] {
				r.add(n)
			} else {
				r.remove(n)
			}
		}
		var size int64
		for i, x := range r {
			if x.From > x.To || i > 0 && r[i-1].To >= x.From-1 {
				t.Fatalf("%v is not in order, or not as few as can be", r)
			}
			for n := x.From; n <= x.To; n++ {
				if !set[n] {
					t.Fatalf("%v has %d, which was not added", r, n)
				}
				size++
			}
		}
		want := int64(0)
		for _, in := range set {
			if in {
				want++
			}
		}
		if size != want || r.len() != want {
			t.Fatalf("%v has %d numbers, len says %d, want %d", r, size, r.len(), want)
		}
	})
}

// TestASampleStaysSmallAndSpreadsOverAllTime.
func TestASampleStaysSmallAndSpreadsOverAllTime(t *testing.T) {
	var s sample
	const all = 200_000
	for i := range int64(all) {
		s.add(Mark{Device: "w", Sequence: i + 1})
	}
	if n := len(s.marks); n > sampleSize || n < sampleSize/4 {
		t.Fatalf("%d marks are kept, want %d at most and not few", n, sampleSize)
	}
	gap := int64(0)
	for i, m := range s.marks {
		before := int64(0)
		if i > 0 {
			before = s.marks[i-1].Sequence
		}
		gap = max(gap, m.Sequence-before)
	}
	if even := int64(all/len(s.marks) + 1); gap > 3*even || s.marks[len(s.marks)-1].Sequence < all-3*even {
		t.Errorf("the largest gap is %d of marks that are %d apart; the last is %d", gap, even, s.marks[len(s.marks)-1].Sequence)
	}
	seen := map[int64]bool{}
	for range s.marks {
		m, _ := s.next()
		seen[m.Sequence] = true
	}
	if len(seen) != len(s.marks) {
		t.Errorf("a round looks at %d of %d marks", len(seen), len(s.marks))
	}
}

// store is a service that keeps marks, in the hands of a test.
type store map[key]int

// run sends a mark each second and reads all that is due, until then.
func run(w *Tally, s store, from, until time.Time) {
	for now := from; now.Before(until); now = now.Add(time.Second) {
		m := w.Next(now)
		s[keyOf(m)]++
		w.Answered(m, Acknowledged, now)
		for {
			m, ok := w.Due(now)
			if !ok {
				break
			}
			w.Read(m, s[keyOf(m)], true, now)
		}
	}
}

// TestARecordThatIsLostAfterItWasSeenIsFound, as when a database is cut over to
// one that lacks it.
func TestARecordThatIsLostAfterItWasSeenIsFound(t *testing.T) {
	w, s := New("w-", 2, 5*time.Second), store{}
	run(w, s, noon, noon.Add(time.Minute))
	if sum, _ := w.Sum(); sum.Missing != 0 || sum.Stored < 50 {
		t.Fatalf("%+v before anything was lost", sum)
	}
	delete(s, key{"w-1", 3})
	s[key{"w-2", 4}] = 2
	run(w, s, noon.Add(time.Minute), noon.Add(10*time.Minute))
	sum, open := w.Sum()
	if sum.Missing != 1 || sum.Duplicated != 1 || sum.Acknowledged != sum.Stored+2+int64(open) {
		t.Errorf("%+v, %d open: want one missing and one duplicated", sum, open)
	}
	p := w.Proof("/cart", "head", noon.Add(10*time.Minute))
	if len(p.Findings) != 2 || !p.Findings[0].Seen {
		t.Errorf("findings %+v, want both, as seen before", p.Findings)
	}
	if got := w.First(); !strings.HasPrefix(got, "mark 3 of w-1, ") && !strings.HasPrefix(got, "mark 4 of w-2, ") {
		t.Errorf("the first is %q", got)
	}
	if got := p.Devices[0].Stored; len(got) != 2 || got[0] != (Range{1, 2}) || got[1].From != 4 {
		t.Errorf("stored are %v, want all but 3", got)
	}
}

// TestARecordIsNotMissingBeforeItsTime: the read has to begin settle after the
// acknowledgement.
func TestARecordIsNotMissingBeforeItsTime(t *testing.T) {
	w := New("w-", 1, 5*time.Second)
	m := w.Next(noon)
	w.Answered(m, Acknowledged, noon.Add(time.Second))
	if _, due := w.Due(noon.Add(5 * time.Second)); due {
		t.Fatal("it is read before its time")
	}
	if _, due := w.Due(noon.Add(6 * time.Second)); !due {
		t.Fatal("it is not read when its time has come")
	}
	w.Read(m, 0, true, noon.Add(9*time.Second))
	if sum, _ := w.Sum(); sum.Missing != 1 {
		t.Errorf("%+v, want one missing", sum)
	}
}

// TestASealedStatementShowsEveryChange.
func TestASealedStatementShowsEveryChange(t *testing.T) {
	w := New("w-", 2, time.Second)
	run(w, store{}, noon, noon.Add(time.Minute))
	state := func() Statement {
		s, err := State("telemetry", "seal", "head", []Proof{w.Proof("/cart", "", noon.Add(time.Minute))}, noon.Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := state()
	if s.Verdict != Unknown || s.Unread == 0 { // the last marks were not read yet
		t.Errorf("verdict %s with %d unread, want unknown", s.Verdict, s.Unread)
	}
	if err := s.SignOff("Kim", "as agreed", noon.Add(2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := s.Write(&b); err != nil {
		t.Fatal(err)
	}
	back, err := Read([]byte(b.String()))
	if err != nil || back.SHA256 != s.SHA256 || back.SignedOff.By != "Kim" {
		t.Fatalf("read back: %v, %+v", err, back.SignedOff)
	}
	for name, change := range map[string]func(*Statement){
		"a count":         func(s *Statement) { s.Proofs[0].Sum.Missing++ },
		"a range":         func(s *Statement) { s.Proofs[0].Devices[0].Stored[0].To++ },
		"the plan":        func(s *Statement) { s.Plan = "other" },
		"the head":        func(s *Statement) { s.Journal = "other" },
		"the verdict":     func(s *Statement) { s.Verdict = Pass },
		"what was signed": func(s *Statement) { s.SignedOff = &SignOff{By: "Kim", SHA256: "other"} },
	} {
		s := state()
		change(&s)
		if err := s.Verify(); !errors.Is(err, ErrChanged) {
			t.Errorf("%s was changed: Verify = %v, want ErrChanged", name, err)
		}
		if name != "what was signed" && s.SignOff("Kim", "", noon) == nil {
			t.Errorf("%s was changed, and it was signed off", name)
		}
	}
	if err := s.SignOff(" ", "", noon); err == nil {
		t.Error("nobody could sign off")
	}
	for _, bad := range []string{"", "{}", `{"version": 2}`, strings.Replace(b.String(), `"move"`, `"moved"`, 1)} {
		if _, err := Read([]byte(bad)); err == nil {
			t.Errorf("%.20q was read", bad)
		}
	}
}
