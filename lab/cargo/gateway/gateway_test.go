package gateway_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tranship/tranship/lab/cargo/fault"
	"github.com/tranship/tranship/lab/cargo/gateway"
	"github.com/tranship/tranship/lab/cargo/service"
)

const one = `{"device":"dev-1","seq":1,"at":"2026-01-01T00:00:00Z","value":1.5}`

// serve puts a gateway before an ingest.
func serve(t testing.TB, ingest http.HandlerFunc) string {
	t.Helper()
	back := httptest.NewServer(ingest)
	t.Cleanup(back.Close)
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	s := service.New(service.Config{Name: "gateway", World: service.Kubernetes, Version: "7"}, log, fault.NewSwitch(nil), func() error { return nil })
	s.Handle("POST /v1/readings", gateway.New(back.URL, log))
	front := httptest.NewServer(s.Handler())
	t.Cleanup(front.Close)
	return front.URL + "/v1/readings"
}

func post(t testing.TB, url, body string) (*http.Response, string) {
	t.Helper()
	answer, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(text)
}

func TestAcceptedIsSaidOnlyOfWhatIngestSaysIsStored(t *testing.T) {
	for name, test := range map[string]struct {
		ingest http.HandlerFunc
		body   string
		want   int
	}{
		"stored": {
			ingest: func(w http.ResponseWriter, _ *http.Request) { service.Answer(w, 200, map[string]int{"stored": 1}) },
			body:   one, want: 202,
		},
		"200 with other content": {
			ingest: func(w http.ResponseWriter, _ *http.Request) {
				service.Answer(w, 200, map[string]string{"fault": "wrong content"})
			},
			body: one, want: 502,
		},
		"fewer than were sent": {
			ingest: func(w http.ResponseWriter, _ *http.Request) { service.Answer(w, 200, map[string]int{"stored": 1}) },
			body:   "[" + one + "," + one + "]", want: 502,
		},
		"refused": {
			ingest: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
			body:   one, want: 502,
		},
		"no reading": {
			ingest: func(w http.ResponseWriter, _ *http.Request) { service.Answer(w, 200, map[string]int{"stored": 1}) },
			body:   `{"device":"dev-1","seq":0,"at":"2026-01-01T00:00:00Z"}`, want: 400,
		},
	} {
		t.Run(name, func(t *testing.T) {
			answer, text := post(t, serve(t, test.ingest), test.body)
			if answer.StatusCode != test.want {
				t.Errorf("status = %d: %s, want %d", answer.StatusCode, text, test.want)
			}
			if answer.Header.Get("X-World") != "kubernetes" || answer.Header.Get("X-Version") != "7" {
				t.Errorf("identity = %q %q, want kubernetes 7", answer.Header.Get("X-World"), answer.Header.Get("X-Version"))
			}
		})
	}
}

func TestWhatIngestDidNotAnswerIsSentAgain(t *testing.T) {
	tries := 0
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || string(body) != one {
			t.Errorf("try %d carries %q", tries, body)
		}
		switch tries++; tries {
		case 1:
			w.WriteHeader(http.StatusServiceUnavailable)
		case 2:
			panic(http.ErrAbortHandler)
		default:
			w.Header().Set("X-World", "mesos")
			service.Answer(w, 200, map[string]int{"stored": 1})
		}
	})
	answer, text := post(t, url, one)
	if answer.StatusCode != http.StatusAccepted || tries != 3 {
		t.Errorf("status = %d after %d tries: %s, want 202 after 3", answer.StatusCode, tries, text)
	}
	if got := answer.Header.Get("X-Ingest-World"); got != "mesos" {
		t.Errorf("X-Ingest-World = %q, want mesos", got)
	}
}

func BenchmarkOneReading(b *testing.B) {
	url := serve(b, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		service.Answer(w, 200, map[string]int{"stored": 1})
	})
	b.ReportAllocs()
	for b.Loop() {
		if answer, text := post(b, url, one); answer.StatusCode != http.StatusAccepted {
			b.Fatal(text)
		}
	}
}
