package lockfile_test

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/tranship/tranship/internal/rollout/runner"
	"github.com/tranship/tranship/internal/rollout/runner/runnertest"
	"github.com/tranship/tranship/internal/world/lockfile"
)

func TestLeaseKeepsItsPromises(t *testing.T) {
	runnertest.Lease(t, func(t *testing.T) runnertest.LeaseWorld {
		path := filepath.Join(t.TempDir(), "state", "lease.json")
		var mu sync.Mutex
		at := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
		now := func() time.Time {
			mu.Lock()
			defer mu.Unlock()
			return at
		}
		return runnertest.LeaseWorld{
			Open: func() runner.Lease { return lockfile.New(path, now) },
			Pass: func(d time.Duration) {
				mu.Lock()
				defer mu.Unlock()
				at = at.Add(d)
			},
		}
	})
}

func TestARecordThatWasCutOffIsOfNobody(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lease.json")
	if err := os.WriteFile(path, []byte(`{"holder":"one","unt`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := lockfile.New(path, time.Now).Take(t.Context(), "two", time.Minute); err != nil {
		t.Errorf("Take = %v, want the lease", err)
	}
}

func TestAFileThatCannotBeWrittenIsNotALease(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := lockfile.New(filepath.Join(path, "lease.json"), time.Now).Take(t.Context(), "one", time.Minute); err == nil {
		t.Error("Take below a file gave the lease")
	}
}
