package reading

import (
	"strings"
	"testing"
	"time"
)

func TestReadingsAreTakenAsTheyAreOrNotAtAll(t *testing.T) {
	const one = `{"device":"d","seq":3,"at":"2026-01-01T00:00:00.5Z","value":-1.5}`
	got, err := Parse([]byte(" \n" + one))
	want := Reading{"d", 3, time.Date(2026, 1, 1, 0, 0, 0, 5e8, time.UTC), -1.5}
	if err != nil || len(got) != 1 || got[0] != want {
		t.Errorf("one = %+v, %v; want %+v", got, err, want)
	}
	if got, err := Parse([]byte("[" + one + "," + one + "]")); err != nil || len(got) != 2 {
		t.Errorf("two = %+v, %v", got, err)
	}
	for _, bad := range []string{
		"", "[]", "{}", "[" + one, one + "x",
		`{"seq":3,"at":"2026-01-01T00:00:00Z"}`,
		`{"device":"d","seq":0,"at":"2026-01-01T00:00:00Z"}`,
		`{"device":"d","seq":1}`,
		`{"device":"d","seq":1.5,"at":"2026-01-01T00:00:00Z"}`,
		`{"device":"` + strings.Repeat("d", 129) + `","seq":1,"at":"2026-01-01T00:00:00Z"}`,
		"[" + strings.Repeat(one+",", Most) + one + "]",
	} {
		if got, err := Parse([]byte(bad)); err == nil {
			t.Errorf("%.60s was read as %d readings", bad, len(got))
		}
	}
}
