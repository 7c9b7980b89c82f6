// Package compose loads Compose and stack files with compose-go. It takes a
// model and the snapshot that its file lies in, and gives the typed project
// with the problems of what had to be left out. It never reads the process'
// environment, a file outside of the snapshot, or a disk of its own accord:
// included and extended files are loaded by it from the snapshot and handed to
// compose-go in memory.
package compose

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"

	"github.com/tranship/tranship/internal/discover/swarm"
)

// A Loader loads Compose files. Its zero value works.
type Loader struct{}

// maxLoads bounds how often a file is tried again without a part of it.
const maxLoads = 4000

// maxFile bounds what is read of a file that another one refers to.
const maxFile = 8 << 20

// Load implements swarm.Loader.
func (Loader) Load(src swarm.Source) swarm.Loaded {
	l := &load{
		src: src, dir: path.Dir(src.File), vars: map[string]string{}, elsewhere: map[string]string{},
		hidden: map[string]bool{}, left: maxLoads,
	}
	l.readDotenv(".env")
	l.name = loader.NormalizeProjectName(l.expand(src.Name).Text)
	if l.name == "" {
		l.name = loader.NormalizeProjectName(src.Fallback)
	}
	if l.name == "" {
		l.name = "project"
	}
	l.vars["COMPOSE_PROJECT_NAME"] = l.name
	l.include(src.Model, []string{src.File})
	l.extend(src.Model, []string{src.File})
	p := l.project(src.Model)
	for name := range p.Services {
		if l.hidden[name] || l.elsewhere[name] != "" {
			delete(p.Services, name)
		}
	}
	p.Name = l.name
	delete(l.vars, "COMPOSE_PROJECT_NAME")
	return swarm.Loaded{
		Project: p, Problems: l.problems, Elsewhere: l.elsewhere, Variables: l.vars, Expand: l.expand,
	}
}

// load is the loading of one file.
type load struct {
	src       swarm.Source
	dir       string
	name      string
	vars      map[string]string
	elsewhere map[string]string
	hidden    map[string]bool
	problems  []swarm.Problem
	left      int
}

func (l *load) problem(kind swarm.ProblemKind, what, file string, at ...string) {
	l.problems = append(l.problems, swarm.Problem{Kind: kind, Path: slices.Clone(at), What: what, File: file})
}

// errOutside is a path that leaves the snapshot.
var errOutside = errors.New("lies outside of the snapshot")

// read reads a file by its path relative to the definition's folder.
func (l *load) read(rel string) (data []byte, file string, err error) {
	if path.IsAbs(rel) {
		return nil, rel, errOutside
	}
	file = path.Join(l.dir, rel)
	if !fs.ValidPath(file) {
		return nil, rel, errOutside
	}
	st, err := fs.Stat(l.src.FS, file)
	if err != nil {
		return nil, file, err
	}
	if st.IsDir() || st.Size() > maxFile {
		return nil, file, fmt.Errorf("read %s: no file of readable size", file)
	}
	data, err = fs.ReadFile(l.src.FS, file)
	return data, file, err
}

func kindOf(err error) swarm.ProblemKind {
	switch {
	case errors.Is(err, errOutside):
		return swarm.RemoteFile
	case errors.Is(err, fs.ErrNotExist):
		return swarm.AbsentFile
	}
	return swarm.BadFile
}

// readDotenv adds the variables of an env file; those that are there stay.
func (l *load) readDotenv(rel string, at ...string) {
	data, file, err := l.read(rel)
	if err != nil {
		if len(at) > 0 {
			l.problem(kindOf(err), "", file, at...)
		}
		return
	}
	vars, err := parseDotenv(data, func(name string) (string, bool) { v, ok := l.vars[name]; return v, ok })
	if err != nil {
		l.problem(swarm.BadFile, "", file, at...)
	}
	for k, v := range vars {
		if _, ok := l.vars[k]; !ok {
			l.vars[k] = v
		}
	}
}

func parseDotenv(data []byte, lookup dotenv.LookupFn) (vars map[string]string, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("parse env file: %v", r)
		}
	}()
	return dotenv.UnmarshalBytesWithLookup(data, lookup)
}

// try loads a model as it is.
func (l *load) try(model map[string]any) (p *types.Project, err error) {
	if l.left--; l.left < 0 {
		return nil, errors.New("too many parts cannot be loaded")
	}
	err = guard(func() (err error) {
		p, err = loader.LoadWithContext(context.Background(), l.details(model), l.options(false))
		return err
	})
	return p, err
}

// details gives compose-go a copy of the model: it changes what it is given.
func (l *load) details(model map[string]any) types.ConfigDetails {
	env := types.Mapping{}
	for k, v := range l.vars {
		if !l.src.Secret(k) {
			env[k] = v
		}
	}
	config := clone(model).(map[string]any)
	config["x-loaded"] = true // compose-go refuses a model without anything in it
	return types.ConfigDetails{
		WorkingDir: ".", Environment: env, ConfigFiles: []types.ConfigFile{{Filename: l.src.File, Config: config}},
	}
}

func (l *load) options(resolve bool) func(*loader.Options) {
	return func(o *loader.Options) {
		o.SetProjectName(l.name, true)
		o.SkipNormalization, o.SkipConsistencyCheck = true, true
		o.SkipResolveEnvironment, o.SkipResolveLabels = true, true
		o.SkipInclude = true
		o.ResolvePaths = resolve
		o.Profiles = []string{"*"}
		o.ResourceLoaders = []loader.ResourceLoader{sealed{}}
		o.Interpolate.Substitute = l.substitute
		o.Interpolate.LookupValue = l.lookup
	}
}

// guard turns a panic of compose-go into an error: a bad field is no reason to stop.
func guard(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("load: %v", r)
		}
	}()
	return f()
}

// sealed keeps compose-go from the disk: whatever it asks for is not there.
type sealed struct{}

func (sealed) Accept(string) bool { return true }

func (sealed) Load(_ context.Context, p string) (string, error) {
	return "", &fs.PathError{Op: "open", Path: p, Err: fs.ErrNotExist}
}

func (sealed) Dir(string) string { return "." }

// clone copies a model.
func clone(v any) any {
	switch v := v.(type) {
	case map[string]any:
		m := make(map[string]any, len(v))
		for k, e := range v {
			m[k] = clone(e)
		}
		return m
	case []any:
		l := make([]any, len(v))
		for i, e := range v {
			l[i] = clone(e)
		}
		return l
	}
	return v
}
