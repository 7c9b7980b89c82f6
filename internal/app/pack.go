package app

import (
	"fmt"
	"os"
	"time"

	"github.com/tranship/tranship/internal/base/binpack"
	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/plan/pods"
)

// PackOptions are what a user may say of packing pods alone.
type PackOptions struct {
	// In is the file of pods, Prices the price list: the embedded one if empty.
	In, Prices string
	Region     string
	Types      pods.Filter
	// Survive is "none", "node" or "zone"; Zones is how many zones there are.
	Survive string
	Zones   int
	Seed    uint64
	// Budget is how long the search should take, about.
	Budget time.Duration
}

// patience is how many times the budget, and a moment for what a machine does
// besides, may pass before the search is stopped.
const (
	patience = 3
	moment   = time.Second
)

// Pack packs the pods of a file.
func Pack(o PackOptions) (pods.Answer, diag.List, error) {
	start := time.Now()
	data, err := os.ReadFile(o.In)
	if err != nil {
		return pods.Answer{}, nil, fmt.Errorf("read pods: %w; its form: tranship plan pack --help", err)
	}
	list, err := Prices(o.Prices, o.Region)
	if err != nil {
		return pods.Answer{}, nil, err
	}
	set, diags := pods.Read(o.In, data)
	p := pods.New(&set, &list, &o.Types, pods.Levels()[o.Survive], o.Zones)
	out, more, err := p.Pack(o.In, binpack.Options{
		Seed: o.Seed, Iterations: binpack.Budget(o.Budget.Seconds()), Each: both,
		Stop: func() bool { return time.Since(start) > patience*o.Budget+moment },
	})
	diags = append(diags, more...)
	diags.Sort()
	out.Prices = pods.Prices{Region: list.Region, Date: list.Date, Source: list.Source, Estimated: list.Estimated}
	if out.Prices.Source == "" {
		out.Prices.Source = o.Prices
	}
	out.Seconds = float64(time.Since(start).Milliseconds()) / 1000
	if err == nil && diags.HasErrors() {
		err = ErrInput
	}
	return out, diags, err
}
