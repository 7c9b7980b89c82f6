package rollout

import "fmt"

// Text says an event in words, for people who watch.
func (e Event) Text() string {
	act := e.Act.Words(e.Weight, e.Back)
	switch e.Kind {
	case Intent:
		return act
	case Done:
		return act + ": done"
	case Failed:
		return act + ": " + e.Why
	case RollBack:
		return "goes back: " + e.Why
	case Agree:
		return "agreed: " + e.Why
	case Again:
		return "goes on: " + e.Why
	}
	return string(e.Kind)
}

// Words says what an act does.
func (a Act) Words(weight int, back bool) string {
	switch a {
	case CheckDrift:
		return "is the source as planned"
	case Apply:
		return "apply at the target"
	case ApplyStopped:
		return "apply at the target, stopped"
	case Remove:
		return "take away what stands at the target"
	case AwaitReady:
		return "wait until the target is ready"
	case Connect:
		return "tell the front door of the target"
	case Disconnect:
		return "have the front door forget the target"
	case Shift:
		if back {
			return "all traffic to the source"
		}
		return fmt.Sprintf("%d %% of traffic to the target", weight)
	case Watch:
		return "watch the gates"
	case DrainSource:
		return "let the source finish what it has"
	case UndrainSrc:
		return "is the source still warm"
	case SuspendSource:
		return "stop the source"
	case ResumeSource:
		return "start the source again"
	case ProveSourceOff:
		return "prove that the source runs nothing"
	case StartTarget:
		return "start the target"
	case StopTarget:
		return "stop the target"
	case ProveTargetOn:
		return "prove that the target runs"
	case ProveTargetOff:
		return "prove that the target runs nothing"
	case CopyWarm:
		return "copy volumes, a first time"
	case Copy:
		return "copy volumes and compare both sides"
	case CopyBack:
		return "bring home what the target has written"
	case Replicate:
		return "have the target follow the source"
	case StopReplica:
		return "end replication"
	case AwaitCaughtUp:
		return "wait until the target has caught up"
	case Compare:
		return "compare both sides"
	case CutOver:
		return "cut over to the target"
	case CutBack:
		return "cut back to the source"
	case EndReverse:
		return "end replication to the source"
	case Approve:
		return "a person agrees"
	case RetireSource:
		return "retire the source"
	}
	return string(a)
}
