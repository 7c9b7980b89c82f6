package mesos

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/tranship/tranship/lab/oldworld/keep"
)

// Image is what a container's image says of its process.
type Image struct {
	Entrypoint []string `json:"entrypoint"`
	Cmd        []string `json:"cmd,omitempty"`
	Env        []string `json:"env,omitempty"`
}

// Images finds the programs of images; the package comment tells the layout.
type Images struct {
	Dir      string // the store
	Bin      string // a folder of programs, beside the store
	Programs string // the images of that folder: everything under this name
}

// Find gives the image of a reference, with programs as absolute paths.
func (s Images) Find(ref string) (Image, error) {
	if strings.Contains("/"+ref+"/", "/../") || strings.HasPrefix(ref, "/") {
		return Image{}, fmt.Errorf("image %q: no reference", ref)
	}
	if s.Dir != "" {
		dir := filepath.Join(s.Dir, filepath.FromSlash(ref))
		var i Image
		found, err := keep.Load(filepath.Join(dir, "image.json"), &i)
		if err != nil {
			return Image{}, fmt.Errorf("image %s: %w", ref, err)
		}
		if found {
			return i.in(dir, ref)
		}
	}
	if s.Bin != "" && s.Programs != "" {
		if name, ok := strings.CutPrefix(ref, s.Programs); ok {
			name, _, _ = strings.Cut(name, ":")
			program := filepath.Join(s.Bin, name)
			if info, err := os.Stat(program); err == nil && info.Mode().IsRegular() && name != "" && !strings.Contains(name, "/") {
				return Image{Entrypoint: []string{program}}, nil
			}
		}
	}
	return Image{}, fmt.Errorf("image %s: not in the store", ref)
}

func (i Image) in(dir, ref string) (Image, error) {
	first := append(append([]string{}, i.Entrypoint...), i.Cmd...)
	if len(first) == 0 {
		return Image{}, fmt.Errorf("image %s: neither entrypoint nor cmd", ref)
	}
	resolve := func(args []string) {
		if len(args) > 0 && !filepath.IsAbs(args[0]) {
			if in := filepath.Join(dir, args[0]); exists(in) {
				args[0] = in
			}
		}
	}
	if len(i.Entrypoint) > 0 {
		resolve(i.Entrypoint)
	} else {
		resolve(i.Cmd)
	}
	return i, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
