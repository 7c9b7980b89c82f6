package wire_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tranship/tranship/internal/base/credential"
	"github.com/tranship/tranship/internal/rollout/runner"
	"github.com/tranship/tranship/internal/world/wire"
)

const canary = "canary-91fe"

func token(t *testing.T) credential.Credential {
	t.Helper()
	c, err := credential.Token(canary)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// leader notes what reaches it.
type leader struct {
	*httptest.Server
	got, auth string
}

func newLeader(t *testing.T) *leader {
	l := &leader{}
	l.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		data, _ := io.ReadAll(r.Body)
		l.got, l.auth = r.Method+" "+r.URL.RequestURI()+" "+string(data), r.Header.Get("Authorization")
		_, _ = rw.Write([]byte(`{"ok": true}`))
	}))
	t.Cleanup(l.Close)
	return l
}

func sends(t *testing.T, code int, location string) *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Location", location)
		rw.WriteHeader(code)
	}))
	t.Cleanup(s.Close)
	return s
}

func host(url string) string { return strings.TrimPrefix(url, "http:") }

// TestALeaderIsFollowedWithMethodBodyAndCredential if it was named as a peer.
func TestALeaderIsFollowedWithMethodBodyAndCredential(t *testing.T) {
	l := newLeader(t)
	s := sends(t, http.StatusTemporaryRedirect, host(l.URL)+"/api/v1") // as Mesos does, without a scheme
	c, err := wire.New(s.URL, wire.Options{Peers: []string{l.URL}, Credential: token(t)})
	if err != nil {
		t.Fatal(err)
	}
	var answer struct{ OK bool }
	if err := c.Post(t.Context(), "/api/v1", map[string]string{"type": "GET_VERSION"}, &answer); err != nil || !answer.OK {
		t.Fatalf("Post = %v", err)
	}
	if l.got != `POST /api/v1 {"type":"GET_VERSION"}` || l.auth != "Bearer "+canary {
		t.Errorf("the leader got %s with %q", l.got, l.auth)
	}
}

// TestTheCredentialGoesToNoOtherHost: nor is anything, where one is given.
func TestTheCredentialGoesToNoOtherHost(t *testing.T) {
	l := newLeader(t)
	s := sends(t, http.StatusTemporaryRedirect, host(l.URL)+"/api/v1")
	c, err := wire.New(s.URL, wire.Options{Credential: token(t)})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Post(t.Context(), "/api/v1", 1, nil); !errors.Is(err, runner.ErrRefused) || l.got != "" {
		t.Errorf("Post = %v, and the other host got %q; want a refusal and nothing", err, l.got)
	}
	open, err := wire.New(s.URL, wire.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := open.Post(t.Context(), "/api/v1", 1, nil); err != nil || l.got != "POST /api/v1 1" {
		t.Errorf("Post = %v, and the leader got %q; without a credential it is followed", err, l.got)
	}
}

// TestARedirectIsFollowedToTheSameQuestionOnly.
func TestARedirectIsFollowedToTheSameQuestionOnly(t *testing.T) {
	l := newLeader(t)
	for name, s := range map[string]*httptest.Server{
		"a login page": sends(t, http.StatusFound, l.URL+"/login"),
		"a GET":        sends(t, http.StatusFound, l.URL+"/v2/x"),
		"a loop":       sends(t, http.StatusTemporaryRedirect, "/v2/x"),
	} {
		c, err := wire.New(s.URL, wire.Options{Peers: []string{l.URL}})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Put(t.Context(), "/v2/x", 1, nil); !errors.Is(err, runner.ErrRefused) || l.got != "" {
			t.Errorf("%s: Put = %v, and it got %q; want a refusal", name, err, l.got)
		}
	}
}

// TestAnAnswerThatIsTooLateOrTooLargeIsAnErrorThatMayPass.
func TestAnAnswerThatIsTooLateOrTooLargeIsAnErrorThatMayPass(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/late" {
			<-r.Context().Done()
			return
		}
		_, _ = rw.Write([]byte(`"` + strings.Repeat("x", 2000) + `"`))
	}))
	t.Cleanup(s.Close)
	c, err := wire.New(s.URL, wire.Options{Timeout: 50 * time.Millisecond, MaxBytes: 1000})
	if err != nil {
		t.Fatal(err)
	}
	var text string
	if err := c.Get(t.Context(), "/late", nil, &text); err == nil || !strings.Contains(err.Error(), "no answer within 50ms") || errors.Is(err, runner.ErrRefused) {
		t.Errorf("Get = %v, want that no answer came in time", err)
	}
	if err := c.Get(t.Context(), "/large", nil, &text); err == nil || !strings.Contains(err.Error(), "larger than 1000 bytes") {
		t.Errorf("Get = %v, want that it is too large", err)
	}
}

// TestCodesAreTheRunnersErrors.
func TestCodesAreTheRunnersErrors(t *testing.T) {
	code := 0
	s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.WriteHeader(code)
		_, _ = rw.Write([]byte(`{"message": "said with ` + canary + `"}`))
	}))
	t.Cleanup(s.Close)
	c, err := wire.New(s.URL, wire.Options{Credential: token(t)})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		code int
		want error
	}{{401, runner.ErrRefused}, {403, runner.ErrRefused}, {422, runner.ErrRefused}, {409, runner.ErrLocked}, {404, runner.ErrAbsent}, {503, nil}, {500, nil}, {429, nil}} {
		code = x.code
		err := c.Get(t.Context(), "/", nil, nil)
		if err == nil || strings.Contains(err.Error(), canary) || !strings.Contains(err.Error(), "said with") {
			t.Errorf("%d: %v, want the words and not the credential", x.code, err)
		}
		for _, e := range []error{runner.ErrRefused, runner.ErrLocked, runner.ErrAbsent} {
			if errors.Is(err, e) != errors.Is(x.want, e) {
				t.Errorf("%d: %v, want %v", x.code, err, x.want)
			}
		}
	}
}

// TestAnAddressIsRefusedWithoutRepeatingIt: it may hold a password.
func TestAnAddressIsRefusedWithoutRepeatingIt(t *testing.T) {
	for _, address := range []string{"", "host:8080", "ftp://host", "http://user:" + canary + "@host", "http://host/?x=" + canary} {
		if _, err := wire.New(address, wire.Options{}); err == nil || strings.Contains(err.Error(), canary) {
			t.Errorf("New(%q) = %v, want a refusal that does not repeat it", address, err)
		}
	}
	if _, err := wire.New("http://host", wire.Options{CA: []byte("no certificate")}); err == nil {
		t.Error("authorities without a certificate were taken")
	}
}
