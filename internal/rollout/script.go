package rollout

import (
	"time"

	"github.com/tranship/tranship/internal/plan"
)

// Act is one kind of thing that the runner does, forward or back.
type Act string

// The acts. Each can be done again after it was interrupted: the runner never
// knows whether the world has seen the last one.
const (
	CheckDrift   Act = "check-drift"   // the source is as the plan knows it
	Apply        Act = "apply"         // the target has the unit's objects, all copies
	ApplyStopped Act = "apply-stopped" // the target has them, and nothing of them runs
	Remove       Act = "remove"        // the target has none of them
	AwaitReady   Act = "await-ready"   // all copies at the target are ready
	Connect      Act = "connect"       // the front door knows the target, without traffic
	Disconnect   Act = "disconnect"    // it does not
	Shift        Act = "shift"         // the target gets Weight percent of new requests
	Watch        Act = "watch"         // the gates hold for as long as For
	DrainSource  Act = "drain-source"  // the source has no request left, and stays warm
	UndrainSrc   Act = "undrain-source"

	SuspendSource  Act = "suspend-source" // no copy is wanted at the source
	ResumeSource   Act = "resume-source"  // as many as the plan knows are wanted, and healthy
	ProveSourceOff Act = "prove-source-off"
	StartTarget    Act = "start-target"
	StopTarget     Act = "stop-target"
	ProveTargetOn  Act = "prove-target-on"
	ProveTargetOff Act = "prove-target-off"

	CopyWarm Act = "copy-warm" // volumes, while the source still writes
	Copy     Act = "copy"      // volumes, nothing writes; checksums agree on both sides
	CopyBack Act = "copy-back"

	Replicate     Act = "replicate"    // the target follows the source's database
	StopReplica   Act = "stop-replica" // it does not
	AwaitCaughtUp Act = "await-caught-up"
	Compare       Act = "compare"  // tables agree by checksum
	CutOver       Act = "cut-over" // writes go to the target, the source follows
	CutBack       Act = "cut-back" // writes go to the source, the target follows
	EndReverse    Act = "end-reverse"

	Approve      Act = "approve" // a person agrees to what follows
	RetireSource Act = "retire-source"
	Nothing      Act = ""
)

// A Step of a unit's way, with what undoes it.
type Step struct {
	State State // in which the unit is while the step is done
	Do    Act
	Undo  Act // Nothing where there is nothing to undo
	// Weight in percent, of Shift.
	Weight int
	// For is how long Watch watches, or how long an Await may take.
	For time.Duration
	// Final marks a point of no return: once it is done there is no way back.
	Final string
}

// State is where a unit is.
type State string

// The states.
const (
	Waiting     State = "waiting"  // nothing was done
	Standing    State = "standing" // at the target, without traffic
	Shifting    State = "shifting"
	Soaking     State = "soaking"   // all traffic is at the target, the source serves if asked
	Drained     State = "drained"   // the source has no traffic and is warm
	Exchanging  State = "exchange"  // exclusive: off at the source, on at the target
	Copying     State = "copying"   // data is on its way
	Following   State = "following" // the target's database follows
	Retired     State = "retired"   // the source's copies are gone: done
	RollingBack State = "rolling-back"
	RolledBack  State = "rolled-back"
	Halted      State = "halted" // a person is needed
)

// Ended reports whether nothing more will be done without a person.
func (s State) Ended() bool { return s == Retired || s == RolledBack || s == Halted }

// Script gives the way of a unit, from where nothing was done to the end.
func Script(u *Unit) []Step {
	if u.script != nil {
		return u.script
	}
	switch {
	case u.Database != nil:
		return database(u)
	case u.Mode == plan.Exclusive:
		return exclusive(u)
	case u.Mode == plan.Stateful:
		return stateful(u)
	case u.Mode == plan.Shifted:
		return shifted(u)
	}
	return side(u)
}

// shifted has traffic, and runs in both worlds meanwhile.
func shifted(u *Unit) []Step {
	s := []Step{
		{State: Waiting, Do: CheckDrift},
		{State: Standing, Do: Apply, Undo: Remove},
		{State: Standing, Do: AwaitReady, For: u.Ready},
		{State: Standing, Do: Connect, Undo: Disconnect},
		{State: Standing, Do: Watch, For: u.Bake},
	}
	for _, w := range u.Steps {
		s = append(s, Step{State: Shifting, Do: Shift, Undo: Shift, Weight: w})
		if w < 100 {
			s = append(s, Step{State: Shifting, Do: Watch, For: u.Bake})
		}
	}
	if last := u.Steps[len(u.Steps)-1]; last < 100 {
		s = append(s, Step{State: Shifting, Do: Shift, Undo: Shift, Weight: 100})
	}
	return append(s,
		Step{State: Soaking, Do: Watch, For: u.Soak},
		Step{State: Drained, Do: DrainSource, Undo: UndrainSrc},
		Step{State: Drained, Do: Watch, For: u.Window},
		Step{State: Drained, Do: RetireSource, Final: "the source's copies are stopped"},
	)
}

