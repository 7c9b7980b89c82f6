// Package swarm reads Compose files and Swarm stack files. It takes the values
// of one YAML file, and the typed project that a Loader makes of them, and
// gives one workload a service, with a ledger entry for each leaf as it was
// written: before merges and variables. It never reads the environment of the
// process, and never refuses a service for one of its fields.
package swarm

import (
	"io/fs"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/estate"
)

// A Reader reads Compose and stack files by way of its Loader.
type Reader struct {
	Loader Loader
}

// Recognise implements discover.Reader.
func (Reader) Recognise(d *discover.Document) bool { return recognise(d) }

// Read implements discover.Reader.
func (r Reader) Read(d *discover.Document, b *discover.Builder) {
	src := Source{FS: d.FS, File: d.File, Fallback: fallbackName(d.File), Model: Model(d.Root), Secret: b.IsSecretName}
	version1 := isVersion1(d.Root)
	if !version1 {
		src.Name = real(d.Root.Get("name")).Text()
	}
	s := &scope{
		b: b, file: d.File, root: d.Root, l: r.Loader.Load(src), fs: d.FS,
		notes: map[*jsonpos.Value]note{}, gone: map[*jsonpos.Value]Problem{}, hints: map[*jsonpos.Value]bool{},
		services: map[string]*service{},
	}
	s.project = s.l.Project.Name
	s.rawServices = real(d.Root.Get("services"))
	if version1 {
		s.rawServices = d.Root
	}
	s.freeName()
	s.problems()
	s.stack = s.isStack()
	s.readServices()
	s.readTop(version1)
	s.finish()
}

// scope is the reading of one document.
type scope struct {
	b           *discover.Builder
	file        string
	root        *jsonpos.Value
	rawServices *jsonpos.Value
	l           Loaded
	fs          fsys
	project     string
	// stack is set where the file asks for what only Swarm does.
	stack    bool
	notes    map[*jsonpos.Value]note
	order    []*jsonpos.Value
	gone     map[*jsonpos.Value]Problem
	hints    map[*jsonpos.Value]bool // leaves whose entries a label reader makes
	services map[string]*service
	list     []*service
}

// id gives a service's name in the estate.
func (s *scope) id(name string) estate.Name { return estate.Name("/" + s.project + "/" + name) }

// freeName finds a name for the project under which none of its services is
// there already: folders hold several variants of one stack.
func (s *scope) freeName() {
	taken := func() bool {
		for name := range s.l.Project.Services {
			if s.b.Workload(s.id(name)) != nil {
				return true
			}
		}
		return false
	}
	if !taken() {
		return
	}
	was := s.project
	s.project += "-" + baseName(s.file)
	for taken() {
		s.project += "-2"
	}
	s.b.Report(diag.Diagnostic{
		Code: ProjectTaken, Severity: diag.Warning, Pos: s.root.Pos(s.file), Subject: "project " + was,
		Problem: "has services of the same names in another file; these are read as project " + s.project,
		Hint:    "if one file overrides the other, capture the merged output of docker stack config or docker compose config",
	})
}

// report gives a diagnostic about the value at v.
func (s *scope) report(code diag.Code, sev diag.Severity, subject string, v *jsonpos.Value, problem, hint string) {
	s.b.Report(diag.Diagnostic{
		Code: code, Severity: sev, Pos: v.Pos(s.file), Subject: subject, Problem: problem, Hint: hint,
	})
}

// problems reports what the loader left out, and remembers it.
func (s *scope) problems() {
	for _, p := range s.l.Problems {
		v := s.place(p.Path)
		if v == nil {
			v = s.root
		} else if p.Kind != AbsentFile || p.Path[0] == "include" || p.Path[len(p.Path)-1] == "extends" {
			s.gone[v] = p
		}
		subject := "file"
		if len(p.Path) > 1 {
			subject = strings.TrimSuffix(p.Path[0], "s") + " " + p.Path[1]
		}
		switch p.Kind {
		case RefusedField:
			s.report(RefusedValue, diag.Error, subject, v, "field "+strings.Join(p.Path, ".")+" cannot be read: "+p.What,
				"the field was left out and the rest was read; correct it at the source")
		case AbsentFile:
			s.report(MissingFile, diag.Warning, subject, v, "refers to "+p.File+", which is not in the snapshot",
				"put the file beside the definition and run discover again; what it says is left out")
		case BadFile:
			s.report(UnusableFile, diag.Warning, subject, v, "refers to "+p.File+", which cannot be read as what it should be",
				"mend the file; what it says is left out")
		case RemoteFile:
			s.report(MissingFile, diag.Warning, subject, v, "refers to "+p.File+", outside of the snapshot",
				"put a copy into the snapshot and refer to that; what it says is left out")
		case EndlessDetour:
			s.report(EndlessInclude, diag.Error, subject, v, "includes or extends itself by way of "+p.File,
				"break the circle; what it says is left out")
		}
	}
}

