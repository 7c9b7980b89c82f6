package page_test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tranship/tranship/internal/rollout/witness"
	"github.com/tranship/tranship/internal/rollout/witness/page"
)

var noon = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

// statement is of a move of some length, in which some marks fare as fate says.
func statement(t *testing.T, length time.Duration, fate func(i int) int) witness.Statement {
	t.Helper()
	w := witness.New("w-<b>", 2, time.Second)
	kept := map[witness.Mark]int{}
	for i := range int(length / (10 * time.Second)) {
		now := noon.Add(time.Duration(i) * 10 * time.Second)
		m := w.Next(now)
		kept[m] = fate(i)
		w.Answered(m, witness.Acknowledged, now)
		for {
			m, ok := w.Due(now.Add(5 * time.Second))
			if !ok {
				break
			}
			w.Read(m, kept[m], true, now.Add(5*time.Second))
		}
	}
	s, err := witness.State("telemetry <script>", "plan-seal", "journal-head", []witness.Proof{w.Proof("/telemetry/gateway", "", noon.Add(length))}, noon.Add(length))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func render(t *testing.T, s witness.Statement) string {
	t.Helper()
	var b strings.Builder
	if err := page.Write(&b, s); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// wellFormed reads the page as XML, whose rules for nesting HTML is not held to.
func wellFormed(t *testing.T, html string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(html))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("the page is not well formed: %v", err)
		}
	}
}

// TestThePageSaysWhatWasSealed, and needs nothing from elsewhere.
func TestThePageSaysWhatWasSealed(t *testing.T) {
	s := statement(t, time.Hour, func(i int) int {
		switch i {
		case 100:
			return 0
		case 200:
			return 2
		}
		return 1
	})
	if err := s.SignOff("Kim", "seen with the team", noon.Add(2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	html := render(t, s)
	wellFormed(t, html)
	for _, want := range []string{
		"<b>fail</b>", "1 acknowledged records are missing, 1 are there more than once", s.SHA256, "plan-seal", "journal-head",
		"Signed off by <strong>Kim</strong>", "seen with the team", "▼1", "◆1", "w-&lt;b&gt;1", "/telemetry/gateway", "telemetry &lt;script&gt;",
		fmt.Sprintf("<b>%d</b><small>sent</small>", s.Sum.Sent),
	} {
		if !strings.Contains(html, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, never := range []string{"http://", "https://", "<script", "<link", "@import", "url("} {
		if strings.Contains(html, never) {
			t.Errorf("the page has %q", never)
		}
	}
	if again := render(t, s); again != html {
		t.Error("a second page of the same statement differs")
	}
}

// TestALongMoveStaysReadable: columns get wider, not more.
func TestALongMoveStaysReadable(t *testing.T) {
	html := render(t, statement(t, 3*24*time.Hour, func(int) int { return 1 }))
	wellFormed(t, html)
	if n := strings.Count(html, "<g><title>"); n > 2*120 || n < 2*60 {
		t.Errorf("%d columns for two devices, want 120 each at most", n)
	}
	if len(html) > 200<<10 {
		t.Errorf("the page has %d bytes", len(html))
	}
	if !strings.Contains(html, "Nov 29") {
		t.Error("a move of days has no days on its axis")
	}
}

// TestAMoveWithoutWitnessSaysSo.
func TestAMoveWithoutWitnessSaysSo(t *testing.T) {
	s, err := witness.State("", "", "", nil, noon)
	if err != nil {
		t.Fatal(err)
	}
	html := render(t, s)
	wellFormed(t, html)
	for _, want := range []string{"<b>unknown</b>", "No record was acknowledged", "spec.move.workloads.NAME.witness", "Not signed off"} {
		if !strings.Contains(html, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

// A time stands once below each drawing, whether a move took minutes or days.
func TestNoTimeStandsTwiceOnAnAxis(t *testing.T) {
	for _, length := range []time.Duration{20 * time.Second, 2 * time.Minute, 7 * time.Minute, 3 * time.Hour, 50 * time.Hour} {
		html := render(t, statement(t, length, func(int) int { return 1 }))
		svg := html[strings.Index(html, "<svg"):]
		seen := map[string]int{}
		for _, x := range regexp.MustCompile(`<text[^>]*>([^<]*\d\d:\d\d)</text>`).FindAllStringSubmatch(svg, -1) {
			seen[x[1]]++
		}
		if len(seen) < 2 || len(seen) > 7 {
			t.Errorf("%s: %d times on the axis, want 2 to 7: %v", length, len(seen), seen)
		}
		for at, n := range seen {
			if n != 1 {
				t.Errorf("%s: %s stands %d times", length, at, n)
			}
		}
	}
}
