package capture_test

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/tranship/tranship/internal/base/credential"
	"github.com/tranship/tranship/internal/capture"
	"github.com/tranship/tranship/internal/capture/capturetest"
)

// sendOn answers everything by a redirect to a host, with the same path.
func sendOn(status int, to string) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Location", to+r.URL.Path)
		rw.WriteHeader(status)
	})
}

func TestCredentialGoesToNoHostThatARedirectNames(t *testing.T) {
	token := must(credential.Token(canary))
	tests := []struct {
		name       string
		status     int
		to         string
		credential credential.Credential
		peers      []string
		want       capture.State
		problem    string
		hint       string
		leaderAuth string
	}{
		{name: "leader, no credential", status: 307, to: "//leader:5050", want: capture.Taken},
		{
			name: "leader, credential", status: 307, to: "//leader:5050", credential: token, want: capture.Failed,
			problem: "sends on to another host, http://leader:5050",
			hint:    "the credential is not sent to a host that was not named: give that URL instead",
		},
		{
			name: "leader that is a peer", status: 307, to: "//leader:5050", credential: token,
			peers: []string{"http://other:5050", "http://LEADER:5050/"}, want: capture.Taken, leaderAuth: "Bearer " + canary,
		},
		{
			name: "found elsewhere, no credential", status: 302, to: "http://leader:5050", want: capture.Failed,
			problem: "sends on to another host, http://leader:5050", hint: "give that URL if it is the right one",
		},
		{
			name: "login page", status: 302, to: "http://leader:5050/login?token=" + canary + "&next=", credential: token,
			want: capture.Failed, problem: "sends on to http://leader:5050/login", hint: "looks like a login page: give a token",
		},
		{
			name: "user in the address", status: 307, to: "http://u:" + canary + "@leader:5050", credential: token,
			want: capture.Failed, problem: "sends on to another host, http://leader:5050",
			hint: "the credential is not sent to a host that was not named: give that URL instead",
		},
		{name: "no address", status: 307, to: "http://[::1", want: capture.Failed, problem: "sends on to no address that can be read"},
		{name: "file", status: 307, to: "file:///etc", want: capture.Failed, problem: "sends on to no address that can be read"},
		{name: "in a circle", status: 307, to: "//m", want: capture.Failed, problem: "sends on without an end"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				leader := mesos()
				n := connect(t, map[string]http.Handler{"m:80": sendOn(tt.status, tt.to), "leader:5050": leader})
				folder, seen := capturetest.NewMemory(-1), &events{}
				source := capture.Source{Kind: capture.Mesos, URL: "http://m", Peers: tt.peers, Credential: tt.credential}
				report := take(t, folder, capture.Options{Dial: n.dial, Rate: 1e6, Progress: seen}, source)
				got := outcome(t, report, "mesos/state.json")
				if got.State != tt.want || got.Problem != tt.problem || got.Hint != tt.hint {
					t.Errorf("state.json = %s: %q, hint %q; want %s: %q, hint %q", got.State, got.Problem, got.Hint, tt.want, tt.problem, tt.hint)
				}
				if got.URL != "http://m/master/state" {
					t.Errorf("url = %s, want the one that was given", got.URL)
				}
				asked := leader.Asked()
				for _, r := range asked {
					if r.Authorization != tt.leaderAuth {
						t.Errorf("the leader was sent %q, want %q", r.Authorization, tt.leaderAuth)
					}
				}
				if (len(asked) == 0) == (tt.want == capture.Taken) {
					t.Errorf("the leader was asked %d times", len(asked))
				}
				if all := everything(t, folder, report, seen); strings.Contains(all, canary) {
					t.Errorf("the canary stands in what capture left: %s", all)
				}
			})
		})
	}
}

func TestCallsFollowTheLeaderToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		leader := mesos()
		n := connect(t, map[string]http.Handler{"m:80": sendOn(307, "//leader:5050"), "leader:5050": leader})
		report := take(t, capturetest.NewMemory(-1), capture.Options{Dial: n.dial, Rate: 1e6}, capture.Source{Kind: capture.Mesos, URL: "http://m"})
		if got := len(report.Of(capture.Taken)); got != 10 {
			t.Errorf("taken = %d, want all ten: %v", got, states(report))
		}
	})
}

// echo answers with every header it was sent, in words, in every way a server
// could: the worst that a source can do to a credential.
func echo(status int) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		auth := r.Header.Get("Authorization")
		rw.Header().Set("Content-Type", "application/json")
		rw.Header().Set("Location", "/login/"+auth+"?a="+auth)
		rw.WriteHeader(status)
		_, _ = fmt.Fprintf(rw, `{"message":%q}`, "you sent "+auth)
	})
}

