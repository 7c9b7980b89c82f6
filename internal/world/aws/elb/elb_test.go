package elb

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tranship/tranship/internal/rollout"
	"github.com/tranship/tranship/internal/rollout/runner"
	"github.com/tranship/tranship/internal/rollout/runner/runnertest"
	"github.com/tranship/tranship/internal/world/aws/elb/elbtest"
)

const (
	arn      = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:"
	rule     = arn + "listener-rule/app/shop/1/2/3"
	listener = arn + "listener/app/shop/1/2"
	source   = arn + "targetgroup/old/1"
	target   = arn + "targetgroup/new/2"
	other    = arn + "targetgroup/other/3"
)

// open starts a double with a source group that has all traffic, and an adapter to it.
func open(t *testing.T, o elbtest.Options) (*elbtest.Balancer, *Traffic) {
	t.Helper()
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_CONFIG_FILE", t.TempDir()+"/none")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", t.TempDir()+"/none")
	b := elbtest.New(o)
	t.Cleanup(b.Close)
	b.Group(source, "ip", "10.0.0.1:80", "10.0.0.2:80")
	b.Group(target, "ip")
	b.Group(other, "ip", "10.0.0.9:80")
	b.Forward(rule, "shop-client", map[string]int{source: 1})
	b.Forward(listener, "", map[string]int{source: 1})
	clock := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	tr, err := New(t.Context(), func() time.Time { return clock }, Options{
		Region: "eu-central-1", Endpoint: b.URL, MaxWait: time.Millisecond, Settle: 5 * time.Second, Quiet: time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	return b, tr
}

func route(backend string) rollout.Route {
	return rollout.Route{Backend: backend, SourceGroup: source, TargetGroup: target}
}

func TestTrafficKeepsItsPromises(t *testing.T) {
	for name, backend := range map[string]string{"rule": rule, "listener": listener} {
		t.Run(name, func(t *testing.T) {
			runnertest.Traffic(t, func(t *testing.T) runnertest.Door {
				b, tr := open(t, elbtest.Options{})
				return runnertest.Door{
					Traffic: tr, Route: route(backend), Targets: []string{"10.1.0.1:8080", "10.1.0.2:8080"}, Near: 1, Blind: true,
					Send: func(n int) (int, int, int) {
						answered, failed := b.Send(backend, n)
						return answered[source], answered[target], failed
					},
					Answer: func(side string, yes bool) {
						b.SetDown(map[string]string{"source": source, "target": target}[side], !yes)
					},
				}
			})
		})
	}
}

func TestOtherGroupsActionsAndStickinessStayAsTheyAre(t *testing.T) {
	b, tr := open(t, elbtest.Options{})
	b.Forward(rule, "shop-client", map[string]int{source: 3, other: 1})
	r := route(rule)
	must(t, tr.Connect(t.Context(), r, []string{"10.1.0.1:8080"}))
	for _, percent := range []int{1, 25, 100, 50, 0} {
		must(t, tr.Shift(t.Context(), r, percent))
		w, sticky := b.Weights(rule)
		sum := w[source] + w[target]
		if got := 100 * w[target] / sum; got != percent || w[other]*3 != sum || sticky != "3600" || b.Client(rule) != "shop-client" {
			t.Errorf("at %d percent: weights %v, sticky for %q, client %q", percent, w, sticky, b.Client(rule))
		}
	}
	must(t, tr.Connect(t.Context(), r, nil))
	if w, _ := b.Weights(rule); w[other]*3 != w[source] || len(w) != 2 || b.Targets(target) != 0 {
		t.Errorf("after the target was taken away: weights %v, %d targets", w, b.Targets(target))
	}
}

func TestThrottlingIsWaitedOutAndBounded(t *testing.T) {
	b, tr := open(t, elbtest.Options{})
	r := route(rule)
	b.FailNext("", 3, elbtest.Throttled)
	must(t, tr.Connect(t.Context(), r, []string{"10.1.0.1:8080"}))
	before := b.Calls("DescribeRules")
	b.FailNext("DescribeRules", 100, elbtest.Throttled)
	err := tr.Shift(t.Context(), r, 1)
	if err == nil || errors.Is(err, runner.ErrRefused) {
		t.Errorf("shift while all is throttled: %v, want an error that may pass", err)
	}
	if n := b.Calls("DescribeRules") - before; n > 5 {
		t.Errorf("%d attempts while all is throttled, want 5 at most", n)
	}
}

func TestWhatWillNotPassIsRefused(t *testing.T) {
	for _, c := range []struct {
		name  string
		set   func(b *elbtest.Balancer)
		want  error
		words string
	}{
		{"denied", func(b *elbtest.Balancer) { b.FailNext("ModifyRule", 1, elbtest.Denied) }, runner.ErrRefused, "elasticloadbalancing:ModifyRule"},
		{"expired", func(b *elbtest.Balancer) { b.FailNext("DescribeRules", 1, elbtest.Expired) }, runner.ErrRefused, "ExpiredToken"},
		{"default rule", func(b *elbtest.Balancer) { b.Fix(rule) }, runner.ErrRefused, "cannot be modified"},
		{"instances", func(b *elbtest.Balancer) { b.Group(target, "instance") }, runner.ErrRefused, "type instance"},
		{"broken", func(b *elbtest.Balancer) { b.FailNext("ModifyRule", 9, elbtest.Broken) }, nil, "InternalFailure"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, tr := open(t, elbtest.Options{})
			c.set(b)
			err := tr.Connect(t.Context(), route(rule), []string{"10.1.0.1:8080"})
			if err == nil || errors.Is(err, runner.ErrRefused) != (c.want != nil) || !strings.Contains(err.Error(), c.words) {
				t.Errorf("connect: %v, want %v with %q", err, c.want, c.words)
			}
			if w, _ := b.Weights(rule); w[target] != 0 {
				t.Errorf("weights %v after it failed", w)
			}
		})
	}
}

