// Package cgroup gives the lab's hosts their shares of the machine: a cgroup each, in whatever hierarchies there are.
//
// Input: a path such as /tranship-lab/node1. Output: the kernel's folders of it, made, joined and removed.
package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const mounted = "/sys/fs/cgroup"

// Make makes a cgroup in every hierarchy there is (version 1), or in the one (version 2) with all controllers
// handed down.
func Make(path string) error {
	roots, one, err := hierarchies()
	if err != nil {
		return err
	}
	for _, root := range roots {
		dir := root
		for _, part := range strings.Split(strings.Trim(path, "/"), "/") {
			if one {
				if err := handDown(dir); err != nil {
					return err
				}
			}
			dir = filepath.Join(dir, part)
			if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
				return fmt.Errorf("make cgroup: %w", err)
			}
			if err := errors.Join(inherit(dir), weigh(dir)); err != nil {
				return err
			}
		}
		if one {
			if err := handDown(dir); err != nil {
				return err
			}
		}
	}
	return nil
}

// Host makes the cgroup of a host and puts a process there, with what it starts from then on. One that yields has a
// quarter of the processor time that others have while there is too little for all.
func Host(path string, pid int, yields bool) error {
	if err := Make(path); err != nil {
		return err
	}
	for _, dir := range Folders(path) {
		one, file, ok := weight(dir)
		if !ok {
			continue // nothing that shares out processors
		}
		if yields {
			if err := os.WriteFile(file, []byte(strconv.Itoa(share*one/4)), 0o644); err != nil {
				return fmt.Errorf("weigh host: %w", err)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0o644); err != nil {
			return fmt.Errorf("put process on host: %w", err)
		}
	}
	return nil
}

// Remove removes a cgroup with all below it, in every hierarchy. Nothing may run in it any more.
func Remove(path string) error {
	for _, root := range Folders(path) {
		var dirs []string
		err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				dirs = append(dirs, p)
			}
			return err
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove cgroup: %w", err)
		}
		for i := len(dirs) - 1; i >= 0; i-- { // the deepest first
			if err := os.Remove(dirs[i]); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("remove cgroup: %w", err)
			}
		}
	}
	return nil
}

// Folders gives the folders that a cgroup has, one in each hierarchy.
func Folders(path string) []string {
	found, _ := filepath.Glob(filepath.Join(mounted, "*", path)) // the pattern is a good one
	if dir := filepath.Join(mounted, path); isDir(dir) {
		found = append(found, dir)
	}
	return found
}

// hierarchies gives the folders of all hierarchies, and whether there is only the one of version 2.
func hierarchies() (roots []string, one bool, err error) {
	if _, err := os.Stat(filepath.Join(mounted, "cgroup.controllers")); err == nil {
		return []string{mounted}, true, nil
	}
	entries, err := os.ReadDir(mounted)
	if err != nil {
		return nil, false, fmt.Errorf("list cgroups: %w", err)
	}
	for _, e := range entries {
		// Links are other names of the same; "unified" is version 2 without controllers, which nobody uses.
		if dir := filepath.Join(mounted, e.Name()); e.IsDir() && isFile(filepath.Join(dir, "tasks")) {
			roots = append(roots, dir)
		}
	}
	if len(roots) == 0 {
		return nil, false, fmt.Errorf("list cgroups: no hierarchy is mounted below %s", mounted)
	}
	return roots, false, nil
}

// inherit gives a new cgroup its parent's processors and memory: version 1 leaves both empty, and nothing can run there.
func inherit(dir string) error {
	for _, name := range []string{"cpuset.cpus", "cpuset.mems"} {
		file := filepath.Join(dir, name)
		have, err := os.ReadFile(file)
		if err != nil || strings.TrimSpace(string(have)) != "" {
			continue // no such controller here, or it is set
		}
		above, err := os.ReadFile(filepath.Join(filepath.Dir(dir), name))
		if err != nil {
			return fmt.Errorf("set %s: %w", name, err)
		}
		if len(strings.TrimSpace(string(above))) == 0 {
			continue // version 2: empty means the parent's
		}
		if err := os.WriteFile(file, above, 0o644); err != nil {
			return fmt.Errorf("set %s: %w", name, err)
		}
	}
	return nil
}

// share is how many processes outside a cgroup has the processor time of.
const share = 16

// weigh gives a cgroup its share.
func weigh(dir string) error {
	one, file, ok := weight(dir)
	if !ok {
		return nil
	}
	if err := os.WriteFile(file, []byte(strconv.Itoa(share*one)), 0o644); err != nil {
		return fmt.Errorf("weigh cgroup: %w", err)
	}
	return nil
}

// weight gives the file that shares out processors, and what it says of one process outside.
func weight(dir string) (one int, file string, ok bool) {
	if file = filepath.Join(dir, "cpu.shares"); isFile(file) {
		return 1024, file, true // version 1
	}
	file = filepath.Join(dir, "cpu.weight")
	return 100, file, isFile(file)
}

// handDown lets the cgroups below dir have all of its controllers (version 2).
func handDown(dir string) error {
	text, err := os.ReadFile(filepath.Join(dir, "cgroup.controllers"))
	if err != nil {
		return fmt.Errorf("hand down controllers: %w", err)
	}
	for _, c := range strings.Fields(string(text)) {
		if err := os.WriteFile(filepath.Join(dir, "cgroup.subtree_control"), []byte("+"+c), 0o644); err != nil {
			return fmt.Errorf("hand down controller %s: %w", c, err)
		}
	}
	return nil
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
