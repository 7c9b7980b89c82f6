package swarm

import (
	"io/fs"

	"github.com/compose-spec/compose-go/v2/types"
)

// A Loader reads a Compose model as Docker does: it expands variables, merges
// what is included and extended, and types the result. It touches nothing but
// the snapshot and never refuses a file: what cannot be loaded is left out and
// is one of the problems.
type Loader interface {
	Load(Source) Loaded
}

// A Source is what a Loader loads.
type Source struct {
	FS   fs.FS
	File string
	// Name is the project's name as the file says it, Fallback the one it has otherwise.
	Name     string
	Fallback string
	// Model is the file's content, as Model gives it. The Loader may change it.
	Model map[string]any
	// Secret tells names of variables whose values are secrets.
	Secret func(name string) bool
}

// Loaded is a project, as much of it as could be loaded.
type Loaded struct {
	// Project has the project's final name.
	Project  *types.Project
	Problems []Problem
	// Elsewhere are the services of included files, by the file that has them.
	// They are not in Project.
	Elsewhere map[string]string
	// Variables are those of the .env file beside the definition.
	Variables map[string]string
	// Expand gives a text as it is with its variables expanded.
	Expand func(text string) Expansion
}

// An Expansion is a text without variables. The place of a secret is held by
// its variable's name between SecretOpen and SecretClose.
type Expansion struct {
	Text string
	// Unset are variables that have neither value nor default.
	Unset []string
	// Secrets are variables that hold secrets. They stand in the text as they
	// were written, "${NAME}", whatever their value or default is.
	Secrets []string
	// Bad texts have a dollar that starts no variable; they are kept as they are.
	Bad bool
}

// A Problem is a part of a model that could not be loaded.
type Problem struct {
	Kind ProblemKind
	// Path leads to the part that was left out: services, web, ports, 0.
	Path []string
	// What tells the reason without any value of the file.
	What string
	// File is the missing or unreadable file.
	File string
}

// ProblemKind says what is wrong with a part.
type ProblemKind string

// The kinds of problem.
const (
	UnknownField  ProblemKind = "unknown"  // the specification has no such key
	RefusedField  ProblemKind = "refused"  // the value is not one that the key takes
	AbsentFile    ProblemKind = "absent"   // refers to a file that is not in the snapshot
	BadFile       ProblemKind = "bad file" // refers to a file that cannot be read
	RemoteFile    ProblemKind = "remote"   // refers to something outside of the snapshot
	EndlessDetour ProblemKind = "endless"  // includes or extends itself
)
