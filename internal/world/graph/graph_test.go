package graph_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/tranship/tranship/internal/render/report"
	"github.com/tranship/tranship/internal/world/graph"
)

// TestTheDrawingIsOneElementThatEscapesNames draws a name that would end a tag.
func TestTheDrawingIsOneElementThatEscapesNames(t *testing.T) {
	g := report.Graph{
		Nodes: []report.Node{{ID: `/a<b>&"`, Label: `/a<b>&"`}, {ID: "/c", Label: "/c"}},
		Edges: []report.Edge{{From: `/a<b>&"`, To: "/c"}},
	}
	svg, err := graph.Draw(t.Context(), g)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(svg, []byte("<svg")) || !bytes.Contains(svg, []byte("/a&lt;b&gt;&amp;")) {
		t.Errorf("drawn: %.300s", svg)
	}
	for dec := xml.NewDecoder(bytes.NewReader(svg)); ; {
		if _, err := dec.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("not well formed: %v", err)
		}
	}
	again, err := graph.Draw(t.Context(), g)
	if err != nil || !bytes.Equal(svg, again) {
		t.Errorf("a second drawing differs (%v)", err)
	}
}

func TestNothingIsDrawnOfAGraphWithoutEdges(t *testing.T) {
	if svg, err := graph.Draw(t.Context(), report.Graph{Nodes: []report.Node{{ID: "/a"}}}); svg != nil || err != nil {
		t.Errorf("drawn: %s, %v", svg, err)
	}
}

func BenchmarkDraw300(b *testing.B) {
	var g report.Graph
	for i := range 300 {
		g.Nodes = append(g.Nodes, report.Node{ID: fmt.Sprint(i), Label: fmt.Sprint(i)})
		if i > 0 {
			g.Edges = append(g.Edges, report.Edge{From: fmt.Sprint(i), To: fmt.Sprint(i / 3)})
		}
	}
	for b.Loop() {
		if _, err := graph.Draw(b.Context(), g); err != nil {
			b.Fatal(err)
		}
	}
}
