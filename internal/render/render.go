// Package render turns a plan into files that people can read, review and
// keep. It takes a plan and gives files one by one. It never needs a network,
// and the same plan gives the same bytes.
package render

import (
	"github.com/tranship/tranship/internal/estate"
)

// A File is one rendered file, its path below the output folder with slashes.
type File struct {
	Path string
	Data []byte
	// Keep marks a file that is the user's once it is there: it is written
	// only if it is missing.
	Keep bool
}

// A Sink takes the files in the order of their making.
type Sink func(File) error

// Options of all renderers.
type Options struct {
	// KubeVersion is the target's minor version: "1.35". Empty is the newest known.
	KubeVersion string
	// Only, if set, renders these workloads alone.
	Only []estate.Name
}
