// Package elb shifts traffic by the weights of target groups of an AWS load
// balancer. It takes routes whose backend is the ARN of a listener or of one of
// its rules, and sets the weights of two groups in its forward action. It never
// touches another action, the share of another group, or stickiness.
package elb

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/tranship/tranship/internal/rollout"
	"github.com/tranship/tranship/internal/rollout/runner"
)

// Options say how AWS is reached. The zero value takes credentials, region and
// profile from where every AWS tool takes them.
type Options struct {
	Region, Profile string
	// Endpoint replaces AWS' own, for tests.
	Endpoint string
	// Attempts at one call, 5 by default; MaxWait between two, 5 s by default.
	Attempts int
	MaxWait  time.Duration
	// Settle is how long targets that are being checked for the first time, and
	// changes that are on their way, are waited for: 30 s by default.
	Settle time.Duration
	// Quiet is how long a group has had no weight before its targets are taken
	// away, since load balancers go on sending to them for a while: 15 s by default.
	Quiet time.Duration
}

// Traffic is a load balancer.
type Traffic struct {
	client *elbv2.Client
	now    func() time.Time
	o      Options
}

// New reads the AWS configuration of the user. It asks nothing yet.
func New(ctx context.Context, now func() time.Time, o Options) (*Traffic, error) {
	if o.Attempts == 0 {
		o.Attempts = 5
	}
	if o.MaxWait == 0 {
		o.MaxWait = 5 * time.Second
	}
	if o.Settle == 0 {
		o.Settle = 30 * time.Second
	}
	if o.Quiet == 0 {
		o.Quiet = 15 * time.Second
	}
	options := []func(*config.LoadOptions) error{config.WithRetryer(func() aws.Retryer {
		// Not the adaptive mode: once throttled it slows down every later call, and
		// traffic that has to go home cannot wait for that.
		return retry.NewStandard(func(r *retry.StandardOptions) {
			r.MaxAttempts, r.MaxBackoff = o.Attempts, o.MaxWait
			r.Backoff = retry.NewExponentialJitterBackoff(o.MaxWait)
		})
	})}
	if o.Region != "" {
		options = append(options, config.WithRegion(o.Region))
	}
	if o.Profile != "" {
		options = append(options, config.WithSharedConfigProfile(o.Profile))
	}
	cfg, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return nil, fmt.Errorf("read AWS configuration: %w", err)
	}
	return &Traffic{now: now, o: o, client: elbv2.NewFromConfig(cfg, func(e *elbv2.Options) {
		if o.Endpoint != "" {
			e.BaseEndpoint = aws.String(o.Endpoint)
		}
	})}, nil
}

// Connect is as runner.Traffic says, but for this: AWS weighs groups and not
// targets, so an address that is new in a group which has traffic gets its part
// of it once it is healthy.
func (t *Traffic) Connect(ctx context.Context, r rollout.Route, addresses []string) error {
	if err := t.connect(ctx, r, addresses); err != nil {
		return fmt.Errorf("connect target group of %s: %w", r.Backend, err)
	}
	return nil
}

func (t *Traffic) connect(ctx context.Context, r rollout.Route, addresses []string) error {
	want, err := targets(addresses)
	if err != nil {
		return err
	}
	f, err := t.forwarding(ctx, r.Backend)
	if len(addresses) == 0 && absent(err) {
		return nil
	}
	if err != nil {
		return err
	}
	have, err := t.health(ctx, r.TargetGroup)
	if len(addresses) == 0 && absent(err) {
		have, err = nil, nil
	}
	if err != nil {
		return err
	}
	if len(addresses) == 0 {
		return t.disconnect(ctx, r, f, have)
	}
	if err := t.takes(ctx, r.TargetGroup); err != nil {
		return err
	}
	if err := t.register(ctx, r.TargetGroup, without(want, standing(have))); err != nil {
		return err
	}
	// In the action without weight the group is checked and gets no request.
	if f.weight(r.TargetGroup) < 0 {
		f.add(r.TargetGroup, 0)
		if err := t.put(ctx, f); err != nil {
			return err
		}
	}
	return t.deregister(ctx, r.TargetGroup, without(standing(have), want))
}

// disconnect sends all to the source, waits until the load balancer's nodes have
// heard, takes the group out of the action and only then its targets away.
func (t *Traffic) disconnect(ctx context.Context, r rollout.Route, f *forwarding, have []types.TargetHealthDescription) error {
	if w := f.weight(r.TargetGroup); w >= 0 {
		if w > 0 {
			if err := f.shift(r.SourceGroup, r.TargetGroup, 0); err != nil {
				return err
			}
			if err := t.put(ctx, f); err != nil {
				return err
			}
		}
		f.drop(r.TargetGroup)
		if err := t.put(ctx, f); err != nil {
			return err
		}
	}
	left := standing(have)
	if len(left) == 0 {
		return nil
	}
	if err := pause(ctx, t.o.Quiet); err != nil {
		return err
	}
	return t.deregister(ctx, r.TargetGroup, left)
}

