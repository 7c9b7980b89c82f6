package packtest_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tranship/tranship/internal/base/binpack/packtest"
	"github.com/tranship/tranship/internal/base/corpus"
)

func TestSameSeedGivesSamePods(t *testing.T) {
	for _, n := range []int{1, 50, 500} {
		for name, make := range map[string]func(uint64, int) packtest.Set{"karp": packtest.Karp, "web": packtest.Web} {
			a, b, c := make(7, n), make(7, n), make(8, n)
			if d := cmp.Diff(a, b); d != "" {
				t.Errorf("%s differs: %s", name, d)
			}
			if n > 1 && cmp.Equal(a, c) {
				t.Errorf("%s: seeds 7 and 8 give the same pods", name)
			}
			if got := a.Replicas(); got != n {
				t.Errorf("%s has %d replicas, want %d", name, got, n)
			}
		}
	}
}

func TestWrittenPodsReadBack(t *testing.T) {
	want := packtest.Web(1, 40)
	var b bytes.Buffer
	if err := want.Write(&b); err != nil {
		t.Fatal(err)
	}
	var got packtest.Set
	dec := json.NewDecoder(&b)
	dec.DisallowUnknownFields()
	if err := dec.Decode(&got); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestMergedSizesKeepEveryPiece(t *testing.T) {
	s := packtest.Karp(3, 300)
	s.Pods[0].MaxPerNode = 1
	p := s.Problem(nil, 3)
	n := 0
	for _, it := range p.Items {
		n += it.Count
	}
	if n != 300 || len(p.Items) > 31 {
		t.Errorf("%d pieces in %d items, want 300 in at most 31", n, len(p.Items))
	}
}

func TestCatalogueKeepsWhatMayBeBought(t *testing.T) {
	nodes, err := packtest.Catalog(bytes.NewReader(corpus.Beside(t, "catalog/ec2-us-east-1.csv")), packtest.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	if len(nodes) < 200 {
		t.Errorf("%d types, want some hundred", len(nodes))
	}
	s := packtest.Web(1, 10)
	p := s.Problem(nodes, 4)
	for i, ty := range p.Types {
		if len(ty.Capacity) != 4 || ty.Price <= 0 || nodes[i].CPUMilli > 32000 {
			t.Errorf("%s: %+v", nodes[i].Name, ty)
		}
	}
}

func TestAliDrawsFromTheCorpus(t *testing.T) {
	b, err := fs.ReadFile(dirFS(t), "packing/openb_pod_list_default.csv")
	if err != nil {
		t.Skip("skipped: no corpus")
	}
	s, err := packtest.Ali(bytes.NewReader(b), 1, 500)
	if err != nil {
		t.Fatal(err)
	}
	if s.Replicas() != 500 {
		t.Errorf("%d replicas, want 500", s.Replicas())
	}
}

func dirFS(t *testing.T) fs.FS {
	files, _ := corpus.Files(t, nil)
	return files
}
