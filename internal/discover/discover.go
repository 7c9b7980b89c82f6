// Package discover reads a snapshot, or any folder of exported definitions,
// into an estate with the field ledger and diagnostics. It takes an fs.FS and
// the readers of the dialects. It never guesses in silence: what is proposed
// is in the ledger, what is not understood is in the diagnostics, and no
// secret's value goes on.
package discover

import (
	"cmp"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/base/snapshot"
	"github.com/tranship/tranship/internal/base/yamlpos"
	"github.com/tranship/tranship/internal/estate"
)

// A Document is one value of one file: a whole JSON file, one of the values of
// a JSON stream, or one YAML document.
type Document struct {
	File string
	Root *jsonpos.Value
	// YAML is set for documents that came from YAML.
	YAML bool
	// Data is the whole file, for readers that load it by a library.
	Data []byte
	// FS is the snapshot, for readers of definitions that refer to files
	// beside them.
	FS fs.FS
}

// A Reader turns the documents of one dialect into workloads, hosts and
// endpoints.
type Reader interface {
	// Recognise says whether the document has a shape that the reader reads.
	// It looks at keys and never at the file's name.
	Recognise(*Document) bool
	// Read reads it. Every leaf below the root that it does not note is swept
	// up afterwards as unknown.
	Read(*Document, *Builder)
}

// A LabelReader reads the labels that a dialect gives a meaning to, whatever
// the definition that they stand in: marathon-lb's, for example.
type LabelReader interface {
	// Claims says whether the label is one of this reader's.
	Claims(key string) bool
	// ReadLabels reads all claimed labels of one workload, and notes each.
	ReadLabels(*estate.Workload, []Label, *Builder)
}

// A Finisher works on the whole estate once all files are read, in the order
// in which the readers were given.
type Finisher interface {
	Finish(*Builder)
}

// Options change what counts as a secret.
type Options struct {
	// SecretNames are further patterns, as path.Match has them, of variables
	// whose values are secrets; case does not matter.
	SecretNames []string
	// SnapshotSHA256 is the snapshot's digest, as package snapshot gives it.
	SnapshotSHA256 string
	// Progress, if set, is told of each file that is begun.
	Progress func(file string, n, of int)
}

// A Result is what a snapshot holds.
type Result struct {
	Estate estate.Estate
	Ledger []ledger.Entry
	Diags  diag.List
}

// Read reads all files of fsys. Readers are asked in their order; the first
// that recognises a document reads it.
func Read(fsys fs.FS, readers []any, opts Options) Result {
	b := newBuilder(readers, opts)
	b.verify(fsys)
	files := b.list(fsys)
	for i, file := range files {
		if opts.Progress != nil {
			opts.Progress(file, i+1, len(files))
		}
		b.readFile(fsys, file)
	}
	b.estate.SnapshotSHA256 = opts.SnapshotSHA256
	return b.finish(readers)
}

// verify holds the folder against its list of answers, if it has one.
func (b *Builder) verify(fsys fs.FS) {
	list, err := snapshot.Read(fsys)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	at := diag.Pos{File: snapshot.FileName}
	if err != nil {
		b.Report(diag.Diagnostic{
			Code: UnreadableFile, Severity: diag.Error, Pos: at, Subject: "snapshot", Problem: err.Error(),
			Hint: "capture again, or delete the list to read the files as an export",
		})
		return
	}
	for _, a := range list.Unanswered() {
		b.Report(diag.Diagnostic{
			Code: AnswerMissing, Severity: diag.Warning, Pos: at, Subject: "answer " + a.Path,
			Problem: "is not in the snapshot: " + cmp.Or(a.Error, "never asked"),
			Hint:    "run capture again with the same --out: it asks only for what is missing",
		})
	}
	for _, p := range list.Verify(fsys) {
		b.Report(diag.Diagnostic{
			Code: AnswerChanged, Severity: diag.Error, Pos: diag.Pos{File: p.Path}, Subject: "answer", Problem: p.Problem,
			Hint: "capture again: what is in the folder is not what was answered",
		})
	}
}

func (b *Builder) list(fsys fs.FS) []string {
	var files []string
	_ = fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			b.Report(diag.Diagnostic{
				Code: UnreadableFile, Severity: diag.Error, Pos: diag.Pos{File: name}, Subject: "file",
				Problem: "cannot be read: " + reason(err), Hint: "make it readable and run discover again; the rest was read",
			})
			if d != nil && d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		hidden := strings.HasPrefix(path.Base(name), ".") && name != "."
		switch {
		case d.IsDir() && hidden:
			return fs.SkipDir
		case hidden && path.Ext(name) != ".json": // a tool's own settings are seldom JSON, definitions are
		case !d.IsDir() && name != snapshot.FileName && !snapshot.IsPartial(name) && isDefinition(name):
			files = append(files, name)
		}
		return nil
	})
	slices.Sort(files)
	return files
}

// lists are the keys under which definitions stand in a row: of a file that
// ends too early, those that are whole are read.
var lists = []string{"apps", "groups", "pods", "jobs", "pools", "slaves", "frameworks", "tasks", "agents"}

