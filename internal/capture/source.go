package capture

import (
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strings"

	"github.com/tranship/tranship/internal/base/credential"
)

// A Kind is what a source speaks.
type Kind string

// The kinds that capture knows what to ask.
const (
	Marathon  Kind = "marathon"
	Metronome Kind = "metronome"
	Mesos     Kind = "mesos"
)

// A Source is one interface of the old world.
type Source struct {
	Kind Kind
	// Name is the folder of its answers; the kind's own name if empty. A second
	// Marathon needs one.
	Name string
	// URL is where it answers, with the prefix that a router in front wants:
	// http://marathon.example:8080, https://dcos.example/service/marathon.
	// It holds neither a user nor a query.
	URL string
	// Peers are the URLs of the other masters of the same cluster. They are not
	// asked; a redirect to one of them is followed with the credential.
	Peers []string
	// Credential is sent to URL and Peers and to nobody else.
	Credential credential.Credential
}

var (
	validName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,62}$`)
	// validID keeps what a source calls an agent from becoming a path.
	validID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`)
)

// checkSources reads the URLs and refuses what cannot be asked. No message
// holds an address as it was given, for that may hold a password.
func checkSources(sources []Source) ([]address, error) {
	if len(sources) == 0 {
		return nil, fmt.Errorf("no source: give the URL of Marathon, Metronome or Mesos")
	}
	var out []address
	seen := map[string]bool{}
	for _, s := range sources {
		if s.Name == "" {
			s.Name = string(s.Kind)
		}
		switch {
		case s.Kind != Marathon && s.Kind != Metronome && s.Kind != Mesos:
			return nil, fmt.Errorf("source %q: unknown kind %q", s.Name, s.Kind)
		case !validName.MatchString(s.Name):
			return nil, fmt.Errorf("source %q: a name is of a-z, 0-9, dot, dash and underscore", s.Name)
		case seen[s.Name]:
			return nil, fmt.Errorf("source %s: is given twice: give the second a name", s.Name)
		}
		seen[s.Name] = true
		a := address{Source: s}
		for i, text := range append([]string{s.URL}, s.Peers...) {
			u, err := parseBase(text)
			if err != nil {
				return nil, fmt.Errorf("source %s: URL %w", s.Name, err)
			}
			if i == 0 {
				a.base = u
			}
			a.hosts = append(a.hosts, hostOf(u))
		}
		out = append(out, a)
	}
	return out, nil
}

// An address is a source whose URLs have been read.
type address struct {
	Source
	base  *url.URL
	hosts []string // scheme, host and port that may see the credential
}

// at gives the URL of a question's path and query below the source's own.
func (a address) at(root bool, pathQuery string) *url.URL {
	u := *a.base
	if root {
		u.Path = routerPrefix(u.Path)
	}
	path, query, _ := strings.Cut(pathQuery, "?")
	u.Path += path
	u.RawQuery = query
	return &u
}

// behindRouter tells whether the source is reached through DC/OS' Admin Router,
// which also hands questions through to agents.
func (a address) behindRouter() bool {
	return a.Kind == Mesos && strings.HasSuffix(a.base.Path, "/mesos")
}

func routerPrefix(path string) string { return strings.TrimSuffix(path, "/mesos") }

// trusts tells whether the credential may go to u.
func (a address) trusts(u *url.URL) bool {
	host := hostOf(u)
	for _, h := range a.hosts {
		if h == host {
			return true
		}
		// The same host, only better guarded.
		if plain, ok := strings.CutPrefix(h, "http://"); ok && u.Scheme == "https" {
			name, _, err := net.SplitHostPort(plain)
			if err == nil && strings.EqualFold(name, u.Hostname()) {
				return true
			}
		}
	}
	return false
}

func parseBase(text string) (*url.URL, error) {
	if !strings.Contains(text, "://") {
		return nil, fmt.Errorf("has no scheme: write http:// or https:// before it")
	}
	u, err := url.Parse(strings.TrimSpace(text))
	switch {
	case err != nil:
		return nil, fmt.Errorf("cannot be read: write it as http://host:port/prefix")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("has neither the scheme http nor https")
	case u.User != nil:
		return nil, fmt.Errorf("holds a user or a password: hand the credential in through the environment or a file")
	case u.Hostname() == "":
		return nil, fmt.Errorf("has no host")
	case u.RawQuery != "" || u.Fragment != "" || u.ForceQuery:
		return nil, fmt.Errorf("has a query or a fragment: give the address alone")
	case u.RawPath != "" || strings.Contains(u.Path, "/../"):
		return nil, fmt.Errorf("has an escaped or winding path: give the plain prefix")
	}
	u.Path = strings.TrimRight(u.Path, "/")
	u.RawPath = ""
	return u, nil
}

// hostOf is scheme, host and port, one spelling for one address.
func hostOf(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return u.Scheme + "://" + net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

// shown is a URL as files and messages may hold it: no user, no query that a
// source made up.
func shown(u *url.URL) string {
	v := *u
	v.User, v.RawQuery, v.Fragment, v.RawFragment, v.ForceQuery = nil, "", "", "", false
	return v.String()
}
