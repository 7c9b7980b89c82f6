package plan

// Meaning says a reason in words, for where an item has no sentence of its own.
func (r Reason) Meaning() string {
	switch r {
	case AsDeclared:
		return "the source's own numbers"
	case FromUsage:
		return "what it was seen to use, with a margin"
	case FromOOM:
		return "it was killed for memory: more than it had"
	case HeapFloor:
		return "its JVM's heap needs as much"
	case AtFloor:
		return "less would be noise"
	case Cheapest:
		return "the least cost at which everything fits"
	case ForSurvival:
		return "room for what a lost node ran"
	case PinnedZone:
		return "a constraint names its zone"
	case NeedsGPU:
		return "only some types have a GPU"
	case NeedsDisk:
		return "only some types have local NVMe"
	case NeedsArch:
		return "its image runs on one architecture"
	case OnSpot:
		return "replicated and without state: may be interrupted"
	case ByPolicy:
		return "tranship.yaml says so"
	case OnlyPool:
		return "there is one pool"
	case Independent:
		return "waits for nothing"
	case AfterNeeds:
		return "waits for what it calls"
	case InACycle:
		return "calls what calls it: they move together"
	case PilotFirst:
		return "the least risk with real traffic"
	case SharedAddress:
		return "one virtual address leads to all of them"
	case BlueGreenPair:
		return "they take turns in one place"
	case SharedVolume:
		return "they write to the same storage"
	case SharedLock:
		return "one lock keeps their runs apart"
	case MoveAlone:
		return "nothing ties it to others"
	}
	return string(r)
}
