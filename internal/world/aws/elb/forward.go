package elb

import (
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/tranship/tranship/internal/rollout/runner"
)

// A group takes weights from 0 to this.
const maxWeight = 999

// A forwarding is the actions of a listener or rule, one of which forwards.
type forwarding struct {
	arn     string
	rule    bool
	actions []types.Action
	groups  []types.TargetGroupTuple
	at      int // of the action that forwards
}

// forwardingOf reads actions as AWS gives them: a single group stands beside the
// configuration, which may be missing.
func forwardingOf(arn string, rule bool, actions []types.Action) (*forwarding, error) {
	f := &forwarding{arn: arn, rule: rule, actions: slices.Clone(actions)}
	f.at = slices.IndexFunc(actions, func(a types.Action) bool { return a.Type == types.ActionTypeEnumForward })
	if f.at < 0 {
		return nil, fmt.Errorf("it does not forward to target groups: %w", runner.ErrRefused)
	}
	switch a := actions[f.at]; {
	case a.ForwardConfig != nil && len(a.ForwardConfig.TargetGroups) > 0:
		f.groups = slices.Clone(a.ForwardConfig.TargetGroups)
	case a.TargetGroupArn != nil:
		f.groups = []types.TargetGroupTuple{{TargetGroupArn: a.TargetGroupArn, Weight: aws.Int32(1)}}
	}
	return f, nil
}

// wanted gives the actions as they shall be sent back.
func (f *forwarding) wanted() []types.Action {
	out := slices.Clone(f.actions)
	forward := out[f.at]
	next := types.ForwardActionConfig{TargetGroups: f.groups}
	if forward.ForwardConfig != nil {
		next.TargetGroupStickinessConfig = forward.ForwardConfig.TargetGroupStickinessConfig
	}
	// AWS gives a single group twice and takes it only once.
	forward.ForwardConfig, forward.TargetGroupArn = &next, nil
	out[f.at] = forward
	for i, a := range out {
		if a.AuthenticateOidcConfig != nil {
			// The secret is not given out, and has to be said to stay.
			keep := *a.AuthenticateOidcConfig
			keep.ClientSecret, keep.UseExistingClientSecret = nil, aws.Bool(true)
			out[i].AuthenticateOidcConfig = &keep
		}
	}
	return out
}

func (f *forwarding) find(group string) *types.TargetGroupTuple {
	for i := range f.groups {
		if aws.ToString(f.groups[i].TargetGroupArn) == group {
			return &f.groups[i]
		}
	}
	return nil
}

// weight gives a group's weight, -1 where it is not in the action.
func (f *forwarding) weight(group string) int {
	g := f.find(group)
	if g == nil {
		return -1
	}
	if g.Weight == nil {
		return 1
	}
	return int(*g.Weight)
}

func (f *forwarding) add(group string, weight int32) {
	f.groups = append(f.groups, types.TargetGroupTuple{TargetGroupArn: aws.String(group), Weight: aws.Int32(weight)})
}

func (f *forwarding) drop(group string) {
	f.groups = slices.DeleteFunc(f.groups, func(g types.TargetGroupTuple) bool { return aws.ToString(g.TargetGroupArn) == group })
}

// percent gives the target's share of what both groups get.
func (f *forwarding) percent(source, target string) int {
	s, t := max(f.weight(source), 0), max(f.weight(target), 0)
	switch {
	case t == 0:
		return 0
	case s == 0:
		return 100
	}
	return min(max((200*t+s+t)/(2*(s+t)), 1), 99)
}

// shift divides what both groups have by percent. Other groups keep their share
// of all: their weights are multiplied only as far as the division needs it.
func (f *forwarding) shift(source, target string, percent int) error {
	for _, g := range []string{source, target} {
		if f.find(g) == nil {
			return fmt.Errorf("target group %s is not in the action: %w", g, runner.ErrRefused)
		}
	}
	both := f.weight(source) + f.weight(target)
	others, most := 0, both
	for _, g := range f.groups {
		if arn := aws.ToString(g.TargetGroupArn); arn != source && arn != target {
			others += f.weight(arn)
			most = max(most, f.weight(arn))
		}
	}
	switch {
	case others == 0:
		f.set(source, 100-percent)
		f.set(target, percent)
		return nil
	case both == 0:
		return fmt.Errorf("neither group has a share of the action: %w", runner.ErrRefused)
	}
	k := factor(both, max(maxWeight/most, 1), percent)
	for _, g := range f.groups {
		f.set(aws.ToString(g.TargetGroupArn), f.weight(aws.ToString(g.TargetGroupArn))*k)
	}
	w := part(both*k, percent)
	f.set(source, both*k-w)
	f.set(target, w)
	return nil
}

// factor gives the smallest of the first most multiples of a sum that divides
// nearest to percent.
func factor(sum, most, percent int) int {
	best, least := 1, 1.0
	for k := 1; k <= most; k++ {
		off := float64(part(sum*k, percent))/float64(sum*k) - float64(percent)/100
		if off = max(off, -off); off < least-1e-12 {
			best, least = k, off
		}
	}
	return best
}

// part is percent of a sum as a whole number; 0 and all of it only for 0 and 100.
func part(sum, percent int) int {
	w := (2*sum*percent + 100) / 200
	if percent > 0 && percent < 100 && sum > 1 {
		w = min(max(w, 1), sum-1)
	}
	return w
}

func (f *forwarding) set(group string, weight int) {
	f.find(group).Weight = aws.Int32(int32(min(weight, maxWeight)))
}
