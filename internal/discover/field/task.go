package field

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/estate"
)

// Words reads a text that container c of w is started or checked with, and
// registers it for the search for names. Field and key say which (see
// estate.Place). Credentials in URLs are taken out; the entry says so.
func (s Scope) Words(v *jsonpos.Value, w *estate.Workload, container, field, key, target string) (string, bool) {
	text, ok := s.String(v)
	if !ok {
		return "", false
	}
	clean, found := discover.RedactURLs(text)
	if found {
		s.Note(v, ledger.Decision, discover.CredentialInURL, target,
			"a URL in it held a credential, which was taken out; proposed is to hand it over as a secret")
	} else {
		s.Note(v, ledger.Exact, Words, target, "the same text")
	}
	s.B.Text(discover.Text{
		Workload: w.ID, Place: estate.Place{Container: container, Field: field, Key: key}, File: s.File, At: v, Secret: found,
	})
	return clean, true
}

// List reads an array of words as Words does; each one's index is its key.
func (s Scope) List(v *jsonpos.Value, w *estate.Workload, container, field, target string) []string {
	if s.Empty(v) || !s.Is(v, jsonpos.Array) {
		return nil
	}
	var out []string
	for _, e := range v.Elems() {
		if text, ok := s.Words(e, w, container, field, strconv.Itoa(len(out)), target); ok {
			out = append(out, text)
		}
	}
	return out
}

// KillSelection reads which copy goes first when there are too many.
func (s Scope) KillSelection(v *jsonpos.Value) {
	word, ok := s.Choice(v, "YOUNGEST_FIRST", "OLDEST_FIRST")
	if !ok {
		return
	}
	if word == "OLDEST_FIRST" {
		s.Note(v, ledger.Dropped, KillOrder, "", "Kubernetes ends the youngest copies first, for the most part")
		return
	}
	s.Note(v, ledger.Approximate, KillOrder, "workload#spec", "Kubernetes looks at readiness and nodes first, then ends the youngest")
}

// Upgrade reads minimumHealthCapacity and maximumOverCapacity of object v. An
// absent one keeps the value that u has.
func (s Scope) Upgrade(v *jsonpos.Value, u *estate.Update) {
	if s.Empty(v) || !s.Is(v, jsonpos.Object) {
		return
	}
	const reason = "in whole copies, with one more than before at the least; a copy counts once it is ready"
	if x := v.Get("minimumHealthCapacity"); x != nil {
		if f, ok := s.Share(x); ok {
			u.MinHealthy = f
			s.Note(x, ledger.Approximate, Capacity, "workload#spec.strategy.rollingUpdate.maxUnavailable", reason)
		}
	}
	if x := v.Get("maximumOverCapacity"); x != nil {
		if f, ok := s.Share(x); ok {
			u.MaxOver = f
			s.Note(x, ledger.Approximate, Capacity, "workload#spec.strategy.rollingUpdate.maxSurge", reason)
		}
	}
}

// Backoff enters the keys of v that delayed the next start of a failing task.
func (s Scope) Backoff(v *jsonpos.Value, keys ...string) {
	for _, key := range keys {
		x := v.Get(key)
		if x == nil {
			continue
		}
		if _, ok := s.Number(x); ok {
			s.Note(x, ledger.Dropped, Backoff, "", "Kubernetes has its own delays (10 s, doubled up to 5 min), and starts again on the same node")
		}
	}
}

// Shm gives container c memory of that size for /dev/shm.
func (s Scope) Shm(w *estate.Workload, c *estate.Container, size unit.Bytes) {
	name := "shm"
	for i := 1; hasVolume(w, name); i++ {
		name = "shm-" + strconv.Itoa(i)
	}
	w.Volumes = append(w.Volumes, estate.Volume{Name: name, Kind: estate.EphemeralVolume, Medium: "memory", Size: size})
	c.Mounts = append(c.Mounts, estate.Mount{Volume: name, Path: "/dev/shm"})
}

func hasVolume(w *estate.Workload, name string) bool {
	for i := range w.Volumes {
		if w.Volumes[i].Name == name {
			return true
		}
	}
	return false
}

// Evidence enters every leaf below v that has no entry yet as telling how
// things ran.
func (s Scope) Evidence(v *jsonpos.Value) {
	v.Leaves(func(leaf *jsonpos.Value) {
		if !s.B.Noted(leaf) {
			s.B.Evidence(s.File, pattern(leaf), leaf)
		}
	})
}

// pattern gives v's pointer without indices.
func pattern(v *jsonpos.Value) string {
	p := v.Parent()
	switch {
	case p == nil:
		return ""
	case p.Kind() == jsonpos.Array:
		return pattern(p)
	}
	return pattern(p) + "/" + jsonpos.Escape(v.Key())
}

// Digest gives a version for a definition that has none: it changes when a
// leaf below v does, except below the keys left out. A key that stands deeper
// is spelled with those above it: "schedules/nextRunAt".
func Digest(v *jsonpos.Value, except ...string) string {
	h := sha256.New()
	root, above := len(v.Pointer()), len(pattern(v))
	v.Leaves(func(leaf *jsonpos.Value) {
		key := pattern(leaf)[above:]
		for _, e := range except {
			if rest, ok := strings.CutPrefix(key, "/"+e); ok && (rest == "" || rest[0] == '/') {
				return
			}
		}
		_, _ = h.Write([]byte(leaf.Pointer()[root:] + "\x00" + leaf.Kind().String() + "\x00" + leaf.Text() + "\x00"))
	})
	return "sha256:" + hex.EncodeToString(h.Sum(nil)[:16])
}
