package haproxyline

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestLinesAreReadAsHAProxyReadsThem(t *testing.T) {
	got := Read(`
backend {backend}
  balance leastconn
  mode {mode}
  cookie JSESSIONID prefix nocache
  timeout server 90s # long queries
  timeout client 1500
  timeout connect 2m
  option httpchk GET /ping HTTP/1.1
  maxconn 77
  server {serverName} {host_ipv4}:{port} ssl verify none check inter 5s
  server kube api.example.com:6443
  timeout
`)
	want := Directives{
		Balance: "leastconn", Cookie: "JSESSIONID", CheckPath: "/ping", Interval: 5 * time.Second, MaxConns: 77,
		Server: 90 * time.Second, Client: 1500 * time.Millisecond, Connect: 2 * time.Minute,
		Servers: []Server{{SSL: true}, {Address: "api.example.com", Port: 6443}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("directives (-want +got):\n%s", diff)
	}
}

func TestPasswordsAreTakenOutAndPlaceholdersStay(t *testing.T) {
	for _, text := range []string{
		"user ann insecure-password canary", `user ann password "canary"`, "stats auth ann:canary",
		`http-request set-header Authorization "Basic canary"`, "http-request set-header Authorization Bearer\\ canary",
		"http-request set-header X-Api-Key canary",
	} {
		if clean, found := Redact(text); !found || strings.Contains(clean, "canary") {
			t.Errorf("Redact(%s) = %s, %t", text, clean, found)
		}
	}
	for _, text := range []string{"user {user} password {passwd}", "http-request set-header X-Api-Key %[var(txn.key)]", "balance source"} {
		if clean, found := Redact(text); found || clean != text {
			t.Errorf("Redact(%s) = %s, %t, want it as it was", text, clean, found)
		}
	}
}

func FuzzReadNeverPanics(f *testing.F) {
	f.Add("server a b:1 ssl\n timeout server 5d\n")
	f.Fuzz(func(t *testing.T, text string) {
		if d := Read(text); d.Interval < 0 || d.Client < 0 || d.Server < 0 || d.Connect < 0 || d.MaxConns < 0 {
			t.Errorf("Read(%q) = %+v, which is below zero", text, d)
		}
	})
}