func TestChangesAndChecksThatTakeTheirTimeAreWaitedFor(t *testing.T) {
	b, tr := open(t, elbtest.Options{Checks: 2, Late: 1, Draining: 3})
	r := route(rule)
	must(t, tr.Connect(t.Context(), r, []string{"10.1.0.1:8080"}))
	must(t, tr.Shift(t.Context(), r, 25)) // the first check is still under way
	f, err := tr.Observe(t.Context(), r)
	if err != nil || f.Target.Weight != 25 || f.Target.Up != 1 {
		t.Errorf("observed %+v, %v, want 25 percent and one target up", f.Target, err)
	}
	must(t, tr.Connect(t.Context(), r, nil))
	if n := b.Targets(target); n != 0 {
		t.Errorf("%d targets left", n)
	}
	must(t, tr.Connect(t.Context(), r, []string{"10.1.0.1:8080"})) // while it is draining
	if n := b.Targets(target); n != 1 {
		t.Errorf("%d targets after it was registered again, want 1", n)
	}
}

// TestSharesAreDividedAsNearAsWeightsCanBe holds shift against all divisions.
func TestSharesAreDividedAsNearAsWeightsCanBe(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := rapid.SliceOfN(rapid.IntRange(0, 999), 3, 3).Draw(t, "weights")
		percent := rapid.IntRange(0, 100).Draw(t, "percent")
		f := &forwarding{}
		for i, g := range []string{source, target, other} {
			f.add(g, int32(w[i]))
		}
		if err := f.shift(source, target, percent); err != nil {
			if w[0]+w[1] > 0 || w[2] == 0 {
				t.Fatalf("shift: %v", err)
			}
			return
		}
		s, tg, o := f.weight(source), f.weight(target), f.weight(other)
		for _, n := range []int{s, tg, o} {
			if n < 0 || n > maxWeight && w[0]+w[1] <= maxWeight {
				t.Fatalf("weights %d %d %d", s, tg, o)
			}
		}
		if (percent == 0) != (tg == 0) && w[0]+w[1] > 1 || (percent == 100) != (s == 0) && w[0]+w[1] > 1 {
			t.Fatalf("%d percent: %d and %d", percent, s, tg)
		}
		if w[2] == 0 && f.percent(source, target) != percent {
			t.Fatalf("%d percent: %d and %d", percent, s, tg)
		}
	})
}

func TestASingleGroupIsReadInAllItsForms(t *testing.T) {
	one := types.Action{Type: types.ActionTypeEnumForward, TargetGroupArn: aws.String(source)}
	f, err := forwardingOf(rule, true, []types.Action{one})
	if err != nil || f.weight(source) != 1 || f.weight(target) != -1 {
		t.Fatalf("weights %d and %d, %v", f.weight(source), f.weight(target), err)
	}
	got := f.wanted()[0]
	if got.TargetGroupArn != nil || len(got.ForwardConfig.TargetGroups) != 1 {
		t.Errorf("sent back as %+v", got)
	}
	if _, err := forwardingOf(rule, true, []types.Action{{Type: types.ActionTypeEnumRedirect}}); !errors.Is(err, runner.ErrRefused) {
		t.Errorf("a redirect: %v, want refused", err)
	}
	if diff := cmp.Diff([]int{0, 1, 50, 99, 100}, []int{part(100, 0), part(100, 1), part(2, 70) * 50, part(100, 99), part(100, 100)}); diff != "" {
		t.Errorf("parts (-want +got):\n%s", diff)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
