package app

import (
	"github.com/tranship/tranship/internal/discover/edgelb"
	"github.com/tranship/tranship/internal/discover/haproxy"
	"github.com/tranship/tranship/internal/discover/marathon"
	"github.com/tranship/tranship/internal/discover/mesos"
	"github.com/tranship/tranship/internal/discover/metronome"
	"github.com/tranship/tranship/internal/discover/names"
	"github.com/tranship/tranship/internal/discover/pod"
	"github.com/tranship/tranship/internal/discover/swarm"
	"github.com/tranship/tranship/internal/world/compose"
)

// Readers gives new readers of all dialects, in the order in which they are
// asked for a document and, at the end, finish: hosts before what is bound to
// them, routes when all ports are known, names last.
func Readers() []any {
	return []any{
		pod.Reader{},
		metronome.Reader{},
		marathon.Reader{},
		mesos.New(), edgelb.New(),
		swarm.Reader{Loader: compose.Loader{}},
		haproxy.New(),
		haproxy.Others{},
		edgelb.AutoPool{},
		names.New(),
	}
}
