// Package graph draws dependency graphs with Graphviz. It takes nodes and
// edges and gives an SVG that can stand inside a page. It never decides what
// is drawn.
package graph

import (
	"bytes"
	"context"
	"fmt"

	"github.com/goccy/go-graphviz"
	"github.com/goccy/go-graphviz/cgraph"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/render/report"
)

// Draw gives the SVG element of g, nil for a graph without edges.
func Draw(ctx context.Context, g report.Graph) (svg []byte, err error) {
	if len(g.Edges) == 0 {
		return nil, nil
	}
	gv, err := graphviz.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("start graphviz: %w", err)
	}
	defer func() { _ = gv.Close() }()
	drawing, err := gv.Graph()
	if err != nil {
		return nil, fmt.Errorf("draw: %w", err)
	}
	defer func() { _ = drawing.Close() }()
	drawing.SetRankDir(cgraph.LRRank)
	drawing.SetNodeSeparator(0.12)
	drawing.SetBackgroundColor("transparent")
	nodes := map[string]*cgraph.Node{}
	for _, n := range g.Nodes {
		node, err := drawing.CreateNodeByName(n.ID)
		if err != nil {
			return nil, fmt.Errorf("draw %s: %w", n.ID, err)
		}
		node.SetLabel(n.Label).SetShape(shape(n.Kind)).SetFontName("sans-serif").SetFontSize(11)
		nodes[n.ID] = node
	}
	for i, e := range g.Edges {
		edge, err := drawing.CreateEdgeByName(fmt.Sprint(i), nodes[e.From], nodes[e.To])
		if err != nil {
			return nil, fmt.Errorf("draw edge: %w", err)
		}
		edge.SetArrowSize(0.6)
		if e.Open {
			edge.SetStyle(cgraph.DashedEdgeStyle)
		}
	}
	var b bytes.Buffer
	if err := gv.Render(ctx, drawing, graphviz.SVG, &b); err != nil {
		return nil, fmt.Errorf("render graph: %w", err)
	}
	// Only the element itself: the prologue has no place inside a page.
	if i := bytes.Index(b.Bytes(), []byte("<svg")); i >= 0 {
		return b.Bytes()[i:], nil
	}
	return nil, fmt.Errorf("render graph: no SVG came out")
}

func shape(k estate.Kind) cgraph.Shape {
	switch k {
	case estate.Job, estate.Schedule:
		return cgraph.EllipseShape
	case estate.Framework, estate.Infrastructure:
		return cgraph.OctagonShape
	}
	return cgraph.BoxShape
}
