package haproxy

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/estate"
)

// credentials are the places in HAProxy's configuration that hold a password:
// a userlist's, an Authorization header's, the statistics page's.
var credentials = []*regexp.Regexp{
	regexp.MustCompile(`(?i)(\b(?:insecure-)?password\s+)([^\s"]+)()`),
	regexp.MustCompile(`(?i)(\bAuthorization["']?:?\s*["']?(?:Basic|Bearer)(?:\\?\s)+)([^\s"']+)()`),
	regexp.MustCompile(`(?i)(\bstats\s+auth\s+[^\s:]+:)(\S+)()`),
	regexp.MustCompile(`(?i)(\b(?:X-)?(?:Api-Key|Auth-Token|Access-Token)["']?:?\s+["']?)([^\s"']+)()`),
}

// Redact is redact for readers of HAProxy's lines that stand elsewhere.
func Redact(text string) (clean string, found bool) { return redact(text) }

// Apply puts into ep what is known of HAProxy's lines.
func Apply(text string, ep *estate.Endpoint) {
	s := service{ep: *ep}
	s.apply("", directivesOf(text))
	*ep = s.ep
}

// redact takes passwords and credentials in URLs out of a piece of HAProxy's
// configuration. Placeholders ({passwd}, %[...]) are none.
func redact(text string) (clean string, found bool) {
	clean, found = discover.RedactURLs(text)
	for _, re := range credentials {
		clean = re.ReplaceAllStringFunc(clean, func(m string) string {
			p := re.FindStringSubmatch(m)
			if strings.HasPrefix(p[2], "{") || strings.HasPrefix(p[2], "%[") || p[2] == "REDACTED" {
				return m
			}
			found = true
			return p[1] + "REDACTED" + p[3]
		})
	}
	return clean, found
}

// directives are what tranship knows of a piece of HAProxy's configuration.
// What holds a placeholder keeps its default and is not here.
type directives struct {
	balance, mode, cookie string
	check                 estate.LBCheck
	times                 estate.Timeouts
	maxConns              int
	servers               []server
}

// A server is a line that names a backend's server.
type server struct {
	address string // empty if it is the copy's own
	port    int    // 0 if it is the copy's own
	ssl     bool
	check   int // the port that is checked
}

// directivesOf reads text. Lines that it does not know it passes over: they
// are kept verbatim elsewhere.
func directivesOf(text string) directives {
	var d directives
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, " #")
		w := strings.Fields(line)
		if len(w) < 2 {
			continue
		}
		switch w[0] {
		case "balance":
			d.balance = literal(w[1])
		case "mode":
			d.mode = literal(w[1])
		case "cookie":
			d.cookie = literal(w[1])
		case "maxconn":
			d.maxConns = number(w[1])
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
				d.check.Interval = duration(w[i+1])
			}
		}
	}
	return d
}

func (d *directives) timeout(what, value string) {
	t := duration(value)
	switch what {
	case "client":
		d.times.Client = t
	case "server":
		d.times.Server = t
	case "connect":
		d.times.Connect = t
	}
}

// httpCheck reads the rest of "option httpchk [METHOD] PATH [VERSION]".
func (d *directives) httpCheck(w []string) {
	for _, x := range w {
		if strings.HasPrefix(x, "/") {
			d.check.Path = literal(x)
			return
		}
	}
}

// server reads the rest of "server NAME ADDRESS[:PORT] [option...]".
func (d *directives) server(w []string) {
	if len(w) < 2 {
		return
	}
	var s server
	address, port := w[1], ""
	if i := strings.LastIndexByte(address, ':'); i >= 0 {
		address, port = address[:i], address[i+1:]
	}
	s.address, s.port = literal(address), number(port)
	for i, x := range w[2:] {
		switch x {
		case "ssl":
			s.ssl = true
		case "port":
			if i+3 < len(w) {
				s.check = number(w[i+3])
			}
		}
	}
	d.servers = append(d.servers, s)
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
func duration(s string) unit.Seconds {
	i := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	if i < 0 {
		i = len(s)
	}
	n, err := strconv.ParseFloat(s[:i], 64)
	if err != nil || n > 1e12 {
		return 0
	}
	switch s[i:] {
	case "us":
		return unit.Seconds(n / 1e6)
	case "", "ms":
		return unit.Seconds(n / 1e3)
	case "s":
		return unit.Seconds(n)
	case "m":
		return unit.Seconds(n * 60)
	case "h":
		return unit.Seconds(n * 3600)
	case "d":
		return unit.Seconds(n * 86400)
	}
	return 0
}
