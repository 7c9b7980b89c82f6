package plan

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"

	"github.com/tranship/tranship/internal/base/jsonfile"
)

// ErrSeal is returned by Read for a plan that was changed after it was made.
var ErrSeal = errors.New("the plan is not as it was sealed")

// Write writes the plan's file: one workload and ledger entry a line.
func (p *Plan) Write(w io.Writer) error {
	buf := bufio.NewWriterSize(w, 1<<16)
	shell, streams := p.split()
	if err := jsonfile.Write(buf, shell, streams); err != nil {
		return err
	}
	return buf.Flush()
}

// Sum gives the hash that seals the plan: the SHA-256, in hex, of its
// canonical JSON without the seal.
func (p *Plan) Sum() (string, error) {
	h := sha256.New()
	buf := bufio.NewWriterSize(h, 1<<16)
	shell, streams := p.split()
	shell.Seal = ""
	if err := jsonfile.Canonical(buf, shell, streams); err != nil {
		return "", err
	}
	if err := buf.Flush(); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// split parts the plan into its small fields and its large arrays.
func (p *Plan) split() (Plan, jsonfile.Streams) {
	shell := *p
	streams := jsonfile.Streams{
		"/ledger":     jsonfile.Elements(p.Ledger),
		"/sizes":      jsonfile.Elements(p.Sizes),
		"/placements": jsonfile.Elements(p.Placements),
		"/waves":      jsonfile.Elements(p.Waves),
	}
	maps.Copy(streams, p.Estate.Streams("/estate"))
	shell.Ledger, shell.Sizes, shell.Placements, shell.Waves = nil, nil, nil, nil
	shell.Estate.Workloads, shell.Estate.Dependencies, shell.Estate.Endpoints = nil, nil, nil
	return shell, streams
}

// Read reads a plan's file and holds it against its seal (ErrSeal).
func Read(r io.Reader) (Plan, error) {
	var p Plan
	dec := json.NewDecoder(bufio.NewReaderSize(r, 1<<16))
	dec.DisallowUnknownFields()
	err := jsonfile.Object(dec, func(key string) error {
		switch key {
		case "version":
			return dec.Decode(&p.Version)
		case "asOf":
			return dec.Decode(&p.AsOf)
		case "estate":
			return p.Estate.Decode(dec)
		case "policy":
			return dec.Decode(&p.Policy)
		case "prices":
			return dec.Decode(&p.Prices)
		case "usage":
			return jsonfile.Slice(dec, &p.Usage)
		case "nodes":
			return jsonfile.Slice(dec, &p.Nodes)
		case "survival":
			return dec.Decode(&p.Survival)
		case "bill":
			return dec.Decode(&p.Bill)
		case "sizes":
			return jsonfile.Slice(dec, &p.Sizes)
		case "pools":
			return jsonfile.Slice(dec, &p.Pools)
		case "placements":
			return jsonfile.Slice(dec, &p.Placements)
		case "priorities":
			return jsonfile.Slice(dec, &p.Priorities)
		case "waves":
			return jsonfile.Slice(dec, &p.Waves)
		case "ledger":
			return jsonfile.Slice(dec, &p.Ledger)
		case "seal":
			return dec.Decode(&p.Seal)
		}
		return errors.New("is no field of a plan")
	})
	if err != nil {
		return Plan{}, fmt.Errorf("not a plan file: %w", err)
	}
	if p.Version != Version {
		return Plan{}, fmt.Errorf("plan has version %d, this program reads %d", p.Version, Version)
	}
	sum, err := p.Sum()
	if err != nil {
		return Plan{}, err
	}
	if sum != p.Seal {
		return Plan{}, fmt.Errorf("%w: it says %.12s, its content gives %.12s", ErrSeal, p.Seal, sum)
	}
	return p, nil
}
