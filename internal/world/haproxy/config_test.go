package haproxy

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

const doorText = `global
	stats socket /run/admin.sock level admin

backend other
    server old-1 10.0.0.9:80 weight 7
backend gateway # the first
	balance   roundrobin
	server  old-1   10.0.0.1:80	check weight 100   inter 1s # the old one, weight 3
	server old-2 10.0.0.2:80 check
    # tranship begin gateway
    # tranship end gateway
	server spare 10.0.0.3:80 backup weight 9
frontend f
	default_backend gateway
`

func TestOnlyTheBlockAndTheWeightsOfItsOwnServersChange(t *testing.T) {
	s, err := find(doorText, "gateway")
	if err != nil {
		t.Fatal(err)
	}
	b := block{
		percent: 25, before: s.written(map[string]int{"old-1": 100, "old-2": 1}),
		servers: []target{{"tranship-1", "10.1.0.1:31000", 5}, {"tranship-2", "10.1.0.2:31000", 4}},
	}
	got := s.write(b, map[string]int{"old-1": 33, "old-2": 4}, "check inter 1s")
	want := strings.NewReplacer(
		"check weight 100   inter", "check weight 33   inter",
		"10.0.0.2:80 check\n", "10.0.0.2:80 check weight 4\n",
		"    # tranship end gateway", `    # share 25 % of old-1=100 old-2=(1)
    server tranship-1 10.1.0.1:31000 weight 5 check inter 1s
    server tranship-2 10.1.0.2:31000 weight 4 check inter 1s
    # tranship end gateway`,
	).Replace(doorText)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the file (-want +got):\n%s", diff)
	}
	s, err = find(got, "gateway")
	if err != nil {
		t.Fatal(err)
	}
	read, err := s.read()
	if diff := cmp.Diff(b, read, cmp.AllowUnexported(block{}, target{}, weighed{})); err != nil || diff != "" {
		t.Errorf("the block read again (-want +got): %v\n%s", err, diff)
	}
}

// TestTheFileIsAsItWasOnceTheTargetIsGone goes there and back, for any layout of a server's line.
func TestTheFileIsAsItWasOnceTheTargetIsGone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		space := rapid.SampledFrom([]string{" ", "  ", "\t", " \t "})
		line := space.Draw(t, "indent") + "server" + space.Draw(t, "s") + "old-1" + space.Draw(t, "s") + "10.0.0.1:80"
		for _, o := range rapid.SliceOf(rapid.SampledFrom([]string{"check", "inter 2s", "weight 17", "ssl verify none", "maxconn 50"})).Draw(t, "options") {
			if !strings.HasPrefix(o, "weight") || !strings.Contains(line, "weight") {
				line += space.Draw(t, "s") + o
			}
		}
		line += rapid.SampledFrom([]string{"", " ", "\r", " # weight 9", "\t#"}).Draw(t, "tail") + "\n"
		text := "backend b\n" + line + "\t# tranship begin b\n\t# tranship end b\nfrontend f\n"
		s, err := find(text, "b")
		if err != nil {
			t.Fatal(err)
		}
		b := block{before: s.written(map[string]int{"old-1": 1}), servers: []target{{"tranship-1", "10.1.0.1:1", 3}}}
		now := text
		for _, percent := range append(rapid.SliceOf(rapid.IntRange(1, 100)).Draw(t, "shares"), 0) {
			if s, err = find(now, "b"); err != nil {
				t.Fatal(err)
			}
			b.percent = percent
			if percent == 0 {
				b.servers = nil
			}
			now = s.write(b, map[string]int{"old-1": percent}, "check")
		}
		if now != text {
			t.Fatalf("there and back gives\n%q, want\n%q", now, text)
		}
	})
}

func TestWhatTheFileLacksIsSaid(t *testing.T) {
	for text, want := range map[string]string{
		"backend a\n":                            "no backend gateway",
		"backend gateway\n server a 1.1.1.1:1\n": "lacks the lines",
		"backend gateway\n # tranship end gateway\n # tranship begin gateway\n":        "lacks the lines",
		"backend gateway\n # tranship begin gateway\nbackend b\n":                      "lacks the lines",
		"backend gateway\n # tranship begin other\n # tranship end other\nbackend b\n": "lacks the lines",
	} {
		if _, err := find(text, "gateway"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("find in %q: %v, want %q", text, err, want)
		}
	}
}

func TestServersOfATemplateAreFound(t *testing.T) {
	s, err := find("backend b\n server-template web 3 web.local:80 check\n server web 1.1.1.1:1\n # tranship begin b\n # tranship end b\n", "b")
	if err != nil {
		t.Fatal(err)
	}
	for server, want := range map[string]string{"web1": "web", "web12": "web", "web": "web", "webx": "", "tranship-1": ""} {
		if got := s.lineOf(server); got != want {
			t.Errorf("lineOf(%s) = %q, want %q", server, got, want)
		}
	}
}

func FuzzFindNeverPanics(f *testing.F) {
	f.Add(doorText)
	f.Fuzz(func(t *testing.T, text string) {
		s, err := find(text, "gateway")
		if err != nil {
			return
		}
		b, err := s.read()
		if err != nil {
			return
		}
		if b.before == nil {
			b.before = s.written(nil)
		}
		s.write(b, nil, "check")
	})
}
