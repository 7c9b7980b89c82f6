package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/render"
	"github.com/tranship/tranship/internal/render/manifest"
	"github.com/tranship/tranship/internal/render/report"
	"github.com/tranship/tranship/internal/world/graph"
)

// Overlay is the overlay to apply, below the output folder.
const Overlay = "kubernetes/overlays/production"

// EditedByHand is reported for a rendered file outside the overlays that was
// changed after it was rendered. It comes from the folder, so no definition
// raises it.
const EditedByHand diag.Code = "R001"

// Rendered is what render made beside the files.
type Rendered struct {
	Ledger  []ledger.Entry
	Objects map[string]int // by kind
	Diags   diag.List
}

// Render renders the manifests of a plan into sink.
func Render(p *plan.Plan, opts render.Options, sink render.Sink) (Rendered, error) {
	summary, diags, err := manifest.Render(p, opts, sink)
	if err != nil {
		return Rendered{}, fmt.Errorf("render manifests: %w", err)
	}
	return Rendered{Ledger: summary.Ledger, Objects: summary.Objects, Diags: diags}, nil
}

// Report renders report.html.
func Report(ctx context.Context, p *plan.Plan, entries []ledger.Entry) (render.File, error) {
	drawing, err := graph.Draw(ctx, report.NewGraph(&p.Estate))
	if err != nil {
		return render.File{}, err
	}
	return report.Render(p, entries, drawing)
}

// IsObject reports whether a rendered file holds objects for the cluster, not
// instructions to Kustomize.
func IsObject(f render.File) bool {
	return strings.HasPrefix(f.Path, "kubernetes/base/") && path.Ext(f.Path) == ".yaml" && path.Base(f.Path) != "kustomization.yaml"
}

// List gives the objects of a YAML stream as one JSON List.
func List(stream []byte) ([]byte, error) {
	items := []any{}
	dec := yaml.NewDecoder(bytes.NewReader(stream))
	for {
		var v any
		err := dec.Decode(&v)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read rendered YAML: %w", err)
		}
		if v != nil {
			items = append(items, v)
		}
	}
	out, err := json.MarshalIndent(map[string]any{"apiVersion": "v1", "kind": "List", "items": items}, "", "  ")
	return append(out, '\n'), err
}

// Sorted gives the keys of a count in order.
func Sorted(m map[string]int) []string { return slices.Sorted(maps.Keys(m)) }