// isDefinition tells by its ending whether a file can hold definitions. What
// else lies in the folder (a README, an env file) is none of discover's.
func isDefinition(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".json", ".yaml", ".yml", ".jsonl", ".ndjson", "":
		return true
	}
	return false
}

func (b *Builder) readFile(fsys fs.FS, file string) {
	data, err := fs.ReadFile(fsys, file)
	if err != nil {
		b.Report(diag.Diagnostic{
			Code: UnreadableFile, Severity: diag.Error, Pos: diag.Pos{File: file}, Subject: "file",
			Problem: "cannot be read: " + reason(err), Hint: "make it readable and run discover again; the rest was read",
		})
		return
	}
	docs := b.parse(file, data)
	known := false
	var odd []*Document
	for _, d := range docs {
		d.FS = fsys
		if b.readDocument(d) {
			known = true
		} else {
			odd = append(odd, d)
		}
	}
	if known {
		b.strangers(odd)
	}
	if len(docs) > 0 && !known {
		b.Report(diag.Diagnostic{
			Code: NotADefinition, Severity: diag.Warning, Pos: docs[0].Root.Pos(file), Subject: "file",
			Problem: "has no shape that tranship reads, and was skipped",
			Hint:    "shapes: Marathon app, list, group, pod; Metronome job; Edge-LB V2 pool; Mesos state; Compose or stack file",
		})
	}
}

// strangers enters the documents that no reader knows in a file of which
// others were read: a file without any is reported as a whole.
func (b *Builder) strangers(docs []*Document) {
	for _, d := range docs {
		b.Report(diag.Diagnostic{
			Code: NotADefinition, Severity: diag.Warning, Pos: d.Root.Pos(d.File), Subject: "document",
			Problem: "has no shape that tranship reads, and was skipped", Hint: "the file's other documents were read",
		})
		b.sweep(d.File, d.Root)
	}
}

func (b *Builder) readDocument(d *Document) bool {
	for _, r := range b.readers {
		if r.Recognise(d) {
			r.Read(d, b)
			b.sweep(d.File, d.Root)
			return true
		}
	}
	return false
}

func (b *Builder) parse(file string, data []byte) []*Document {
	if slices.Contains(data[:min(len(data), 8000)], 0) {
		b.Report(diag.Diagnostic{
			Code: NotADefinition, Severity: diag.Warning, Pos: diag.Pos{File: file}, Subject: "file",
			Problem: "is binary, and was skipped", Hint: "export definitions as JSON or YAML",
		})
		return nil
	}
	var docs []*Document
	if isJSON(file, data) {
		tree := jsonpos.Parse(file, data)
		for _, p := range tree.Duplicates {
			b.Report(diag.Diagnostic{
				Code: DuplicateKey, Severity: diag.Warning, Pos: p.Pos, Subject: "key " + p.Text,
				Problem: "stands twice in one object; the last one counts", Hint: "delete the one that is not meant",
			})
		}
		if tree.End != nil {
			b.broken(tree.End)
			if tree.Root != nil && !tree.Root.Whole(lists...) {
				return nil
			}
		}
		switch {
		case tree.Root == nil && tree.End == nil:
			b.empty(file)
		case tree.Root == nil:
		case tree.Stream:
			for _, e := range tree.Root.Elems() {
				docs = append(docs, &Document{File: file, Root: e, Data: data})
			}
		default:
			docs = append(docs, &Document{File: file, Root: tree.Root, Data: data})
		}
		return docs
	}
	roots, problem := yamlpos.Parse(file, data)
	if problem != nil {
		b.broken(problem)
	}
	for _, r := range roots {
		if r.Kind() == jsonpos.Object || len(roots) == 1 {
			docs = append(docs, &Document{File: file, Root: r, YAML: true, Data: data})
		}
	}
	if len(docs) == 0 && problem == nil {
		b.empty(file)
	}
	return docs
}

func (b *Builder) broken(p *jsonpos.Problem) {
	b.Report(diag.Diagnostic{
		Code: BrokenSyntax, Severity: diag.Error, Pos: p.Pos, Subject: "file", Problem: p.Text,
		Hint: "what is whole before this place was read; mend the file or export it again",
	})
}

func (b *Builder) empty(file string) {
	b.Report(diag.Diagnostic{
		Code: NotADefinition, Severity: diag.Warning, Pos: diag.Pos{File: file}, Subject: "file",
		Problem: "is empty, and was skipped", Hint: "delete it, or export it again",
	})
}

func isJSON(file string, data []byte) bool {
	switch strings.ToLower(path.Ext(file)) {
	case ".json", ".jsonl", ".ndjson":
		return true
	case ".yaml", ".yml":
		return false
	}
	text := strings.TrimLeft(string(data[:min(len(data), 200)]), "\ufeff \t\r\n")
	return strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[")
}

// reason gives an error's cause without the path, which the diagnostic has.
func reason(err error) string {
	if pe, ok := err.(*fs.PathError); ok { //nolint:errorlint // only the outermost wrapper repeats the path
		return pe.Err.Error()
	}
	return err.Error()
}
