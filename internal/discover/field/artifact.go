package field

import (
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/estate"
)

// Sandbox is the path at which containers see the folder that Mesos gave each
// copy, as its own containers did.
const Sandbox = "/mnt/mesos/sandbox"

// Artifacts reads what is fetched before container c starts, and appends it to
// c: objects (fetch, artifacts) and plain URIs (uris) alike. A registry's
// credential among them becomes a pull secret of w. The index of each in
// c.Artifacts is the key under which its text is registered.
func (s Scope) Artifacts(v *jsonpos.Value, w *estate.Workload, c *estate.Container) {
	if s.Empty(v) || !s.Is(v, jsonpos.Array) {
		return
	}
	for _, e := range v.Elems() {
		switch e.Kind() {
		case jsonpos.String:
			s.artifact(e, nil, w, c)
		case jsonpos.Object:
			s.artifact(e.Get("uri"), e, w, c)
		case jsonpos.Null:
			s.Empty(e)
		default:
			s.wrong(e, "a URI or an object with one")
		}
	}
}

// archives are the endings that Marathon took for an archive in a plain URI;
// extractable are those that Mesos' fetcher knows besides.
var (
	archives    = []string{".tgz", ".tar.gz", ".tbz2", ".tar.bz2", ".txz", ".tar.xz", ".zip"}
	extractable = append([]string{".tar", ".gz"}, archives...)
)

// credentials are files with an image registry's credential, as Marathon's
// documentation has them fetched.
var credentials = []string{"docker.tar.gz", "docker.tgz", ".dockercfg", "dockercfg", "dockercfg.tar.gz", ".docker.tar.gz"}

// ends reports whether a name has one of the endings. As in the fetcher, case
// counts, and a query is a part of the name.
func ends(name string, with []string) bool {
	return slices.ContainsFunc(with, func(end string) bool { return strings.HasSuffix(name, end) })
}

// base gives a URI's last segment, without query and fragment.
func base(uri string) string {
	if i := strings.IndexAny(uri, "?#"); i >= 0 {
		uri = uri[:i]
	}
	return uri[strings.LastIndexByte(uri, '/')+1:]
}

func (s Scope) artifact(uri, obj *jsonpos.Value, w *estate.Workload, c *estate.Container) {
	text := ""
	if uri.Kind() == jsonpos.String {
		text = strings.TrimSpace(uri.Text())
	}
	if text == "" {
		at := uri
		if at == nil {
			at = obj
		}
		s.wrong(at, "a URI to fetch")
		return
	}
	clean, hasCredential := discover.RedactURLs(text)
	scheme, _, _ := strings.Cut(text, "://")
	scheme = strings.ToLower(scheme)
	switch {
	case slices.Contains(credentials, base(text)):
		s.pullArtifact(uri, obj, w)
		return
	case scheme == "file" || !strings.Contains(text, "://"):
		s.Report(ArtifactOnHost, diag.Warning, uri, "fetches "+clean+" from the host's own disk",
			"put the file where the cluster can fetch it, or into the image")
		s.Note(uri, ledger.Dropped, ArtifactOnHost, "", "a file of the old host; put it into the image or where nodes can fetch it")
		s.options(obj, ArtifactOnHost, "of a file that is not fetched")
		return
	}
	a := estate.Artifact{URI: clean, Extract: ends(text, archives)}
	if i := strings.LastIndexByte(text, '/'); !hasCredential && strings.ContainsAny(text, "?#") {
		a.Path = text[i+1:] // the name that Mesos gave the file
	}
	index := len(c.Artifacts)
	t := discover.Text{
		Workload: w.ID, Place: estate.Place{Container: c.Name, Field: "artifact", Key: strconv.Itoa(index)},
		File: s.File, At: uri, Secret: hasCredential,
	}
	switch {
	case hasCredential:
		a.Secret = s.keep(w, "fetch", c.Name, "artifact-"+strconv.Itoa(index), uri)
		s.Note(uri, ledger.Decision, ArtifactCredential, "container#initContainers.fetch",
			"the URI holds a credential and stays in the snapshot; it is fetched by secret "+a.Secret.Name)
	case scheme == "http" || scheme == "https":
		s.Note(uri, ledger.Equivalent, Fetched, "container#initContainers.fetch",
			"fetched by an init container, if the cluster's nodes can reach it")
	default:
		s.Note(uri, ledger.Decision, ArtifactScheme, "container#initContainers.fetch",
			scheme+" needs a tool and rights of its own; proposed is to put the file into the image")
	}
	if obj != nil {
		s.artifactOptions(obj, text, &a)
	}
	s.B.Text(t)
	c.Artifacts = append(c.Artifacts, a)
	c.Sandbox = Sandbox
}

