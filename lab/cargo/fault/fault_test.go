package fault

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestAFaultIsReadStrictly(t *testing.T) {
	f, err := Parse(strings.NewReader(`{"latency": "50ms", "factor": 10, "errors": 0.2, "wrong": true, "notReady": true, "exit": "0s"}`))
	if err != nil || time.Duration(f.Latency) != 50*time.Millisecond || f.Factor != 10 || f.Errors != .2 || !f.Wrong || !f.NotReady || f.Exit == nil {
		t.Errorf("fault = %+v, %v", f, err)
	}
	for _, bad := range []string{`{"latancy": "50ms"}`, `{"latency": "50"}`, `{"errors": 2}`, `{"factor": 0.5}`, `{"exit": "-1s"}`, ``} {
		if f, err := Parse(strings.NewReader(bad)); err == nil {
			t.Errorf("%s was read as %+v", bad, f)
		}
	}
}

func TestTheProcessEndsUnlessTheFaultIsTakenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ends := 0
		s := NewSwitch(func() { ends++ })
		soon := Duration(5 * time.Second)
		s.Set(Fault{Exit: &soon})
		time.Sleep(4 * time.Second)
		s.Set(Fault{})
		time.Sleep(2 * time.Second)
		if ends != 0 {
			t.Error("a fault that was taken back ended the process")
		}
		s.Set(Fault{Exit: &soon})
		time.Sleep(6 * time.Second)
		if ends != 1 {
			t.Errorf("the process was ended %d times, want once", ends)
		}
	})
}

func TestLatencyIsAddedAndMultiplied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewSwitch(nil)
		h := s.Around(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { time.Sleep(20 * time.Millisecond) }))
		took := func() time.Duration {
			begun := time.Now()
			h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
			return time.Since(begun)
		}
		for want, f := range map[time.Duration]Fault{
			20 * time.Millisecond:  {},
			70 * time.Millisecond:  {Latency: Duration(50 * time.Millisecond)},
			200 * time.Millisecond: {Factor: 10},
		} {
			s.Set(f)
			if got := took(); got != want {
				t.Errorf("%+v: an answer takes %v, want %v", f, got, want)
			}
		}
	})
}

func TestFaultsAreSwitchedByRequests(t *testing.T) {
	s := NewSwitch(nil)
	ask := func(method, body string) (int, string) {
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, "/lab/fault", strings.NewReader(body)))
		text, err := io.ReadAll(w.Result().Body)
		if err != nil {
			t.Fatal(err)
		}
		return w.Code, strings.TrimSpace(string(text))
	}
	if code, text := ask(http.MethodPut, `{"wrong": true}`); code != 200 || text != `{"wrong":true}` || !s.Now().Wrong {
		t.Errorf("put = %d %s, fault %+v", code, text, s.Now())
	}
	if code, _ := ask(http.MethodPut, `{"wrnog": true}`); code != 400 || !s.Now().Wrong {
		t.Errorf("a bad put = %d, and changed the fault to %+v", code, s.Now())
	}
	if code, text := ask(http.MethodGet, ""); code != 200 || text != `{"wrong":true}` {
		t.Errorf("get = %d %s", code, text)
	}
	if code, text := ask(http.MethodDelete, ""); code != 200 || text != `{}` || s.Now().Wrong {
		t.Errorf("delete = %d %s, fault %+v", code, text, s.Now())
	}
}

func TestAFileIsFollowed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "fault")
	s := NewSwitch(nil)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	reports := make(chan error, 10)
	go func() {
		defer close(ended)
		s.Follow(ctx, file, func(err error) { reports <- err })
	}()
	defer func() {
		stop()
		<-ended
	}()
	put := func(text string) {
		t.Helper()
		if err := os.WriteFile(file+".new", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(file+".new", file); err != nil {
			t.Fatal(err)
		}
	}
	until := func(what string, is func() bool) {
		t.Helper()
		for end := time.Now().Add(10 * time.Second); !is(); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("after 10 s it is not so that %s", what)
			}
		}
	}
	put(`{"notReady": true}`)
	until("the fault is on", func() bool { return s.Now().NotReady })
	put(`{"notReady": `)
	until("a bad file is reported", func() bool { return len(reports) > 0 })
	if !s.Now().NotReady {
		t.Error("a bad file turned the fault off")
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	until("the fault is off", func() bool { return !s.Now().NotReady })
}
