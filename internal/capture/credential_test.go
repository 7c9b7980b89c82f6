package capture_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/tranship/tranship/internal/base/credential"
	"github.com/tranship/tranship/internal/capture"
)

const canary = "canary-7f3a9c51e2"

// must unwraps a constructor of a credential.
func must(c credential.Credential, err error) credential.Credential {
	if err != nil {
		return credential.Credential{}
	}
	return c
}

func TestCredentialNeverShowsItself(t *testing.T) {
	for name, c := range map[string]credential.Credential{
		"token":  must(credential.Token(canary)),
		"bearer": must(credential.Bearer(canary + "\n")),
		"dcos":   must(credential.DCOS(canary)),
		"basic":  must(credential.Basic("ops:" + canary)),
	} {
		t.Run(name, func(t *testing.T) {
			if !c.Given() {
				t.Fatal("the credential was not taken")
			}
			var log strings.Builder
			source := capture.Source{Kind: capture.Mesos, URL: "http://m", Credential: c}
			slog.New(slog.NewTextHandler(&log, nil)).Info("source", "source", source, "credential", c)
			slog.New(slog.NewJSONHandler(&log, nil)).Info("source", "source", source, "credential", c)
			encoded, err := json.Marshal(map[string]any{"c": c, "p": &c, "source": source})
			if err != nil {
				t.Fatal(err)
			}
			shown := log.String() + string(encoded)
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%T"} {
				shown += fmt.Sprintf(verb, c) + fmt.Sprintf(verb, &c) + fmt.Sprintf(verb, []credential.Credential{c}) + fmt.Sprintf(verb, source)
			}
			for _, secret := range []string{canary, fmt.Sprintf("%x", canary)} {
				if strings.Contains(shown, secret) {
					t.Errorf("the credential shows in %s", shown)
				}
			}
			if !strings.Contains(shown, "[redacted]") {
				t.Errorf("nothing says that something was left out: %s", shown)
			}
		})
	}
}

func TestCredentialThatCannotBeSentIsRefusedWithoutRepeatingIt(t *testing.T) {
	for name, make := range map[string]func() (credential.Credential, error){
		"empty":           func() (credential.Credential, error) { return credential.Token(" \n") },
		"line break":      func() (credential.Credential, error) { return credential.Bearer(canary + "\r\nHost: x") },
		"no password":     func() (credential.Credential, error) { return credential.Basic(canary) },
		"no user":         func() (credential.Credential, error) { return credential.Basic(":" + canary) },
		"two-line secret": func() (credential.Credential, error) { return credential.DCOS(canary + "\n" + canary) },
	} {
		t.Run(name, func(t *testing.T) {
			c, err := make()
			if err == nil || c.Given() {
				t.Fatalf("it was taken: %v", err)
			}
			if strings.Contains(err.Error(), canary) {
				t.Errorf("the message repeats it: %v", err)
			}
		})
	}
}

func TestSourceThatCannotBeAskedIsRefusedWithoutRepeatingItsPassword(t *testing.T) {
	tests := []struct {
		name    string
		sources []capture.Source
		want    string
	}{
		{"none", nil, "no source"},
		{"no scheme", []capture.Source{{Kind: capture.Marathon, URL: "marathon:8080"}}, "no scheme"},
		{"other scheme", []capture.Source{{Kind: capture.Mesos, URL: "zk://master:2181/mesos"}}, "neither the scheme http nor https"},
		{"no host", []capture.Source{{Kind: capture.Mesos, URL: "http:///mesos"}}, "no host"},
		{"password in URL", []capture.Source{{Kind: capture.Marathon, URL: "http://ops:" + canary + "@m:8080"}}, "holds a user or a password"},
		{"password in broken URL", []capture.Source{{Kind: capture.Marathon, URL: "http://ops:" + canary + "@m:80:80:%zz"}}, "cannot be read"},
		{"token in query", []capture.Source{{Kind: capture.Marathon, URL: "http://m/?token=" + canary}}, "query"},
		{"password in peer", []capture.Source{{Kind: capture.Mesos, URL: "http://m", Peers: []string{"http://a:" + canary + "@n"}}}, "holds a user"},
		{"unknown kind", []capture.Source{{Kind: "chronos", URL: "http://m"}}, "unknown kind"},
		{"name that is a path", []capture.Source{{Kind: capture.Mesos, Name: "../x", URL: "http://m"}}, "a name is of"},
		{"twice", []capture.Source{{Kind: capture.Marathon, URL: "http://a"}, {Kind: capture.Marathon, URL: "http://b"}}, "given twice"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := capture.New(tt.sources, nil, nil, capture.Options{})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("New = %v, want %q", err, tt.want)
			}
			if strings.Contains(err.Error(), canary) {
				t.Errorf("the message repeats the password: %v", err)
			}
		})
	}
}
