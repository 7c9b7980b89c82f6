package fake_test

import (
	"testing"

	"github.com/tranship/tranship/internal/rollout"
	"github.com/tranship/tranship/internal/rollout/runner"
	"github.com/tranship/tranship/internal/rollout/runner/fake"
	"github.com/tranship/tranship/internal/rollout/runner/runnertest"
)

func TestVolumesKeepTheirPromises(t *testing.T) {
	runnertest.Volumes(t, func(*testing.T) (runner.Volumes, runnertest.VolumesWorld) {
		const w = "/shop/index"
		v := fake.NewVolumes(newHands().now)
		return v, runnertest.VolumesWorld{
			Workload: rollout.Workload{Name: w, Replicas: 2, SourceReplicas: 2, Volumes: []string{"data"}},
			Put:      func(side string, i int, path, content string) { v.Put(side, w, i, path, content) },
			Files:    func(side string, i int) map[string]string { return v.Files(side, w, i) },
			Write:    func(side string, i int) { v.Write(side, w, i, 1) },
			Spoil:    func(i int) { v.Spoil(fake.SourceSide, w, i, 1) },
			Break:    func(int) { v.FailNext(1, errLost) },
		}
	})
}