// side has no traffic and may run in both worlds for a while.
func side(u *Unit) []Step {
	return []Step{
		{State: Waiting, Do: CheckDrift},
		{State: Standing, Do: Apply, Undo: Remove},
		{State: Standing, Do: AwaitReady, For: u.Ready},
		{State: Standing, Do: Watch, For: u.Bake},
		{State: Soaking, Do: SuspendSource, Undo: ResumeSource},
		{State: Soaking, Do: Watch, For: u.Soak},
		{State: Drained, Do: Watch, For: u.Window},
		{State: Drained, Do: RetireSource, Final: "the source's definition is left suspended"},
	}
}

// exclusive never runs in both worlds: on the way forward nothing starts before
// the source is proven off, on the way back nothing before the target is.
func exclusive(u *Unit) []Step {
	s := []Step{
		{State: Waiting, Do: CheckDrift},
		{State: Standing, Do: ApplyStopped, Undo: Remove},
	}
	if u.HasRoutes() {
		s = append(s, connected()...)
	}
	s = append(s,
		Step{State: Exchanging, Do: SuspendSource, Undo: ResumeSource},
		Step{State: Exchanging, Do: ProveSourceOff, Undo: ProveTargetOff, For: u.Ready},
		Step{State: Exchanging, Do: StartTarget, Undo: StopTarget},
		Step{State: Exchanging, Do: ProveTargetOn, For: u.Ready},
	)
	if u.HasRoutes() {
		s = append(s, Step{State: Exchanging, Do: Shift, Weight: 100})
	}
	return append(s, rest(u, "the source's definition is left suspended")...)
}

// stateful is exclusive with volumes, which are copied twice: while the source
// runs, and again once it is off.
func stateful(u *Unit) []Step {
	s := []Step{
		{State: Waiting, Do: CheckDrift},
		{State: Standing, Do: ApplyStopped, Undo: Remove},
	}
	if u.HasRoutes() {
		s = append(s, connected()...)
	}
	s = append(s,
		Step{State: Copying, Do: CopyWarm},
		Step{State: Exchanging, Do: SuspendSource, Undo: ResumeSource},
		Step{State: Exchanging, Do: ProveSourceOff, For: u.Ready},
		// On the way back, what the target has written is brought home once it is off.
		Step{State: Copying, Do: Copy, Undo: CopyBack},
		Step{State: Exchanging, Do: ProveSourceOff, Undo: ProveTargetOff, For: u.Ready},
		Step{State: Exchanging, Do: StartTarget, Undo: StopTarget},
		Step{State: Exchanging, Do: ProveTargetOn, For: u.Ready},
	)
	if u.HasRoutes() {
		s = append(s, Step{State: Exchanging, Do: Shift, Weight: 100})
	}
	s = append(s,
		Step{State: Soaking, Do: Watch, For: u.Soak},
		Step{State: Soaking, Do: Watch, For: u.Window},
		Step{State: Soaking, Do: Approve, Final: "the source's volumes are given up: what is written from now on is only at the target"},
	)
	return append(s, Step{State: Drained, Do: RetireSource})
}

func database(u *Unit) []Step {
	return []Step{
		{State: Waiting, Do: CheckDrift},
		{State: Following, Do: Replicate, Undo: StopReplica},
		{State: Following, Do: AwaitCaughtUp, For: u.Ready},
		{State: Following, Do: Connect, Undo: Disconnect},
		{State: Following, Do: Watch, For: u.Bake},
		{State: Exchanging, Do: CutOver, Undo: CutBack},
		{State: Soaking, Do: Watch, For: u.Soak},
		{State: Soaking, Do: Compare},
		{State: Soaking, Do: Watch, For: u.Window},
		{State: Soaking, Do: Approve},
		{State: Drained, Do: EndReverse, Final: "the source no longer follows: what is written from now on is only at the target"},
		{State: Drained, Do: RetireSource},
	}
}

// connected has the front door know the target of a unit that is only ever on
// one side. On the way back traffic goes home once the source is up again, so
// its inverse stands before the exchange.
func connected() []Step {
	return []Step{
		{State: Standing, Do: Connect, Undo: Disconnect},
		{State: Standing, Do: Shift, Undo: Shift},
	}
}

func rest(u *Unit, final string) []Step {
	return []Step{
		{State: Soaking, Do: Watch, For: u.Soak},
		{State: Drained, Do: Watch, For: u.Window},
		{State: Drained, Do: RetireSource, Final: final},
	}
}