// place follows a problem's path through the file as it was written.
func (s *scope) place(path []string) *jsonpos.Value {
	if len(path) == 0 {
		return nil
	}
	v := s.root
	if path[0] == "services" {
		v = s.rawServices
		path = path[1:]
		if len(path) > 0 {
			have, _ := members(v)
			v = nil
			for _, m := range have {
				if serviceKey(m.key) == path[0] {
					v = m.v
				}
			}
			path = path[1:]
		}
	}
	for _, k := range path {
		up := v
		if v = child(v, k); v == nil {
			v = oldChild(up, k)
		}
		if v == nil {
			return up
		}
	}
	return v
}

// oldChild finds what today's key k was called before.
func oldChild(v *jsonpos.Value, k string) *jsonpos.Value {
	for old, now := range oldKeys {
		if now == k {
			return child(v, old)
		}
	}
	if k == "logging" {
		return child(v, "log_driver")
	}
	return nil
}

// isStack tells a Swarm stack from a plain Compose file by what only Swarm does.
func (s *scope) isStack() bool {
	for _, c := range s.l.Project.Services {
		if d := c.Deploy; d != nil && (d.Mode != "" || d.EndpointMode != "" || d.UpdateConfig != nil || d.RollbackConfig != nil ||
			d.RestartPolicy != nil || len(d.Placement.Constraints)+len(d.Placement.Preferences) > 0 || d.Placement.MaxReplicas > 0) {
			return true
		}
	}
	for _, n := range s.l.Project.Networks {
		if n.Driver == "overlay" {
			return true
		}
	}
	return false
}

func (s *scope) readServices() {
	have, hidden := members(s.rawServices)
	for _, m := range hidden {
		s.note("", m.v, overridden)
	}
	for _, m := range have {
		if strings.HasPrefix(m.key, "x-") && isVersion1(s.root) {
			continue
		}
		name := serviceKey(m.key)
		c, ok := s.l.Project.Services[name]
		if !ok {
			c = types.ServiceConfig{Name: name}
		}
		c.Name = name
		x := &service{scope: s, name: name, raw: m.v, c: c}
		s.services[name] = x
		s.list = append(s.list, x)
	}
	for _, x := range s.list {
		x.begin()
	}
	for _, x := range s.list {
		if x.w != nil {
			x.read()
		}
	}
}

var (
	overridden = discover.Ruling{
		Verdict: ledger.Informational, Code: Overridden, Reason: "another value for the same key takes its place",
	}
	empty = discover.Ruling{
		Verdict: ledger.Informational, Code: discover.EmptyValue, Reason: "asks for nothing",
	}
	unusedExtension = discover.Ruling{
		Verdict: ledger.Informational, Code: Extension, Reason: "an extension key, which Compose itself ignores",
	}
)

func exact(code diag.Code, target, reason string) discover.Ruling {
	return discover.Ruling{Verdict: ledger.Exact, Code: code, Target: target, Reason: reason}
}

func equivalent(code diag.Code, target, reason string) discover.Ruling {
	return discover.Ruling{Verdict: ledger.Equivalent, Code: code, Target: target, Reason: reason}
}

func decision(code diag.Code, target, reason string) discover.Ruling {
	return discover.Ruling{Verdict: ledger.Decision, Code: code, Target: target, Reason: reason}
}

func approximate(code diag.Code, target, reason string) discover.Ruling {
	return discover.Ruling{Verdict: ledger.Approximate, Code: code, Target: target, Reason: reason}
}

func dropped(code diag.Code, reason string) discover.Ruling {
	return discover.Ruling{Verdict: ledger.Dropped, Code: code, Reason: reason}
}

func informational(code diag.Code, reason string) discover.Ruling {
	return discover.Ruling{Verdict: ledger.Informational, Code: code, Reason: reason}
}

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
