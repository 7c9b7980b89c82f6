package elb

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/tranship/tranship/internal/rollout/runner"
)

// pollEvery is how often a state that is waited for is asked for.
const pollEvery = 500 * time.Millisecond

// forwarding asks for the actions of a listener or rule.
func (t *Traffic) forwarding(ctx context.Context, arn string) (*forwarding, error) {
	if !strings.Contains(arn, ":listener-rule/") {
		out, err := t.client.DescribeListeners(ctx, &elbv2.DescribeListenersInput{ListenerArns: []string{arn}})
		if err != nil {
			return nil, plainly("DescribeListeners", err)
		}
		if len(out.Listeners) != 1 {
			return nil, fmt.Errorf("AWS gives %d listeners: %w", len(out.Listeners), runner.ErrAbsent)
		}
		return forwardingOf(arn, false, out.Listeners[0].DefaultActions)
	}
	out, err := t.client.DescribeRules(ctx, &elbv2.DescribeRulesInput{RuleArns: []string{arn}})
	if err != nil {
		return nil, plainly("DescribeRules", err)
	}
	if len(out.Rules) != 1 {
		return nil, fmt.Errorf("AWS gives %d rules: %w", len(out.Rules), runner.ErrAbsent)
	}
	return forwardingOf(arn, true, out.Rules[0].Actions)
}

// changing is how long a change that was sent may take.
const changing = 15 * time.Second

var errNoAnswer = errors.New("AWS does not answer")

// change gives the context for a call that changes something. Such a call is
// either not begun or waited for: one that was abandoned on its way could take
// effect after the next, which undoes it.
func change(ctx context.Context) (context.Context, context.CancelFunc, error) {
	if ctx.Err() != nil {
		return nil, nil, context.Cause(ctx)
	}
	sent, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), changing, errNoAnswer)
	return sent, cancel, nil
}

// put sends the actions back and waits until AWS gives them as they were sent.
func (t *Traffic) put(ctx context.Context, f *forwarding) error {
	sent, cancel, err := change(ctx)
	if err != nil {
		return err
	}
	defer cancel()
	if f.rule {
		_, err = t.client.ModifyRule(sent, &elbv2.ModifyRuleInput{RuleArn: &f.arn, Actions: f.wanted()})
		err = plainly("ModifyRule", err)
	} else {
		_, err = t.client.ModifyListener(sent, &elbv2.ModifyListenerInput{ListenerArn: &f.arn, DefaultActions: f.wanted()})
		err = plainly("ModifyListener", err)
	}
	if err != nil {
		return err
	}
	for left := t.o.Settle; ; left -= pollEvery {
		now, err := t.forwarding(ctx, f.arn)
		if err != nil {
			return err
		}
		if slices.EqualFunc(f.groups, now.groups, func(a, b types.TargetGroupTuple) bool {
			return aws.ToString(a.TargetGroupArn) == aws.ToString(b.TargetGroupArn) && now.weight(*b.TargetGroupArn) == f.weight(*a.TargetGroupArn)
		}) || len(f.groups) == 1 && len(now.groups) == 1 {
			return nil // of a single group AWS forgets the weight
		}
		if left <= 0 {
			return fmt.Errorf("AWS took new weights and after %s does not have them", t.o.Settle)
		}
		if err := pause(ctx, pollEvery); err != nil {
			return err
		}
	}
}

// health asks for the targets of a group, those that are leaving too.
func (t *Traffic) health(ctx context.Context, group string) ([]types.TargetHealthDescription, error) {
	out, err := t.client.DescribeTargetHealth(ctx, &elbv2.DescribeTargetHealthInput{TargetGroupArn: &group})
	if err != nil {
		return nil, plainly("DescribeTargetHealth", err)
	}
	return slices.DeleteFunc(out.TargetHealthDescriptions, func(h types.TargetHealthDescription) bool {
		return h.Target == nil || h.TargetHealth == nil
	}), nil
}

// takes reports that a group does not take addresses.
func (t *Traffic) takes(ctx context.Context, group string) error {
	out, err := t.client.DescribeTargetGroups(ctx, &elbv2.DescribeTargetGroupsInput{TargetGroupArns: []string{group}})
	if err != nil {
		return plainly("DescribeTargetGroups", err)
	}
	for _, g := range out.TargetGroups {
		if g.TargetType != types.TargetTypeEnumIp {
			return fmt.Errorf("target group %s has targets of type %s, and addresses need type ip: %w", group, g.TargetType, runner.ErrRefused)
		}
	}
	return nil
}

// AWS takes so many targets in one call.
const batch = 100

func (t *Traffic) register(ctx context.Context, group string, targets []types.TargetDescription) error {
	for some := range slices.Chunk(targets, batch) {
		sent, cancel, err := change(ctx)
		if err != nil {
			return err
		}
		_, err = t.client.RegisterTargets(sent, &elbv2.RegisterTargetsInput{TargetGroupArn: &group, Targets: some})
		cancel()
		if err != nil {
			return plainly("RegisterTargets", err)
		}
	}
	return nil
}

func (t *Traffic) deregister(ctx context.Context, group string, targets []types.TargetDescription) error {
	for some := range slices.Chunk(targets, batch) {
		sent, cancel, err := change(ctx)
		if err != nil {
			return err
		}
		_, err = t.client.DeregisterTargets(sent, &elbv2.DeregisterTargetsInput{TargetGroupArn: &group, Targets: some})
		cancel()
		if err != nil {
			return plainly("DeregisterTargets", err)
		}
	}
	return nil
}

// plainly says in short what AWS answered, and whether trying again is of use:
// what it holds against the caller will not pass, throttling will.
func plainly(call string, err error) error {
	if err == nil {
		return nil
	}
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return fmt.Errorf("call %s: %w", call, err)
	}
	code, status := api.ErrorCode(), 0
	if answer, ok := errors.AsType[*smithyhttp.ResponseError](err); ok {
		status = answer.HTTPStatusCode()
	}
	_, throttled := retry.DefaultThrottleErrorCodes[code]
	err = fmt.Errorf("AWS answers %s: %s (elasticloadbalancing:%s)", code, api.ErrorMessage(), call)
	switch {
	case throttled || status == http.StatusTooManyRequests || status >= http.StatusInternalServerError:
		return err
	case strings.HasSuffix(code, "NotFound"):
		return fmt.Errorf("%w: %w", err, runner.ErrAbsent)
	}
	return fmt.Errorf("%w: %w", err, runner.ErrRefused)
}

func absent(err error) bool { return errors.Is(err, runner.ErrAbsent) }

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}
