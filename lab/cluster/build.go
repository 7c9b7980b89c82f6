package cluster

import (
	"context"
	"io"

	"github.com/tranship/tranship/lab/program"
)

// Assets is the folder in which the programs stand.
type Assets = program.Assets

// Build makes the control plane's program, as program.Program.Build does.
func Build(ctx context.Context, moduleDir, cacheDir string, log io.Writer) (Assets, error) {
	return program.Kubernetes.Build(ctx, moduleDir, cacheDir, log)
}

// BuildNodes does the same for the program that plays the nodes, into the same folder.
func BuildNodes(ctx context.Context, moduleDir, cacheDir string, log io.Writer) (Assets, error) {
	return program.KWOK.Build(ctx, moduleDir, cacheDir, log)
}

// ModuleDir finds the lab's own module folder from any folder inside of it.
func ModuleDir(ctx context.Context) (string, error) { return program.ModuleDir(ctx) }

// CacheDir is where programs are kept: $TRANSHIP_LAB_CACHE, else .cache/lab beside the lab's folder.
func CacheDir(moduleDir string) string { return program.CacheDir(moduleDir) }