func TestTokenIsInNoFileAndNoMessage(t *testing.T) {
	for name, credential := range map[string]credential.Credential{
		"token": must(credential.Token(canary)), "basic": must(credential.Basic("ops:" + canary + "/+&=é")), "dcos": must(credential.DCOS(canary)),
	} {
		for _, status := range []int{302, 307, 400, 401, 403, 404, 418, 500, 503} {
			t.Run(fmt.Sprint(name, status), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					n := connect(t, map[string]http.Handler{"m:80": echo(status)})
					folder, seen := capturetest.NewMemory(-1), &events{}
					report := take(t, folder, capture.Options{Dial: n.dial, Progress: seen},
						capture.Source{Kind: capture.Marathon, URL: "http://m", Credential: credential})
					all := everything(t, folder, report, seen)
					for _, secret := range []string{canary, base64.StdEncoding.EncodeToString([]byte("ops:" + canary + "/+&=é"))} {
						if strings.Contains(all, secret) {
							t.Errorf("the canary stands in what capture left: %s", all)
						}
					}
				})
			})
		}
	}
}

func TestEveryCredentialIsSentAsItsSourceWantsIt(t *testing.T) {
	challenge := capturetest.Status(401, "WWW-Authenticate", `acsjwt realm="oauth2"`)
	tests := []struct {
		name       string
		credential credential.Credential
		fault      http.HandlerFunc
		want       []string
	}{
		{"none", credential.Credential{}, nil, []string{"", ""}},
		{"token", must(credential.Token(canary + "\n")), nil, []string{"Bearer " + canary, "Bearer " + canary}},
		{"token for DC/OS", must(credential.Token(canary)), challenge, []string{"Bearer " + canary, "token=" + canary, "token=" + canary}},
		{"DC/OS", must(credential.DCOS(canary)), nil, []string{"token=" + canary, "token=" + canary}},
		{"basic", must(credential.Basic("ops:secret")), nil, []string{"Basic b3BzOnNlY3JldA==", "Basic b3BzOnNlY3JldA=="}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, s := play(t, func(s *scene) {
				s.source.Credential = tt.credential
				if tt.fault != nil {
					s.world.Fail("/v2/info", tt.fault)
				}
			})
			var got []string
			for _, r := range s.world.Asked()[:len(tt.want)] {
				got = append(got, r.Authorization)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("sent (-want +got):\n%s", diff)
			}
		})
	}
}

func TestOwnAuthorityIsNeededAndEnough(t *testing.T) {
	server := httptest.NewUnstartedServer(marathon())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	tests := []struct {
		name    string
		ca      []byte
		url     string
		want    capture.State
		problem string
		hint    string
	}{
		{"with it", ca, server.URL, capture.Taken, "", ""},
		{"without", nil, server.URL, capture.Failed, "has a certificate that cannot be trusted", "give the file of the authority that signed it"},
		{
			"another name", ca, strings.Replace(server.URL, "127.0.0.1", "localhost", 1), capture.Failed,
			"has a certificate that cannot be trusted", "use the name that its certificate is for",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			report := take(t, capturetest.NewMemory(-1), capture.Options{CA: tt.ca, Rate: 1e6, Tries: 1},
				capture.Source{Kind: capture.Marathon, URL: tt.url, Credential: must(credential.Token(canary))})
			got := outcome(t, report, "marathon/v2_info.json")
			if got.State != tt.want || !strings.HasPrefix(got.Problem, tt.problem) || got.Hint != tt.hint {
				t.Errorf("outcome = %s: %q, hint %q; want %s: %q, hint %q", got.State, got.Problem, got.Hint, tt.want, tt.problem, tt.hint)
			}
		})
	}
	if _, err := capture.New([]capture.Source{{Kind: capture.Mesos, URL: server.URL}}, nil, nil, capture.Options{CA: []byte("x")}); err == nil {
		t.Error("a file without a certificate was taken as authority")
	}
}

func TestOldTLSIsRefused(t *testing.T) {
	server := httptest.NewUnstartedServer(marathon())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.TLS = &tls.Config{MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}
	server.StartTLS()
	defer server.Close()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	report := take(t, capturetest.NewMemory(-1), capture.Options{CA: ca, Tries: 1}, capture.Source{Kind: capture.Marathon, URL: server.URL})
	got := outcome(t, report, "marathon/v2_info.json")
	if got.State != capture.Failed || got.Hint != "it speaks no TLS 1.2 or newer, or wants a client certificate" {
		t.Errorf("outcome = %+v", got)
	}
}

