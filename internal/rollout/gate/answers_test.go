package gate

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/rollout"
)

// TestCopiesAreHeldAgainstTheShareThatTheyHave asks of one workload with 4 copies on each side.
func TestCopiesAreHeldAgainstTheShareThatTheyHave(t *testing.T) {
	w := &rollout.Workload{Name: "/shop/cart", Replicas: 4, SourceReplicas: 4}
	ready := func(n int) rollout.Copies { return rollout.Copies{Wanted: 4, Running: n, Ready: n} }
	up := rollout.Side{Servers: 3, Up: 3}
	capacity := func(source, target, share int) Result {
		f := rollout.Flow{Source: up, Target: up}
		f.Source.Weight, f.Target.Weight = 100-share, share
		return Capacity(w, ready(source), ready(target), f)
	}
	for _, c := range []struct {
		name string
		got  Result
		want Verdict
	}{
		{"standing, one is ready", Ready(w, ready(1), 0), Pass},
		{"standing, none is ready", Ready(w, ready(0), 0), Fail},
		{"1 % by one", Ready(w, ready(1), 1), Pass},
		{"50 % by two", Ready(w, ready(2), 50), Pass},
		{"51 % by two", Ready(w, ready(2), 51), Fail},
		{"all by four", Ready(w, ready(4), 100), Pass},
		{"doomed", Ready(w, rollout.Copies{Ready: 4, Doomed: true, Failing: "ErrImagePull"}, 1), Fail},
		{"target carries", capacity(4, 2, 50), Pass},
		{"target does not", capacity(4, 1, 50), Fail},
		{"source does not", capacity(1, 2, 50), Unknown},
		{"neither does", capacity(1, 1, 50), Fail},
		{"the source is not needed", capacity(0, 4, 100), Pass},
		{"no server up", Carries("target", 4, ready(4), rollout.Side{Servers: 3}, 1), Fail},
		{"no restart", Restarts(w, rollout.Copies{Restarts: 3}, rollout.Copies{Restarts: 3}, limits), Pass},
		{"a restart", Restarts(w, rollout.Copies{Restarts: 3}, rollout.Copies{Restarts: 4}, limits), Fail},
		{"allowed", Restarts(w, rollout.Copies{}, rollout.Copies{Restarts: 1}, Limits{Restarts: 1}), Pass},
		{"out of memory", Restarts(w, rollout.Copies{}, rollout.Copies{Restarts: 1, OOMKills: 1}, Limits{Restarts: 9}), Fail},
		{"replaced by fresh ones", Restarts(w, rollout.Copies{Restarts: 3}, rollout.Copies{}, limits), Pass},
		{"replaced in part", Restarts(w, rollout.Copies{Restarts: 3}, rollout.Copies{Restarts: 1}, limits), Unknown},
	} {
		if c.got.Verdict != c.want || c.got.Why == "" {
			t.Errorf("%s: %+v, want %s", c.name, c.got, c.want)
		}
	}
}

func TestNeedsIsEnoughAndNoMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		copies, share := rapid.IntRange(0, 1000).Draw(t, "copies"), rapid.IntRange(1, 100).Draw(t, "share")
		n := Needs(copies, share)
		if copies > 0 && n < 1 || n*100 < copies*share || n > 1 && (n-1)*100 >= copies*share {
			t.Fatalf("Needs(%d, %d) = %d", copies, share, n)
		}
	})
}

func TestAnswersAreJudgedOneByOne(t *testing.T) {
	id := policy.MoveIdentity{Header: "X-World", Source: "mesos", Target: "kubernetes", VersionHeader: "X-Version"}
	from := func(world, version string) Asked {
		return Asked{Name: "10.0.0.1:80", Answer: rollout.Answer{World: world, Version: version, OK: true}}
	}
	source := rollout.Answer{World: "mesos", Version: "7", OK: true}
	silent := Asked{Name: "10.0.0.2:80", Err: errors.New("connection refused")}
	lag := func(copied bool, n unit.Bytes) rollout.Lag { return rollout.Lag{Copied: copied, Bytes: n} }
	for _, c := range []struct {
		name string
		got  Result
		want Verdict
		why  string
	}{
		{"the target", Identity(id, []Asked{from("kubernetes", "7")}, source), Pass, "kubernetes"},
		{"the wrong world", Identity(id, []Asked{from("kubernetes", "7"), from("mesos", "7")}, source), Fail, `"mesos"`},
		{"another version", Identity(id, []Asked{from("kubernetes", "8")}, source), Fail, `"8"`},
		{"no version to compare", Identity(id, []Asked{from("kubernetes", "8")}, rollout.Answer{}), Unknown, "X-Version"},
		{"wrong beats silent", Identity(id, []Asked{silent, from("mesos", "7"), silent}, source), Fail, `"mesos"`},
		{"silent", Check("health", []Asked{from("", ""), silent}), Unknown, "connection refused"},
		{"not so", Check("health", []Asked{{Name: "a", Answer: rollout.Answer{Why: "status 500"}}}), Fail, "a: status 500"},
		{"so", Check("health", []Asked{from("", "")}), Pass, "1 addresses"},
		{"a record is missing", Witness(Marks{Sent: 9, Acknowledged: 8, Stored: 7, Missing: 1}), Fail, "1 missing"},
		{"all are there", Witness(Marks{Sent: 9, Acknowledged: 8, Stored: 8}), Pass, "8 stored"},
		{"close behind", Lag(lag(true, 0), lag(true, unit.MiB), limits), Pass, "1Mi"},
		{"falling back", Lag(lag(true, 3*unit.MiB), lag(true, 4*unit.MiB), limits), Fail, "falling back"},
		{"catching up", Lag(lag(true, 4*unit.MiB), lag(true, 3*unit.MiB), limits), Unknown, "catching up"},
		{"copying", Lag(lag(false, 0), lag(false, 0), limits), Unknown, "not done"},
		{"holds", PromQL(policy.PromGate{Name: "x", Query: "q"}, 1, true, nil), Pass, "q is 1"},
		{"does not hold", PromQL(policy.PromGate{Name: "x", Query: "q"}, 0, true, nil), Fail, "q is 0"},
		{"no answer", PromQL(policy.PromGate{Name: "x", Query: "q"}, 1, true, errors.New("timeout")), Unknown, "timeout"},
	} {
		if c.got.Verdict != c.want || !strings.Contains(c.got.Why, c.why) {
			t.Errorf("%s: %+v, want %s because of %q", c.name, c.got, c.want, c.why)
		}
	}
}
