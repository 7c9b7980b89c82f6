// Package app joins the parts: it takes what a user asked for, calls the
// stages in their order and hands each what it needs from the world. It is the
// one package that knows all others, and it never decides what a stage should.
package app

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/snapshot"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/policy"
)

// ErrInput is returned when the input has errors: all are in the diagnostics,
// and what could be done was done.
var ErrInput = errors.New("input has errors")

// PolicyFile is where the policy is looked for when no file is named.
const PolicyFile = "tranship.yaml"

// Policy reads the policy file. Without a name, tranship.yaml in the working
// folder is read if it is there, else the defaults hold and found is empty.
func Policy(name string) (p policy.Policy, found string, diags diag.List, err error) {
	file := name
	if file == "" {
		file = PolicyFile
	}
	data, err := os.ReadFile(file)
	if err != nil {
		if name == "" && errors.Is(err, fs.ErrNotExist) {
			return policy.Default(), "", nil, nil
		}
		return policy.Policy{}, "", nil, fmt.Errorf("read policy: %w", err)
	}
	p, diags = policy.Parse(file, data)
	if diags.HasErrors() {
		return p, file, diags, ErrInput
	}
	return p, file, diags, nil
}

// Discover reads the files or the folder at paths.
func Discover(paths []string, p policy.Policy, progress func(file string, n, of int)) (discover.Result, error) {
	fsys, err := inputs(paths)
	if err != nil {
		return discover.Result{}, fmt.Errorf("open input: %w; name a snapshot (tranship capture --out snapshot makes one), or exported definitions", err)
	}
	sum, err := snapshot.DigestFS(fsys)
	if err != nil {
		sum = "" // discover reports each file that cannot be read
	}
	return discover.Read(fsys, Readers(), discover.Options{
		SecretNames: p.Spec.Secrets.Names, SnapshotSHA256: sum, Progress: progress,
	}), nil
}

// ReadEstate reads an estate's file.
func ReadEstate(file string) (estate.Estate, error) {
	f, err := os.Open(file)
	if err != nil {
		return estate.Estate{}, fmt.Errorf("read estate: %w", err)
	}
	defer f.Close()
	e, err := estate.Read(f)
	if err != nil {
		return estate.Estate{}, fmt.Errorf("read estate %s: %w", file, err)
	}
	return e, nil
}

// ReadPlan reads a plan's file and checks its seal (plan.ErrSeal).
func ReadPlan(file string) (plan.Plan, error) {
	f, err := os.Open(file)
	if err != nil {
		return plan.Plan{}, fmt.Errorf("read plan: %w", err)
	}
	defer f.Close()
	p, err := plan.Read(f)
	if err != nil {
		return plan.Plan{}, fmt.Errorf("read plan %s: %w", file, err)
	}
	return p, nil
}

// WriteFile writes a file in one step: whoever reads it sees the old or the
// new content, never a part. The file is for its owner alone.
func WriteFile(file string, write func(*os.File) error) (err error) {
	tmp, err := os.CreateTemp(filepath.Dir(file), ".tranship-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	defer func() {
		if err != nil {
			_ = tmp.Close()
			_ = os.Remove(tmp.Name())
		}
	}()
	if err = write(tmp); err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	if err = tmp.Sync(); err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	if err = tmp.Close(); err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	if err = os.Rename(tmp.Name(), file); err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	return nil
}
