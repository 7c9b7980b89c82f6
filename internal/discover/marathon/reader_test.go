package marathon_test

import (
	"testing"

	"github.com/tranship/tranship/internal/base/corpus"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/discover/discovertest"
	"github.com/tranship/tranship/internal/discover/marathon"
)

// readers is this reader alone: what pods and routes are is others' business.
var readers = []any{marathon.Reader{}}

func TestExamplesOfCodesRun(t *testing.T) {
	for _, file := range []string{"codes.go", "codes_run.go", "normal/codes.go", "../field/docker_codes.go"} {
		discovertest.Examples(t, file, readers)
	}
	discovertest.Examples(t, "../codes.go", readers,
		"UnreadableFile", "AnswerMissing", "AnswerChanged")
}

func TestEveryLeafOfTheCorpusHasOneEntry(t *testing.T) {
	fsys, files := corpus.Files(t, []string{"marathon/apps", "marathon/lists", "marathon/groups", "marathon/universe-rendered"}, ".json")
	for _, file := range files {
		r := discover.Read(sub(t, fsys, file), readers, discover.Options{})
		if len(r.Estate.Workloads) == 0 {
			t.Logf("%s: no workload", file)
			continue
		}
		discovertest.Covered(t, fsys, file, r)
		for _, d := range r.Diags {
			if d.Code == "E001" {
				t.Errorf("%s", d)
			}
		}
	}
}

func TestLedgerTellsTheTruthOfTheCorpus(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: short")
	}
	fsys, files := corpus.Files(t, []string{"marathon/apps", "marathon/lists", "marathon/groups", "marathon/universe-rendered"}, ".json")
	for _, file := range files {
		discovertest.Truth(t, readers, fsys, file)
	}
}
