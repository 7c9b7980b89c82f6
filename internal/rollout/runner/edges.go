package runner

import (
	"context"
	"errors"
	"time"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/rollout"
	"github.com/tranship/tranship/internal/rollout/witness"
)

// What the runner asks of both worlds. Every act can be repeated: done twice it
// is as done once. Package runnertest has a fake of each that keeps state, and
// a suite that fake and real pass.

// The errors that adapters tell apart. What is none of these is a failure of
// the world that may pass: it is tried again until patience ends.
var (
	// ErrRefused: the world answered and will not do it, now or later: no
	// permission, an expired token, a quota, a field that another manager owns, a
	// weight that the proxy rejects. Trying again is of no use.
	ErrRefused = errors.New("refused")
	// ErrLocked: the source has a change under way, which is not ours to break.
	ErrLocked = errors.New("locked by a change under way")
	// ErrAbsent: there is no such thing.
	ErrAbsent = errors.New("not there")
	// ErrHeld: another mover has the lease.
	ErrHeld = errors.New("another mover is at work")
)

// Objects of a unit, ready to be applied.
type Objects interface {
	// Of gives a workload's objects as YAML documents, shared ones (namespaces)
	// included, in the order in which they are applied.
	Of(w estate.Name) ([][]byte, error)
}

// Cluster is the target. A workload is known by its name in the plan.
type Cluster interface {
	// Apply makes the workload's objects what they should be, by server-side
	// apply, and takes away what earlier applies made and these do not have.
	// copies below zero leaves the number to the objects; 0 makes nothing run: no
	// replica, schedules suspended, no autoscaler. It returns once the API has
	// them. ErrRefused: permission, quota, another field manager, bad objects.
	Apply(ctx context.Context, w estate.Name, objects [][]byte, copies int) error
	// Remove takes away all that Apply made, claims and volumes excepted.
	Remove(ctx context.Context, w estate.Name) error
	// Observe tells what runs of it. Absent if there is nothing of it. A job is
	// Ready as long as its schedule is on.
	Observe(ctx context.Context, w estate.Name) (rollout.Copies, error)
}

// Exposer tells where the front door reaches a workload at the target.
type Exposer interface {
	// Expose makes the workload's port reachable and gives the addresses, as
	// "10.0.0.1:31000", in a fixed order. ErrAbsent: the target has no such
	// workload; ErrRefused.
	Expose(ctx context.Context, w estate.Name, port int) ([]string, error)
	// Hide takes back what Expose made.
	Hide(ctx context.Context, w estate.Name) error
}

// Source is the old world.
type Source interface {
	// Observe tells what runs of it there. Absent if there is nothing of it.
	Observe(ctx context.Context, w estate.Name) (rollout.Copies, error)
	// Scale has n copies run: 0 suspends, and keeps definition and volumes. Of a
	// job any n but 0 turns its schedules on. It returns once the source has
	// taken it, before the copies have come or gone. ErrLocked, ErrRefused, ErrAbsent.
	Scale(ctx context.Context, w estate.Name, n int) error
}

// Hosts are the source's machines.
type Hosts interface {
	// Drain has the source move all tasks off the hosts and start none there.
	// ErrRefused; ErrAbsent names hosts that the source does not know, once all
	// others are draining.
	Drain(ctx context.Context, hosts []string) error
	// Tasks counts what still runs on each. A host that the source does not know
	// is not among them.
	Tasks(ctx context.Context, hosts []string) (map[string]int, error)
}

// Traffic is the front door. A route is known by its Backend.
type Traffic interface {
	// Connect makes the target's addresses servers of the route, with no share of
	// the traffic if they are new; none takes them all away. What it did outlives
	// a restart and a reload of the front door.
	Connect(ctx context.Context, r rollout.Route, addresses []string) error
	// Shift gives the target percent of new requests, the source the rest: 0 and
	// 100 are exact, between them as near as the front door can. It returns once
	// the front door has it. ErrRefused: it cannot.
	Shift(ctx context.Context, r rollout.Route, percent int) error
	// Observe tells what goes through the route.
	Observe(ctx context.Context, r rollout.Route) (rollout.Flow, error)
}

// Cutter cuts what is open to one side of a route, so that clients come again
// to the other: of use where connections last, as to a database.
type Cutter interface {
	Cut(ctx context.Context, r rollout.Route, side string) error // "source" or "target"
}

// Database moves one database by replication.
type Database interface {
	// Replicate has the target follow: schema, publication, subscription.
	Replicate(ctx context.Context, d policy.MoveDatabase) error
	// Lag tells how far behind the follower is: the target before the cutover, the
	// source after it.
	Lag(ctx context.Context, d policy.MoveDatabase) (rollout.Lag, error)
	// Stop ends following, in whichever direction it goes, and leaves no slot,
	// publication or subscription behind.
	Stop(ctx context.Context, d policy.MoveDatabase) error
}

// Cutover changes the side that writes go to.
type Cutover interface {
	// Over holds writes to the leading side, waits until the follower has all of
	// them, carries sequences over, turns replication around, keeps the
	// applications' roles off the old side, and calls redirect (which sends clients
	// to the new side) before it lets go. It gives how long writes stood still.
	// back goes from target to source. If it fails before redirect, everything is
	// as it was. Done again after it was done it does nothing more.
	Over(ctx context.Context, d policy.MoveDatabase, back bool, limit time.Duration, redirect func(context.Context) error) (time.Duration, error)
	// Compare holds all tables of both sides against each other by segments.
	Compare(ctx context.Context, d policy.MoveDatabase) (rollout.Comparison, error)
}

// Volumes copies what copies of a workload keep.
type Volumes interface {
	// Copy brings instance i's volumes to the target's instance i (back: to the
	// source's), whole, and gives the comparison by checksum of both sides.
	Copy(ctx context.Context, w rollout.Workload, instance int, back bool) (rollout.Comparison, error)
}

// Prober asks a world directly.
type Prober interface {
	// Check asks one question of the target at one of its addresses.
	Check(ctx context.Context, c policy.MoveCheck, address string) (rollout.Answer, error)
	// Identity asks who answers at an address.
	Identity(ctx context.Context, id policy.MoveIdentity, address string) (rollout.Answer, error)
	// Query gives the value of a PromQL expression; false if it has none.
	Query(ctx context.Context, url, query string) (float64, bool, error)
}

// Marker writes and reads the witness' records.
type Marker interface {
	// Write sends a record; true if the service promised to keep it.
	Write(ctx context.Context, w policy.MoveWitness, m witness.Mark) (bool, error)
	// Read gives how many copies of the record can be read.
	Read(ctx context.Context, w policy.MoveWitness, m witness.Mark) (int, error)
}

// Lease keeps other movers out.
type Lease interface {
	// Take takes the lease or renews it; ErrHeld names who has it. It is good for
	// ttl: whoever cannot renew it has to stop before.
	Take(ctx context.Context, holder string, ttl time.Duration) error
	// Give gives it back.
	Give(ctx context.Context, holder string) error
}

// Fences are records in the cluster of which world may run an exclusive workload.
type Fences interface {
	// Fence records that only world may run the workload, under a token that grows
	// with each change, and gives the token.
	Fence(ctx context.Context, w estate.Name, world string) (int64, error)
	// Fenced tells world and token; "" if there is no record.
	Fenced(ctx context.Context, w estate.Name) (string, int64, error)
}