func TestWrongSchemeIsNamed(t *testing.T) {
	server := httptest.NewServer(marathon())
	defer server.Close()
	report := take(t, capturetest.NewMemory(-1), capture.Options{Tries: 1},
		capture.Source{Kind: capture.Marathon, URL: strings.Replace(server.URL, "http:", "https:", 1)})
	if got := outcome(t, report, "marathon/v2_info.json"); got.Hint != "write http:// or give the TLS port" {
		t.Errorf("outcome = %+v", got)
	}
}

func TestPlainIsNotGoneBackTo(t *testing.T) {
	plain := httptest.NewServer(marathon())
	defer plain.Close()
	guarded := httptest.NewTLSServer(sendOn(307, plain.URL))
	defer guarded.Close()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: guarded.Certificate().Raw})
	report := take(t, capturetest.NewMemory(-1), capture.Options{CA: ca}, capture.Source{Kind: capture.Marathon, URL: guarded.URL})
	if got := outcome(t, report, "marathon/v2_info.json"); got.State != capture.Failed || !strings.HasPrefix(got.Problem, "sends on from https to http://") {
		t.Errorf("outcome = %+v, want that plain HTTP is refused", got)
	}
}

func TestAgentsAreAskedForFlagsThroughTheRouter(t *testing.T) {
	world := func() *capturetest.World {
		w := capturetest.NewWorld(map[string]string{
			"/mesos/master/state":                `{"slaves":[]}`,
			"GET_AGENTS":                         `{"type":"GET_AGENTS","get_agents":{"agents":[{"agent_info":{"id":{"value":"S1"}}},{"agent_info":{"id":{"value":"../S9"}}},{"agent_info":{"id":{"value":"S0"}}},{"agent_info":{}}]}}`,
			"/agent/S0/flags":                    `{"flags":{"cgroups_enable_cfs":"true"}}`,
			"/agent/S1/flags":                    `{"flags":{"cgroups_enable_cfs":"false"}}`,
			"/service/marathon/v2/info":          `{}`,
			"/service/marathon" + groups:         `{"id":"/"}`,
			"/service/marathon/v2/tasks?unasked": `{}`,
		})
		return w
	}
	synctest.Test(t, func(t *testing.T) {
		w := world()
		n := connect(t, map[string]http.Handler{"dcos.example:80": w})
		folder := capturetest.NewMemory(-1)
		report := take(t, folder, capture.Options{Dial: n.dial, Rate: 1e6},
			capture.Source{Kind: capture.Mesos, URL: "http://dcos.example/mesos/"},
			capture.Source{Kind: capture.Marathon, URL: "http://dcos.example/service/marathon"})
		for _, path := range []string{"mesos/agent_flags/S0.json", "mesos/agent_flags/S1.json", "mesos/state.json", "marathon/v2_groups.json"} {
			if got := outcome(t, report, path); got.State != capture.Taken {
				t.Errorf("%s is %s (%s), want taken", path, got.State, got.Problem)
			}
		}
		for _, r := range w.Asked() {
			if strings.Contains(r.Question, "S9") {
				t.Errorf("asked %s, an id that winds", r.Question)
			}
		}
	})
	t.Run("router hands nothing through", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := world()
			w.Set("/agent/S0/flags", "")
			n := connect(t, map[string]http.Handler{"dcos.example:80": w})
			report := take(t, capturetest.NewMemory(-1), capture.Options{Dial: n.dial, Rate: 1e6}, capture.Source{Kind: capture.Mesos, URL: "http://dcos.example/mesos"})
			if got := outcome(t, report, "mesos/agent_flags/S0.json"); got.State != capture.Absent {
				t.Errorf("outcome = %+v, want absent", got)
			}
			if len(report.Of(capture.Failed)) != 0 {
				t.Errorf("failed: %+v", report.Of(capture.Failed))
			}
		})
	})
}

func TestInterruptionSaysWhy(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(fmt.Errorf("the operator left"))
	_, err := try(ctx, capturetest.NewMemory(-1), capture.Options{}, capture.Source{Kind: capture.Marathon, URL: "http://m"})
	if err == nil || !strings.Contains(err.Error(), "the operator left") {
		t.Errorf("Run = %v, want the cause", err)
	}
}
