// Package metronome reads Metronome's jobs: a job, lists of them, answers of
// both versions of its API, and schedules that stand by themselves. It takes
// JSON values and gives workloads that run to their end, with a ledger entry
// for each leaf. It never loses a schedule in silence: one that cannot be kept
// is an error.
package metronome

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/discover/field"
	"github.com/tranship/tranship/internal/estate"
)

// Reader reads jobs.
type Reader struct{}

// shape is what a value is by its keys.
type shape int

const (
	unknown shape = iota
	job
	schedule
	run // of a job: evidence
	list
)

// Recognise takes a job, a schedule, a job's run, and an array in which one
// stands.
func (Reader) Recognise(d *discover.Document) bool { return shapeOf(d.Root) != unknown }

func shapeOf(v *jsonpos.Value) shape {
	if v.Kind() == jsonpos.Array {
		for _, e := range v.Elems() {
			if e.Kind() == jsonpos.Object && objectShape(e) != unknown {
				return list
			}
		}
		return unknown
	}
	if v.Get("jobs").Kind() == jsonpos.Array && len(v.Elems()) == 1 && shapeOf(v.Get("jobs")) == list {
		return list
	}
	return objectShape(v)
}

// runKeys are those of a job's run, one of which every run has.
var runKeys = []string{
	"cmd", "args", "cpus", "mem", "disk", "gpus", "docker", "ucr", "env", "artifacts", "restart", "placement", "maxLaunchDelay", "volumes",
}

func objectShape(v *jsonpos.Value) shape {
	if v.Kind() != jsonpos.Object || v.Has("apiVersion") {
		return unknown
	}
	if r := v.Get("run"); r.Kind() == jsonpos.Object {
		if v.Get("id").Kind() == jsonpos.String {
			return job
		}
		if slices.ContainsFunc(runKeys, r.Has) {
			return job
		}
	}
	switch {
	case v.Get("cron").Kind() == jsonpos.String && v.Has("id"):
		return schedule
	case v.Get("jobId").Kind() == jsonpos.String && v.Has("status"):
		return run
	}
	return unknown
}

// Read reads all jobs of the document.
func (Reader) Read(d *discover.Document, b *discover.Builder) {
	r := &reader{d: d, b: b}
	root := d.Root
	if root.Kind() == jsonpos.Object && objectShape(root) == unknown {
		root = root.Get("jobs")
	}
	if root.Kind() != jsonpos.Array {
		r.value(root)
		return
	}
	for _, e := range root.Elems() {
		r.value(e)
	}
}

// reader reads one document.
type reader struct {
	d       *discover.Document
	b       *discover.Builder
	unnamed int
}

func (r *reader) value(v *jsonpos.Value) {
	switch objectShape(v) {
	case job:
		r.job(v)
	case schedule:
		s := field.Scope{B: r.b, File: r.d.File, Kind: "schedule"}
		s.Report(LoneSchedule, diag.Error, v, "stands without its job, and was left out",
			"export the jobs with their schedules: /v1/jobs?embed=job.schedules")
		for _, key := range []string{"id", "cron", "timezone", "startingDeadlineSeconds", "concurrencyPolicy", "enabled", "nextRunAt"} {
			s.Note(v.Get(key), ledger.Dropped, LoneSchedule, "", "of a schedule whose job is not said")
		}
	case run:
		field.Scope{B: r.b, File: r.d.File}.Evidence(v)
	default:
		if v.IsNull() {
			field.Scope{B: r.b, File: r.d.File}.Empty(v)
		}
	}
}

// evidence are the keys that tell how a job ran.
var evidence = []string{"activeRuns", "history", "historySummary", "nextRunAt", "_embedded"}

// Version gives a digest of a job, which has no version of its own, apart from
// what tells how it ran. It counts which schedules are on, and their order.
func Version(v *jsonpos.Value) string {
	return field.Digest(v, append([]string{"schedules/nextRunAt"}, evidence...)...)
}

