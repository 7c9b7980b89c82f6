package normal

import (
	"strconv"
	"strings"

	"github.com/tranship/tranship/internal/base/jsonpos"
)

// A Fetch is a file that the Mesos fetcher brought into the sandbox.
type Fetch struct {
	URI        Field[string] `json:"uri"`
	Extract    Field[bool]   `json:"extract"`
	Executable Field[bool]   `json:"executable"`
	Cache      Field[bool]   `json:"cache"`
	Dest       Field[string] `json:"destPath"`
}

// A Check is a health check with the index of its port.
type Check struct {
	Protocol  Field[string] `json:"protocol"`
	PortIndex Field[int]    `json:"portIndex"`
	Port      Field[int]    `json:"port"`
	// At is the whole check as written.
	At *jsonpos.Value `json:"-"`
}

// A Readiness is a readiness check with its status codes.
type Readiness struct {
	Statuses []int          `json:"httpStatusCodesForReady"`
	At       *jsonpos.Value `json:"-"`
}

// Upgrade is how many copies there are while a new version comes in.
type Upgrade struct {
	Min  Field[float64] `json:"minimumHealthCapacity"`
	Over Field[float64] `json:"maximumOverCapacity"`
}

// Unreachable is when a lost copy is replaced, and when it is forgotten.
type Unreachable struct {
	Disabled Field[bool]
	Inactive Field[int]
	Expunge  Field[int]
}

// MarshalJSON writes the two forms that Marathon has.
func (u Unreachable) MarshalJSON() ([]byte, error) {
	if u.Disabled.Value {
		return []byte(`"disabled"`), nil
	}
	a, err := u.Inactive.MarshalJSON()
	if err != nil {
		return nil, err
	}
	b, err := u.Expunge.MarshalJSON()
	if err != nil {
		return nil, err
	}
	return []byte(`{"inactiveAfterSeconds":` + string(a) + `,"expungeAfterSeconds":` + string(b) + `}`), nil
}

func (n *normaliser) fetch() (out []Fetch) {
	fetch, uris := items(n.app.Get("fetch")), items(n.app.Get("uris"))
	switch {
	case len(fetch) == 0 || len(uris) == 0:
	case copied(uris, fetch):
		n.ignore(n.app.Get("uris"), "Marathon's own copy of fetch in the old form")
		uris = nil
	default:
		n.conflict(BothFetch, n.app.Get("uris"), "uris stands beside fetch", "delete uris; fetch is the newer")
		uris = nil
	}
	for _, f := range fetch {
		if f.Kind() != jsonpos.Object {
			continue
		}
		out = append(out, Fetch{
			URI: quietText(f.Get("uri")), Extract: quietBool(f.Get("extract"), true),
			Executable: quietBool(f.Get("executable"), false), Cache: quietBool(f.Get("cache"), false),
			Dest: quietText(f.Get("destPath")),
		})
	}
	for _, u := range uris {
		uri := quietText(u)
		if !uri.Set {
			continue
		}
		out = append(out, Fetch{
			URI: uri, Extract: assumed(extracts(uri.Value)), Executable: assumed(false), Cache: assumed(false),
		})
	}
	return out
}

// copied reports whether every URI stands in fetch too: versions that had both
// answered so.
func copied(uris, fetch []*jsonpos.Value) bool {
	have := map[string]bool{}
	for _, f := range fetch {
		have[f.Get("uri").Text()] = true
	}
	for _, u := range uris {
		if !have[u.Text()] {
			return false
		}
	}
	return true
}

// extracts reports whether Marathon had a file of uris unpacked.
func extracts(uri string) bool {
	for _, end := range []string{".tgz", ".tar.gz", ".tbz2", ".tar.bz2", ".txz", ".tar.xz", ".zip"} {
		if strings.HasSuffix(uri, end) {
			return true
		}
	}
	return false
}

