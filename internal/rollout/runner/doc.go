// Package runner carries a move out: journal first, then act, then verify. It
// takes units, both worlds behind small interfaces, and a journal, and drives
// each unit by what package rollout says is next. It never decides what that
// is, and never sends traffic where too few copies are ready.
package runner