func (r *reader) job(v *jsonpos.Value) {
	j := &reading{v: v}
	j.Scope = field.Scope{B: r.b, File: r.d.File, Kind: "job"}
	j.ID = r.id(v)
	group := "/"
	if i := strings.LastIndexByte(string(j.ID), '.'); i > 0 {
		group = "/" + strings.ReplaceAll(string(j.ID[:i]), ".", "/")
	}
	w := estate.Workload{
		ID: j.ID, Kind: estate.Job, Origin: estate.Origin{File: r.d.File, Pointer: v.Pointer()}, Group: estate.Name(group),
		Replicas: 1, Run: &estate.Run{}, Containers: []estate.Container{{Name: field.Short(j.ID)}},
		SourceVersion: Version(v),
	}
	if have := r.b.Workload(j.ID); have != nil && have.SourceVersion == w.SourceVersion {
		j.evidence()
		j.Note(v, ledger.Informational, SameAgain, "", "the same definition stands in "+have.Origin.File+have.Origin.Pointer)
		return
	}
	if j.w = r.b.Add(w, v.Pos(r.d.File)); j.w == nil {
		j.evidence()
		j.Note(v, ledger.Dropped, discover.DuplicateID, "", "of a second definition, which was left out")
		return
	}
	j.c, j.from = &j.w.Containers[0], len(r.b.Texts())
	j.read()
}

// id gives the job's ID as a workload's name. Jobs have dots where apps have
// slashes, and keep them: an app and a job of one name are two workloads.
func (r *reader) id(v *jsonpos.Value) estate.Name {
	if id := v.Get("id"); id.Kind() == jsonpos.String && strings.Trim(id.Text(), " ./") != "" {
		return estate.Name(strings.Trim(id.Text(), " ./"))
	}
	r.unnamed++
	stem := path.Base(r.d.File)
	stem = strings.ToLower(strings.TrimSuffix(stem, path.Ext(stem)))
	if r.unnamed > 1 || stem == "" {
		stem += "-" + strconv.Itoa(r.unnamed)
	}
	r.b.Report(diag.Diagnostic{
		Code: NoID, Severity: diag.Warning, Pos: v.Pos(r.d.File), Subject: "job " + stem, Problem: "has no id; it is named after its file",
		Hint: "give it the id that it runs under",
	})
	return estate.Name(stem)
}

// reading is one job that is being read.
type reading struct {
	field.Scope
	v *jsonpos.Value
	w *estate.Workload
	c *estate.Container
	// from is the first of the builder's texts that is the job's.
	from int
}

func (j *reading) read() {
	v, w := j.v, j.w
	j.Note(v.Get("id"), ledger.Decision, Named, "job#metadata.name",
		"which namespace it goes to; proposed is the default one, and its id with dashes for dots as the name")
	if x := v.Get("description"); x != nil {
		if text, ok := j.String(x); ok {
			clean, found := discover.RedactURLs(text)
			w.Description = clean
			if found {
				j.Note(x, ledger.Approximate, discover.CredentialInURL, "job#metadata.annotations", "an annotation without the credential that a URL held")
			} else {
				j.Note(x, ledger.Equivalent, Description, "job#metadata.annotations", "an annotation")
			}
		}
	}
	if x := v.Get("labels"); x != nil && j.object(x) {
		j.B.Labels(j.File, w, x)
	}
	j.dependencies(v.Get("dependencies"))
	j.run(v.Get("run"))
	j.schedules(v.Get("schedules"))
	j.evidence()
	j.inject()
}

// object reports whether v is an object with keys; an empty one is entered.
func (j *reading) object(v *jsonpos.Value) bool {
	return !j.Empty(v) && j.Is(v, jsonpos.Object)
}

// evidence enters how the job ran.
func (j *reading) evidence() {
	for _, key := range evidence {
		j.Evidence(j.v.Get(key))
	}
	for _, e := range j.v.Get("schedules").Elems() {
		j.Evidence(e.Get("nextRunAt"))
	}
}

// dependencies reads the jobs that must have run before.
func (j *reading) dependencies(v *jsonpos.Value) {
	if j.Empty(v) || !j.Is(v, jsonpos.Array) {
		return
	}
	for _, e := range v.Elems() {
		id := e
		if e.Kind() == jsonpos.Object {
			id = e.Get("id")
		}
		if id == nil {
			j.Empty(e)
			continue
		}
		text, ok := j.String(id)
		if !ok || strings.Trim(text, " ./") == "" {
			continue
		}
		name := estate.Name(strings.Trim(text, " ./"))
		if !slices.Contains(j.w.DependsOn, name) && name != j.ID {
			j.w.DependsOn = append(j.w.DependsOn, name)
		}
		j.Note(id, ledger.Decision, RunsAfter, "",
			"what starts it once the other has run: a CronJob knows no order; proposed is a workflow (Argo Workflows), until then a start by hand")
	}
}