func (n *normaliser) checks() (out []Check) {
	list, _ := n.list(n.app.Get("healthChecks"))
	for _, v := range list {
		if n.object(v) == nil {
			continue
		}
		c := Check{Protocol: assumed("HTTP"), At: v}
		if p := v.Get("protocol"); p != nil && !p.IsNull() {
			w, ok := n.s.Choice(p, "HTTP", "HTTPS", "TCP", "COMMAND", "MESOS_HTTP", "MESOS_HTTPS", "MESOS_TCP")
			if !ok {
				n.conflict(UnknownCheck, v, "health check has a protocol that Marathon does not know", "correct its protocol")
				continue
			}
			c.Protocol = given(w, p)
		}
		if c.Protocol.Value != "COMMAND" {
			c.Port, c.PortIndex = n.number(v.Get("port"), 0, 65535), n.number(v.Get("portIndex"), 0, 65535)
			if !c.Port.Set && !c.PortIndex.Set {
				c.PortIndex = assumed(0)
			}
		}
		out = append(out, c)
	}
	return out
}

func (n *normaliser) readiness() (out []Readiness) {
	list, _ := n.list(n.app.Get("readinessChecks"))
	for _, v := range list {
		if n.object(v) == nil {
			continue
		}
		r := Readiness{At: v}
		for _, c := range items(v.Get("httpStatusCodesForReady")) {
			if f, ok := quietNumber(c); ok {
				r.Statuses = append(r.Statuses, int(f))
			}
		}
		if len(r.Statuses) == 0 {
			r.Statuses = []int{200}
		}
		out = append(out, r)
	}
	return out
}

// The rest is read without a word: whoever maps these fields reports them.

func (n *normaliser) upgrade() Upgrade {
	u := Upgrade{Min: assumed(1.0), Over: assumed(1.0)}
	if n.out.Resident {
		u = Upgrade{Min: assumed(0.5), Over: assumed(0.0)}
	}
	v := n.app.Get("upgradeStrategy")
	if f, ok := quietNumber(v.Get("minimumHealthCapacity")); ok && f >= 0 && f <= 1 {
		u.Min = given(f, v.Get("minimumHealthCapacity"))
	}
	if f, ok := quietNumber(v.Get("maximumOverCapacity")); ok && f >= 0 && f <= 1 {
		u.Over = given(f, v.Get("maximumOverCapacity"))
	}
	return u
}

func (n *normaliser) unreachable() Unreachable {
	v := n.app.Get("unreachableStrategy")
	u := Unreachable{Inactive: assumed(0), Expunge: assumed(0)}
	switch {
	case v.IsNull() && n.out.Resident:
		return Unreachable{Disabled: assumed(true)}
	case v.Kind() == jsonpos.String && strings.EqualFold(v.Text(), "disabled"):
		return Unreachable{Disabled: given(true, v)}
	}
	if f, ok := quietNumber(v.Get("inactiveAfterSeconds")); ok && f >= 0 {
		u.Inactive = given(int(f), v.Get("inactiveAfterSeconds"))
	}
	if f, ok := quietNumber(v.Get("expungeAfterSeconds")); ok && f >= 0 {
		u.Expunge = given(int(f), v.Get("expungeAfterSeconds"))
	}
	return u
}

func items(v *jsonpos.Value) []*jsonpos.Value {
	if v.Kind() != jsonpos.Array {
		return nil
	}
	return v.Elems()
}

func quietNumber(v *jsonpos.Value) (float64, bool) {
	f, err := strconv.ParseFloat(v.Text(), 64)
	return f, err == nil && v.Kind() == jsonpos.Number && f < 1e15
}

func quietText(v *jsonpos.Value) Field[string] {
	if v.Kind() != jsonpos.String || v.Text() == "" {
		return Field[string]{}
	}
	return given(v.Text(), v)
}

func quietBool(v *jsonpos.Value, fallback bool) Field[bool] {
	if v.Kind() != jsonpos.Bool {
		return assumed(fallback)
	}
	return given(v.Text() == "true", v)
}
