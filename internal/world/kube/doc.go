// Package kube is Kubernetes as the target of a move: it applies workloads'
// objects, watches what runs, tells where a front door reaches it, and keeps
// the mover's lease and fences. It takes objects and names and gives what the
// runner asks for. It never takes a field from another manager, never deletes a
// claim, a volume or a namespace, and never reads a secret's value.
package kube

import "github.com/tranship/tranship/internal/world/kube/internal/conn"

// Config says which cluster.
type Config = conn.Config

// Connection is a way to one cluster. Its Where says in one line which cluster
// is touched.
type Connection = conn.Client

// Connect gives the way to a cluster; it does not call it.
func Connect(c Config) (*Connection, error) { return conn.Open(c) }

// Manager is the name under which the mover owns fields.
const Manager = "tranship"

// Labels and annotations that the mover sets.
const (
	// MovedWorkload, as a label, tells which workload an object was applied for,
	// in a form that a label can have; as an annotation, its whole name.
	MovedWorkload = "tranship.dev/moved-workload"
	// Applied is the annotation with the hash of all objects of the workload.
	Applied = "tranship.dev/applied"
	// Shared is the label of objects that are not of one workload alone.
	Shared = "tranship.dev/shared"
	// Bridge is the label of Services by which a front door reaches a workload,
	// BridgeOf that which tells which.
	Bridge   = "tranship.dev/bridge"
	BridgeOf = "tranship.dev/bridge-of"
)
