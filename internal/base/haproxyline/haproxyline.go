// Package haproxyline reads single lines of HAProxy's configuration: those that
// load balancers of the old platform took from labels and pools. It takes text
// and gives what it knows of it. It never follows a name from line to line: a
// whole configuration is another reader's.
package haproxyline

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// credentials are the places in HAProxy's configuration that hold a password:
// a userlist's, an Authorization header's, the statistics page's.
var credentials = []*regexp.Regexp{
	regexp.MustCompile(`(?i)(\b(?:insecure-)?password\s+["']?)([^\s"']+)`),
	regexp.MustCompile(`(?i)(\bAuthorization["']?:?\s*["']?(?:Basic|Bearer)(?:\\?\s)+)([^\s"']+)`),
	regexp.MustCompile(`(?i)(\bstats\s+auth\s+[^\s:]+:)(\S+)`),
	regexp.MustCompile(`(?i)(\b(?:X-)?(?:Api-Key|Auth-Token|Access-Token)["']?:?\s+["']?)([^\s"']+)`),
}

// Redact takes passwords out of text. Placeholders ({passwd}, %[...]) are none.
func Redact(text string) (clean string, found bool) {
	clean = text
	for _, re := range credentials {
		clean = re.ReplaceAllStringFunc(clean, func(m string) string {
			p := re.FindStringSubmatch(m)
			if strings.HasPrefix(p[2], "{") || strings.HasPrefix(p[2], "%[") || p[2] == "REDACTED" {
				return m
			}
			found = true
			return p[1] + "REDACTED"
		})
	}
	return clean, found
}

// Directives are what is known of some lines. What holds a placeholder keeps
// its default and is not here.
type Directives struct {
	Balance, Mode, Cookie   string
	CheckPath               string
	Interval                time.Duration // of checks
	Client, Server, Connect time.Duration // timeouts
	MaxConns                int
	Servers                 []Server
}

// A Server is a line that names a backend's server.
type Server struct {
	Address string // empty if it is a placeholder
	Port    int    // 0 if it is a placeholder
	SSL     bool
}

// Read reads text. Lines that it does not know it passes over.
func Read(text string) Directives {
	var d Directives
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, " #")
		w := strings.Fields(line)
		if len(w) < 2 {
			continue
		}
		switch w[0] {
		case "balance":
			d.Balance = literal(w[1])
		case "mode":
			d.Mode = literal(w[1])
		case "cookie":
			d.Cookie = literal(w[1])
		case "maxconn":
			d.MaxConns = number(w[1])
		case "timeout":
			if len(w) > 2 {
				d.timeout(w[1], w[2])
			}
		case "option":
			if w[1] == "httpchk" {
				d.httpCheck(w[2:])
			}
		case "server":
			d.server(w[1:])
		}
		for i, x := range w[:len(w)-1] {
			if x == "inter" && w[0] != "timeout" {
				d.Interval = duration(w[i+1])
			}
		}
	}
	return d
}

func (d *Directives) timeout(what, value string) {
	t := duration(value)
	switch what {
	case "client":
		d.Client = t
	case "server":
		d.Server = t
	case "connect":
		d.Connect = t
	}
}

// httpCheck reads the rest of "option httpchk [METHOD] PATH [VERSION]".
func (d *Directives) httpCheck(w []string) {
	for _, x := range w {
		if strings.HasPrefix(x, "/") {
			d.CheckPath = literal(x)
			return
		}
	}
}

// server reads the rest of "server NAME ADDRESS[:PORT] [option...]".
func (d *Directives) server(w []string) {
	if len(w) < 2 {
		return
	}
	var s Server
	address, port := w[1], ""
	if i := strings.LastIndexByte(address, ':'); i >= 0 {
		address, port = address[:i], address[i+1:]
	}
	s.Address, s.Port = literal(address), number(port)
	s.SSL = slices.Contains(w[2:], "ssl")
	d.Servers = append(d.Servers, s)
}

// literal gives s, or nothing if marathon-lb fills it in.
func literal(s string) string {
	if strings.ContainsAny(s, "{}%$") {
		return ""
	}
	return s
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > 1<<31-1 {
		return 0
	}
	return n
}

// duration reads HAProxy's times: a number of milliseconds, or with a unit.
func duration(s string) time.Duration {
	i := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	if i < 0 {
		i = len(s)
	}
	unit, ok := map[string]time.Duration{
		"us": time.Microsecond, "": time.Millisecond, "ms": time.Millisecond, "s": time.Second, "m": time.Minute,
		"h": time.Hour, "d": 24 * time.Hour,
	}[s[i:]]
	n, err := strconv.ParseInt(s[:i], 10, 32)
	if err != nil || !ok || n > int64(1<<62/unit) {
		return 0
	}
	return time.Duration(n) * unit
}
