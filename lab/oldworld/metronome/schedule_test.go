package metronome_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tranship/tranship/lab/oldworld/mesos"
	"github.com/tranship/tranship/lab/oldworld/metronome"
)

func TestSchedulesRunByTheirOwnClock(t *testing.T) {
	for _, x := range []struct{ name, now, cron, zone, want string }{
		{"UTC where nothing is said", "2026-03-28T22:00:00Z", "20 1 * * *", "", "2026-03-29T01:20:00.000+0000"},
		{"winter", "2026-03-27T22:00:00Z", "20 1 * * *", "Europe/Berlin", "2026-03-28T00:20:00.000+0000"},
		{"summer", "2026-03-29T22:00:00Z", "20 1 * * *", "Europe/Berlin", "2026-03-29T23:20:00.000+0000"},
		{"an hour that is not there is left out", "2026-03-28T22:00:00Z", "30 2 * * *", "Europe/Berlin", "2026-03-30T00:30:00.000+0000"},
		{"the other side of the date line", "2026-11-28T23:00:00Z", "0 9 * * 1", "Pacific/Auckland", "2026-11-29T20:00:00.000+0000"},
	} {
		t.Run(x.name, func(t *testing.T) {
			now, err := time.Parse(time.RFC3339, x.now)
			if err != nil {
				t.Fatal(err)
			}
			cluster, err := mesos.New(t.TempDir(), nil, mesos.Images{}, mesos.Options{Executor: []string{"none"}})
			if err != nil {
				t.Fatal(err)
			}
			m, err := metronome.New(t.TempDir(), cluster, metronome.Options{Address: "127.0.0.1:9000", Now: func() time.Time { return now }})
			if err != nil {
				t.Fatal(err)
			}
			h := metronome.Handler(m)
			ask := func(method, path, body string) map[string]any {
				t.Helper()
				w := httptest.NewRecorder()
				h.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
				var out map[string]any
				if w.Code/100 != 2 || json.Unmarshal(w.Body.Bytes(), &out) != nil {
					t.Fatalf("%s %s = %d: %s", method, path, w.Code, w.Body)
				}
				return out
			}
			ask(http.MethodPost, "/v1/jobs", `{"id":"a.b","run":{"cmd":"true","cpus":0.1,"mem":32,"disk":0}}`)
			zone := ""
			if x.zone != "" {
				zone = `,"timezone":"` + x.zone + `"`
			}
			if got := ask(http.MethodPost, "/v1/jobs/a.b/schedules", `{"id":"s","cron":"`+x.cron+`"`+zone+`}`)["nextRunAt"]; got != x.want {
				t.Errorf("at %s, %q in %q runs next at %v, want %s", x.now, x.cron, x.zone, got, x.want)
			}
		})
	}
}
