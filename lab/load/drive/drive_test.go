package drive

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/tranship/tranship/lab/load/acked"
	"github.com/tranship/tranship/lab/load/tally"
)

// backend is gateway and query in one, with a memory; answer decides over writes.
type backend struct {
	mu     sync.Mutex
	stored map[string][]int64
	answer func(n int, w http.ResponseWriter, store func()) // nil: all is well
	writes int
	hide   bool // reads do not see the last reading
}

func (b *backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	w.Header().Set("X-World", "mesos")
	device := r.URL.Query().Get("device")
	switch {
	case r.Method == http.MethodPost:
		var got reading
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		b.writes++
		store := func() { b.stored[got.Device] = append(b.stored[got.Device], got.Seq) }
		if b.answer != nil {
			b.answer(b.writes, w, store)
			return
		}
		store()
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprint(w, `{"accepted":1}`)
	case r.URL.Path == "/v1/last":
		all := b.stored[device]
		if b.hide && len(all) > 0 {
			all = all[:len(all)-1]
		}
		if len(all) == 0 {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		last := all[len(all)-1]
		_ = json.NewEncoder(w).Encode(reading{device, last, Value(device, last)})
	}
}

func run(t *testing.T, b *backend, o Options, d time.Duration) (*Driver, tally.Stats) {
	t.Helper()
	b.stored = map[string][]int64{}
	server := httptest.NewServer(b)
	defer server.Close()
	file, err := acked.Open(filepath.Join(t.TempDir(), "acked"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	o.Gateway, o.Query, o.Prefix, o.Timeout, o.Again = server.URL, server.URL, "dev-", 2*time.Second, time.Millisecond
	counts := tally.New(time.Second)
	driver, err := New(o, counts, file)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	driver.Run(ctx)
	return driver, counts.All()
}

func TestAFailedReadingIsSentAgainBeforeTheNext(t *testing.T) {
	b := &backend{answer: func(n int, w http.ResponseWriter, store func()) {
		switch n % 4 {
		case 1: // not done, and said so
			w.WriteHeader(http.StatusBadGateway)
		case 2: // not done, but 200
			fmt.Fprint(w, `{"fault":"wrong content"}`)
		case 3: // done, but the answer never comes
			store()
			panic(http.ErrAbortHandler)
		default:
			store()
			w.WriteHeader(http.StatusAccepted)
			fmt.Fprint(w, `{"accepted":1}`)
		}
	}}
	driver, stats := run(t, b, Options{Devices: 3, Rates: Rates{Write: 200}}, 500*time.Millisecond)
	outcomes := stats.Classes["write"]["mesos"].Outcomes
	for _, o := range []string{"ok", "status", "wrong"} {
		if outcomes[o] == 0 {
			t.Errorf("no write with outcome %s was counted: %v", o, outcomes)
		}
	}
	if int64(outcomes["ok"]) != driver.Acknowledged() || driver.Acknowledged() == 0 {
		t.Errorf("%d writes are ok, but %d acknowledged", outcomes["ok"], driver.Acknowledged())
	}
	for device, last := range driver.Progress {
		next := int64(1)
		for _, seq := range b.stored[device] {
			if seq > next || seq < next-1 {
				t.Fatalf("device %s: %v, want each number, at most again before the next", device, b.stored[device])
			}
			next = max(next, seq+1)
		}
		if next <= last {
			t.Errorf("device %s: %d acknowledged, but the last that is stored is %d", device, last, next-1)
		}
	}
	if len(driver.Failures()) == 0 {
		t.Error("no failure is kept")
	}
}

func TestAReadThatLacksWhatWasAcknowledgedIsAFailure(t *testing.T) {
	_, stats := run(t, &backend{hide: true}, Options{Devices: 2, Rates: Rates{Write: 100, Last: 100}}, 500*time.Millisecond)
	if stats.Classes["last"]["mesos"].Outcomes["stale"] == 0 {
		t.Errorf("stale reads were not seen: %+v", stats.Classes["last"])
	}
	_, stats = run(t, &backend{}, Options{Devices: 2, Rates: Rates{Write: 100, Last: 100}}, 500*time.Millisecond)
	if stats.Failed != 0 || stats.Classes["last"]["mesos"].Requests == 0 {
		t.Errorf("of good answers %d are counted as failed: %+v", stats.Failed, stats.Classes)
	}
}

func TestLatencyCountsFromWhenARequestWasDue(t *testing.T) {
	first := true
	b := &backend{}
	b.answer = func(_ int, w http.ResponseWriter, store func()) {
		if first {
			first = false
			time.Sleep(300 * time.Millisecond)
		}
		store()
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprint(w, `{"accepted":1}`)
	}
	_, stats := run(t, b, Options{Devices: 1, Rates: Rates{Write: 50}}, 500*time.Millisecond)
	// One answer took long; those that were due meanwhile waited for it, and that is counted as theirs.
	line := stats.Classes["write"]["mesos"]
	if line.P50 < 50 {
		t.Errorf("median = %v ms, want more than 50: half of the requests waited for the first", line.P50)
	}
}

func TestADriverWithoutAnAnswerCountsNobody(t *testing.T) {
	file, err := acked.Open(filepath.Join(t.TempDir(), "acked"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	counts := tally.New(time.Second)
	o := Options{Gateway: "http://127.0.0.1:1", Query: "http://127.0.0.1:1", Devices: 1, Rates: Rates{Write: 20}, Timeout: time.Second, Again: time.Millisecond}
	driver, err := New(o, counts, file)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	driver.Run(ctx)
	if got := counts.All().Worlds["nobody"].Outcomes["transport"]; got == 0 || driver.Acknowledged() != 0 {
		t.Errorf("transport failures = %d, acknowledged = %d; want some and 0", got, driver.Acknowledged())
	}
}
