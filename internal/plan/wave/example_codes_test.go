package wave_test

import (
	"encoding/json"
	"testing"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/diag/diagtest"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/plan/wave"
)

// TestEveryCodeHasAnExampleThatYieldsIt runs the examples in codes.go.
func TestEveryCodeHasAnExampleThatYieldsIt(t *testing.T) {
	diagtest.Examples(t, "codes.go", func(t *testing.T, text string) diag.List {
		var in struct {
			estate.Estate
			Spec policy.Spec `json:"spec"`
		}
		if err := json.Unmarshal([]byte(text), &in); err != nil {
			t.Fatal(err)
		}
		for i := range in.Workloads {
			if in.Workloads[i].Kind == "" {
				in.Workloads[i].Kind = estate.Service
			}
		}
		p := policy.Default()
		p.Spec = in.Spec
		_, list := wave.Make(wave.Inputs{Estate: &in.Estate, Policy: &p, AsOf: date})
		return list
	})
}
