package schema_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/invopop/jsonschema"

	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/base/snapshot"
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/pods"
	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/rollout/witness"
)

var update = flag.Bool("update", false, "rewrite the schemas")

// TestSchemasAreFresh holds docs/schema against the Go types.
func TestSchemasAreFresh(t *testing.T) {
	t.Chdir("../..") // comments are found below the module's root
	for name, v := range map[string]any{
		"migration": policy.Policy{}, "estate": estate.Estate{}, "plan": plan.Plan{},
		"ledger": ledger.Entry{}, "snapshot": snapshot.Snapshot{}, "pack-in-v1": pods.Set{}, "pack-out-v1": pods.Answer{},
		"witness": witness.Statement{},
	} {
		r := &jsonschema.Reflector{Mapper: quantity, ExpandedStruct: true}
		for _, dir := range []string{"internal/plan", "internal/estate", "internal/base", "internal/rollout/witness"} {
			if err := r.AddGoComments("github.com/tranship/tranship", dir, jsonschema.WithFullComment()); err != nil {
				t.Fatal(err)
			}
		}
		s := r.Reflect(v)
		s.ID = jsonschema.ID("https://tranship.dev/schema/" + name + ".schema.json")
		got, err := json.MarshalIndent(s, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, '\n')
		file := filepath.Join("docs/schema", name+".schema.json")
		if *update {
			if err := os.WriteFile(file, got, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if want, _ := os.ReadFile(file); !bytes.Equal(got, want) {
			t.Errorf("%s is stale; run make update", file)
		}
	}
}

// quantity gives the schema of types that are text in JSON.
func quantity(t reflect.Type) *jsonschema.Schema {
	switch t {
	case reflect.TypeFor[unit.CPU]():
		return &jsonschema.Schema{Type: "string", Pattern: `^[0-9]+m?$`, Description: "processor time: 500m, 2"}
	case reflect.TypeFor[unit.Bytes]():
		return &jsonschema.Schema{Type: "string", Pattern: `^[0-9]+(Ki|Mi|Gi|Ti|Pi)?$`, Description: "an amount of memory or disk: 128Mi"}
	case reflect.TypeFor[unit.Money]():
		return &jsonschema.Schema{Type: "number", Description: "US dollars, to the millionth"}
	}
	return nil
}
