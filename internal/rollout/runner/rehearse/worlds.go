package rehearse

import (
	"fmt"
	"strings"
	"time"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/rollout"
	"github.com/tranship/tranship/internal/rollout/runner"
	"github.com/tranship/tranship/internal/rollout/runner/fake"
)

// What a rehearsal takes for granted of worlds that it does not know.
const (
	startTime = 20 * time.Second // until a copy is ready
	stopTime  = 10 * time.Second
	rate      = 100 // requests a second through each route
	copyTime  = 10 * time.Minute
)

// worlds are both worlds in memory, in virtual time.
func worlds(m *rollout.Move, clock *Clock) runner.World {
	now := fake.Clock(clock.Now)
	traffic := fake.NewTraffic(now, fake.TrafficOptions{Rate: rate})
	database := fake.NewDatabase(now, fake.DatabaseOptions{Copy: copyTime})
	source := fake.NewSource(now, fake.SourceOptions{Start: startTime, Stop: stopTime})
	list := objects{}
	for i := range m.Units {
		for _, w := range m.Units[i].Workloads {
			if w.Kind == estate.Job || w.Kind == estate.Schedule {
				source.AddJob(w.Name, w.Version)
			} else {
				source.Add(w.Name, w.Version, w.SourceReplicas)
			}
			list[w.Name] = w.Replicas
		}
	}
	return runner.World{
		Objects: list, Cluster: fake.NewCluster(now, fake.ClusterOptions{Start: startTime, Stop: stopTime}),
		Exposer: fake.NewExposer(now, fake.ExposerOptions{}), Source: source, Traffic: traffic, Cutter: traffic,
		Database: database, Cutover: database, Volumes: fake.NewVolumes(now), Fences: fake.NewFences(now),
	}
}

// objects stand for a workload's: one Deployment with as many copies as planned.
type objects map[estate.Name]int

// Of implements runner.Objects.
func (o objects) Of(w estate.Name) ([][]byte, error) {
	return [][]byte{fmt.Appendf(nil, "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: %q\n  namespace: rehearsal\nspec:\n  replicas: %d\n",
		strings.Trim(strings.ReplaceAll(string(w), "/", "-"), "-"), o[w])}, nil
}
