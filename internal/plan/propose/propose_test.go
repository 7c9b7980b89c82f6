package propose_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/tranship/tranship/internal/base/binpack"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/plan/propose"
)

const date = "2026-11-24"

func service(id estate.Name) estate.Workload {
	return estate.Workload{ID: id, Kind: estate.Service, Replicas: 2, Containers: []estate.Container{{Name: "main", CPU: 100, Memory: 1 << 20}}}
}

func estateOf(ws ...estate.Workload) estate.Estate {
	e := estate.Estate{Version: estate.Version, Workloads: ws}
	e.Sort()
	return e
}

func sealed(t *testing.T) (plan.Plan, []byte) {
	t.Helper()
	e := estateOf(service("/a"))
	e.Hosts, e.Endpoints = []estate.Host{}, []estate.Endpoint{}
	e.Ledger = []ledger.Entry{{File: "f", Pointer: "/id", Verdict: ledger.Exact, Code: "M1", Workload: "/a", Reason: "a < b"}}
	p, diags := propose.Make(propose.Inputs{Estate: e, Policy: policy.Default(), AsOf: date}, binpack.Options{})
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	return p, b.Bytes()
}

func TestASealedPlanReadsBack(t *testing.T) {
	p, data := sealed(t)
	got, err := plan.Read(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if got.Seal != p.Seal || len(got.Ledger) != 1 || got.Estate.Workloads[0].ID != "/a" {
		t.Errorf("read back: %+v", got)
	}
}

func TestAChangedPlanIsRefused(t *testing.T) {
	_, data := sealed(t)
	for name, change := range map[string][2]string{
		"replicas": {`"replicas":2`, `"replicas":3`}, "date": {date, "2026-11-25"},
		"ledger": {`"verdict":"exact"`, `"verdict":"dropped"`}, "wave": {`"number":1`, `"number":2`},
	} {
		changed := bytes.Replace(data, []byte(change[0]), []byte(change[1]), 1)
		if bytes.Equal(changed, data) {
			t.Fatalf("%s: nothing was changed", name)
		}
		if _, err := plan.Read(bytes.NewReader(changed)); !errors.Is(err, plan.ErrSeal) {
			t.Errorf("a plan with another %s is read: %v", name, err)
		}
	}
	if _, err := plan.Read(bytes.NewReader(append([]byte(`{"more":1,`), data[1:]...))); err == nil {
		t.Error("a plan with an unknown key is read")
	}
}

// TestSpacesDoNotBreakTheSeal: the seal is over the content, not its layout.
func TestSpacesDoNotBreakTheSeal(t *testing.T) {
	_, data := sealed(t)
	if _, err := plan.Read(bytes.NewReader(bytes.ReplaceAll(data, []byte(","), []byte(" , ")))); err != nil {
		t.Error(err)
	}
}