func (s Scope) artifactOptions(obj *jsonpos.Value, uri string, a *estate.Artifact) {
	for _, key := range []string{"destPath", "outputFile"} {
		if v := obj.Get(key); v != nil {
			s.artifactPath(v, a)
		}
	}
	if v := obj.Get("executable"); v != nil {
		if yes, ok := s.Bool(v); ok {
			a.Executable = yes
			s.Note(v, ledger.Exact, ArtifactOption, "container#initContainers.fetch", "made executable or not, the same")
		}
	}
	// Mesos looks at the name of the file that it wrote, and extracts nothing
	// that it made executable.
	name := a.Path
	if name == "" {
		name = uri
	}
	a.Extract = ends(name, extractable) && !a.Executable
	if v := obj.Get("extract"); v != nil {
		yes, ok := s.Bool(v)
		switch {
		case !ok:
		case !a.Extract:
			s.Note(v, ledger.Informational, NoArchive, "", "nothing to extract: Mesos took this file for no archive")
		default:
			a.Extract = yes
			s.Note(v, ledger.Exact, ArtifactOption, "container#initContainers.fetch", "extracted or not, the same")
		}
	}
	if v := obj.Get("cache"); v != nil {
		if yes, ok := s.Bool(v); ok {
			a.Cache = yes
			s.Note(v, ledger.Approximate, ArtifactCache, "container#initContainers.fetch",
				"fetched at each start: nodes keep no copy; put it into the image if it is large")
		}
	}
}

// outside finds paths that lead out of the sandbox.
var outside = regexp.MustCompile(`(^|/)\.\.(/|$)`)

func (s Scope) artifactPath(v *jsonpos.Value, a *estate.Artifact) {
	text, ok := s.String(v)
	if !ok {
		return
	}
	if text == "" {
		s.Note(v, ledger.Exact, ArtifactOption, "container#initContainers.fetch", "under the URI's own last segment")
		return
	}
	rel := strings.TrimPrefix(path.Clean(text), Sandbox+"/")
	if path.IsAbs(rel) || outside.MatchString(rel) {
		s.Report(ArtifactPath, diag.Warning, v, "puts a fetched file outside of its sandbox",
			"give a path below the sandbox; the file is put there under its own name")
		s.Note(v, ledger.Dropped, ArtifactPath, "", "leads out of the sandbox, and was left out")
		return
	}
	a.Path = rel
	s.Note(v, ledger.Exact, ArtifactOption, "container#initContainers.fetch", "at the same path below "+Sandbox)
}

// pullArtifact reads a fetched file that holds a registry's credential.
func (s Scope) pullArtifact(uri, obj *jsonpos.Value, w *estate.Workload) {
	d := secret(w, Short(w.ID)+"-pull")
	d.Pull, d.Keys = true, []string{PullKey}
	addPull(w, estate.SecretRef{Name: d.Name})
	s.Note(uri, ledger.Decision, PullCredential, "pod#spec.imagePullSecrets",
		"which credential pulls the image; proposed is secret "+d.Name+", unneeded with a registry that nodes may read")
	s.options(obj, PullCredential, "of a credential that is not fetched into the container")
}

// options enters the options of an artifact that goes elsewhere.
func (s Scope) options(obj *jsonpos.Value, code diag.Code, reason string) {
	for _, key := range []string{"extract", "executable", "cache", "destPath", "outputFile"} {
		s.Note(obj.Get(key), ledger.Informational, code, "", reason)
	}
}