// Shift is as runner.Traffic says.
func (t *Traffic) Shift(ctx context.Context, r rollout.Route, percent int) error {
	if err := t.shift(ctx, r, percent); err != nil {
		return fmt.Errorf("shift %s to %d percent: %w", r.Backend, percent, err)
	}
	return nil
}

func (t *Traffic) shift(ctx context.Context, r rollout.Route, percent int) error {
	if percent < 0 || percent > 100 {
		return fmt.Errorf("there is no such share: %w", runner.ErrRefused)
	}
	f, err := t.forwarding(ctx, r.Backend)
	if err != nil {
		return err
	}
	now := f.percent(r.SourceGroup, r.TargetGroup)
	if percent == 0 && f.weight(r.TargetGroup) < 0 {
		return nil
	}
	if percent > now {
		err = t.able(ctx, "target", r.TargetGroup)
	} else if percent < now {
		err = t.able(ctx, "source", r.SourceGroup)
	}
	if err != nil {
		return err
	}
	if err := f.shift(r.SourceGroup, r.TargetGroup, percent); err != nil {
		return err
	}
	return t.put(ctx, f)
}

// able reports that a group has no healthy target, after it has waited for those
// whose first check is under way. A load balancer would send to it all the same.
func (t *Traffic) able(ctx context.Context, side, group string) error {
	for left := t.o.Settle; ; left -= pollEvery {
		have, err := t.health(ctx, group)
		if err != nil {
			return err
		}
		checking := false
		for _, h := range have {
			switch h.TargetHealth.State {
			case types.TargetHealthStateEnumHealthy:
				return nil
			case types.TargetHealthStateEnumInitial, types.TargetHealthStateEnumUnused:
				checking = true
			}
		}
		if !checking || left <= 0 {
			return fmt.Errorf("none of the %s's %d targets is healthy: %w", side, len(standing(have)), runner.ErrRefused)
		}
		if err := pause(ctx, pollEvery); err != nil {
			return err
		}
	}
}

// Observe is as runner.Traffic says. A load balancer itself tells no requests,
// errors, sessions or latencies: CloudWatch does, minutes later.
func (t *Traffic) Observe(ctx context.Context, r rollout.Route) (rollout.Flow, error) {
	f, err := t.observe(ctx, r)
	if err != nil {
		return f, fmt.Errorf("observe %s: %w", r.Backend, err)
	}
	return f, nil
}

func (t *Traffic) observe(ctx context.Context, r rollout.Route) (rollout.Flow, error) {
	f, err := t.forwarding(ctx, r.Backend)
	if err != nil {
		return rollout.Flow{}, err
	}
	out := rollout.Flow{Uncounted: true}
	for group, side := range map[string]*rollout.Side{r.SourceGroup: &out.Source, r.TargetGroup: &out.Target} {
		if f.weight(group) < 0 {
			continue // the group is not in the action: it serves nothing here
		}
		have, err := t.health(ctx, group)
		if err != nil {
			return rollout.Flow{}, err
		}
		side.Servers = len(standing(have))
		for _, h := range have {
			if h.TargetHealth.State == types.TargetHealthStateEnumHealthy {
				side.Up++
			}
		}
	}
	out.Target.Weight = f.percent(r.SourceGroup, r.TargetGroup)
	out.Source.Weight = 100 - out.Target.Weight
	out.At = t.now()
	return out, nil
}

// targets reads addresses.
func targets(addresses []string) ([]types.TargetDescription, error) {
	var out []types.TargetDescription
	for _, a := range addresses {
		p, err := netip.ParseAddrPort(a)
		if err != nil || p.Port() == 0 {
			return nil, fmt.Errorf("%q is no address with a port: %w", a, runner.ErrRefused)
		}
		out = append(out, types.TargetDescription{Id: aws.String(p.Addr().String()), Port: aws.Int32(int32(p.Port()))})
	}
	return out, nil
}

// standing gives the targets that are not on their way out.
func standing(have []types.TargetHealthDescription) []types.TargetDescription {
	var out []types.TargetDescription
	for _, h := range have {
		if s := h.TargetHealth.State; s != types.TargetHealthStateEnumDraining && s != types.TargetHealthStateEnumUnhealthyDraining {
			out = append(out, *h.Target)
		}
	}
	return out
}

// without gives those of a that are not in b.
func without(a, b []types.TargetDescription) []types.TargetDescription {
	key := func(t types.TargetDescription) string {
		return aws.ToString(t.Id) + " " + strconv.Itoa(int(aws.ToInt32(t.Port)))
	}
	return slices.DeleteFunc(slices.Clone(a), func(x types.TargetDescription) bool {
		return slices.ContainsFunc(b, func(y types.TargetDescription) bool { return key(x) == key(y) })
	})
}
