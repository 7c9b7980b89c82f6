package report_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/plantest"
	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/render/report"
)

func estateOf(n int) estate.Estate {
	e := estate.Estate{Version: estate.Version}
	for i := range n {
		id := estate.Name("/g" + string(rune('a'+i%5)) + "/w" + strings.Repeat("x", i/5))
		e.Workloads = append(e.Workloads, estate.Workload{ID: id, Kind: estate.Service, Replicas: 1, Containers: []estate.Container{{Name: "main", Image: "<b>:1"}}})
		if i > 0 {
			e.Dependencies = append(e.Dependencies, estate.Dependency{From: id, To: e.Workloads[i-1].ID, Way: estate.Declared})
		}
	}
	e.Sort()
	return e
}

// bare is a plan without prices and usage.
func bare() plan.Plan {
	p := plan.Plan{Version: plan.Version, AsOf: "2026-11-24", Policy: policy.Default(), Estate: estateOf(3), Pools: []plan.Pool{{Name: "default", Reason: plan.OnlyPool}}}
	for i, w := range p.Estate.Workloads {
		p.Sizes = append(p.Sizes, plan.Size{Workload: w.ID, Replicas: 1, Reason: plan.AsDeclared, Containers: []plan.ContainerSize{{Name: "main", CPU: 100, Memory: unit.MiB}}})
		p.Waves = append(p.Waves, plan.Wave{Number: i + 1, Reason: plan.AfterNeeds, Groups: []plan.MoveGroup{{Workloads: []estate.Name{w.ID}, Mode: plan.Plain, Reason: plan.MoveAlone}}})
	}
	return p
}

func pageOf(t *testing.T, p *plan.Plan, entries []ledger.Entry) string {
	t.Helper()
	f, err := report.Render(p, entries, []byte("<svg><text>drawing</text></svg>"))
	if err != nil {
		t.Fatal(err)
	}
	return string(f.Data)
}

// TestTheReportNeedsNothingElse: one file, no address in it, names escaped,
// open decisions told and answered ones not.
func TestTheReportNeedsNothingElse(t *testing.T) {
	entries := []ledger.Entry{
		{File: "f", Pointer: "/open", Verdict: ledger.Decision, Code: "X1", Reason: "still to be said", Workload: "/ga/w"},
		{File: "f", Pointer: "/exact", Verdict: ledger.Exact, Code: "X3"},
	}
	p := bare()
	full := plantest.Telemetry()
	for _, page := range []string{pageOf(t, &p, entries), pageOf(t, &full, nil)} {
		for _, bad := range []string{"http://", "https://", "<b>:1", "src=", "ZgotmplZ", "@import", "url(h", "<no value>", "%!"} {
			if strings.Contains(page, bad) {
				t.Errorf("the page holds %q", bad)
			}
		}
	}
	page := pageOf(t, &p, entries)
	for _, want := range []string{"still to be said", "f#/open", "<text>drawing</text>", "&lt;b&gt;:1", `Wave <a class="f" href="#wave-3">3</a>`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

func TestALargeEstateIsDrawnByGroup(t *testing.T) {
	small, large := estateOf(300), estateOf(301)
	if g := report.NewGraph(&small); len(g.Nodes) != 300 {
		t.Errorf("300 workloads are drawn as %d nodes", len(g.Nodes))
	}
	g := report.NewGraph(&large)
	if len(g.Nodes) != 5 {
		t.Errorf("301 workloads of 5 groups are drawn as %d nodes", len(g.Nodes))
	}
	for _, n := range g.Nodes {
		if !strings.Contains(n.Label, "(") {
			t.Errorf("node %s does not say how many it stands for", n.Label)
		}
	}
}

// A document is what a browser would see of a page, flat.
type document struct {
	// why is the reason's text at each place that has one.
	why map[string]string
	// links are where links lead to; loose the numbers that no link leads from.
	links, loose []string
	text         map[string]string // of every place
}

var code = regexp.MustCompile(`(?s)<(script|style)[ >].*?</(script|style)>`)

// quiet elements hold names, scales, reasons or what is left out of a picture:
// not figures of the plan.
func quiet(e xml.StartElement) bool {
	switch e.Name.Local {
	case "code", "title", "option", "th", "nav", "h1", "summary", "dt":
		return true
	}
	for _, a := range e.Attr {
		if a.Name.Local == "class" {
			for c := range strings.FieldsSeq(a.Value) {
				if c == "why" || c == "axis" || c == "cap" || c == "graph" || c == "name" {
					return true
				}
			}
		}
	}
	return false
}

func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func parse(t *testing.T, page string) document {
	t.Helper()
	doc := document{why: map[string]string{}, text: map[string]string{}}
	dec := xml.NewDecoder(strings.NewReader(code.ReplaceAllString(page, "")))
	dec.Strict, dec.AutoClose, dec.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	var stack []xml.StartElement
	texts, whys := map[string][]string{}, map[string][]string{}
	digit := regexp.MustCompile(`[0-9]`)
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch x := tok.(type) {
		case xml.StartElement:
			stack = append(stack, x.Copy())
			if at := attribute(x, "id"); at != "" {
				if _, ok := doc.text[at]; ok {
					t.Errorf("two places are called %s", at)
				}
				doc.text[at] = ""
			}
			if x.Name.Local == "a" {
				doc.links = append(doc.links, attribute(x, "href"))
			}
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			text := strings.TrimSpace(string(x))
			if text == "" {
				continue
			}
			linked, why := false, false
			for _, e := range stack {
				linked = linked || e.Name.Local == "a" || quiet(e)
				why = why || strings.Contains(" "+attribute(e, "class")+" ", " why ")
			}
			for _, e := range stack {
				if at := attribute(e, "id"); at != "" {
					texts[at] = append(texts[at], text)
					if why {
						whys[at] = append(whys[at], text)
					}
				}
			}
			if digit.MatchString(text) && !linked && len(stack) > 0 {
				doc.loose = append(doc.loose, stack[len(stack)-1].Name.Local+": "+text)
			}
		}
	}
	for at, text := range texts {
		doc.text[at] = strings.Join(text, " ") + " "
	}
	for at, text := range whys {
		doc.why[at] = strings.Join(text, " ") + " "
	}
	return doc
}

// TestEveryFigureLeadsToItsReason: whatever number stands on the page is a link
// to a place that has a reason in words.
func TestEveryFigureLeadsToItsReason(t *testing.T) {
	plain, estimated, zone := bare(), plantest.Telemetry(), plantest.Telemetry()
	estimated.Prices.Estimated = true
	estimated.Bill.Short = []string{"allow arm64: 3 % more"}
	zone.Survival.Level, zone.Survival.Failures = plan.SurviveZone, []plan.Failure{{Lost: "us-east-1a", Stranded: []plan.Copies{{Workload: "/internal/wiki", Count: 1}}}}
	large := plantest.Large(700, 60)
	large.Bill.Spend[50].Wave = 69
	entries := []ledger.Entry{
		{File: "f", Pointer: "/open", Verdict: ledger.Decision, Code: "X1", Reason: "said", Workload: "/internal/wiki"},
		{File: "f", Pointer: "/e", Verdict: ledger.Exact, Code: "X3", Reason: "same"},
	}
	partial := plantest.Telemetry()
	partial.Bill.Levers, partial.Bill.Spend, partial.Bill.Today = nil, nil, nil
	plans := map[string]*plan.Plan{"bare": &plain, "partial": &partial, "estimated": &estimated, "zone": &zone, "large": &large}
	// Whatever part is missing, what is there still leads to its reason.
	for _, f := range reflect.VisibleFields(reflect.TypeFor[plan.Plan]()) {
		p := plantest.Telemetry()
		reflect.ValueOf(&p).Elem().FieldByIndex(f.Index).SetZero()
		plans["without "+f.Name] = &p
	}
	for name, p := range plans {
		traced(t, name, pageOf(t, p, entries))
	}
}

// traced holds every number of a page to a link, and every link to a reason.
func traced(t *testing.T, name, page string) {
	t.Helper()
	doc := parse(t, page)
	if len(doc.links) < 40 {
		t.Fatalf("%s: only %d links", name, len(doc.links))
	}
	for _, x := range doc.loose {
		t.Errorf("%s: a figure leads nowhere: %s", name, x)
	}
	headings := " bill packing sizes spend waves decisions workloads verdicts graph names reasons "
	bad := map[string]bool{}
	for _, to := range doc.links {
		at, ok := strings.CutPrefix(to, "#")
		if !ok || bad[to] {
			continue
		}
		if _, ok := doc.text[at]; !ok {
			t.Errorf("%s: a link leads to %s, which is not there", name, to)
			bad[to] = true
		} else if doc.why[at] == "" && !strings.Contains(headings, " "+at+" ") {
			t.Errorf("%s: at %s there is no reason, but %q", name, to, doc.text[at])
			bad[to] = true
		}
	}
}

var amountText = regexp.MustCompile(`[+-]?\$[0-9,]+\.[0-9]{2}`)

func cents(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(strings.NewReplacer("$", "", ",", "", ".", "", "+", "").Replace(text))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestShownAmountsSum: whoever adds up what the page shows, to the cent, gets
// the sums that the page shows, and these are the bill's.
func TestShownAmountsSum(t *testing.T) {
	p := plantest.Telemetry()
	p.Bill.Tomorrow[0].Month += 4999 // so that rounding each line alone would miss
	p.Bill.Tomorrow[1].Month += 4999
	p.Bill.Levers[0].Delta += 9998
	doc := parse(t, pageOf(t, &p, nil))
	shown := func(at string) []string {
		text := strings.TrimSuffix(doc.text[at], doc.why[at])
		return amountText.FindAllString(text, -1)
	}
	var sums [2]int
	for i, s := range []struct {
		name  string
		lines []plan.Line
	}{{"today", p.Bill.Today}, {"tomorrow", p.Bill.Tomorrow}} {
		var whole unit.Money
		n := 0
		for k, l := range s.lines {
			whole += l.Month
			all := shown(s.name + "-" + strconv.Itoa(k+1))
			n += cents(t, all[len(all)-1])
		}
		sum := shown("sum-" + s.name)
		sums[i] = cents(t, sum[len(sum)-1])
		if n != sums[i] {
			t.Errorf("the lines of %s shown sum to %d cents, the sum shown is %d", s.name, n, sums[i])
		}
		if want := int((whole + unit.Cent/2) / unit.Cent); sums[i] != want {
			t.Errorf("the sum of %s is shown as %d cents, want %d", s.name, sums[i], want)
		}
	}
	at := sums[0]
	for k := range p.Bill.Levers {
		at += cents(t, shown("lever-" + strconv.Itoa(k+1))[0])
	}
	if at != sums[1] {
		t.Errorf("the levers shown lead to %d cents, tomorrow's bill shown is %d", at, sums[1])
	}
}

// TestTheFailureShownIsTheOneProven: the moves that the page draws are those
// of the plan, copy for copy.
func TestTheFailureShownIsTheOneProven(t *testing.T) {
	p := plantest.Telemetry()
	page := pageOf(t, &p, nil)
	_, rest, ok := strings.Cut(page, `id="replay">`)
	if !ok {
		t.Fatal("the page holds no failures")
	}
	rest, _, _ = strings.Cut(rest, "</script>")
	var got struct {
		Names []string
		Loads []struct{ Name string }
		Lost  []struct {
			Name     string
			Moves    [][3]int
			Copies   int
			Stranded int
		}
	}
	if err := json.Unmarshal([]byte(rest), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Lost) != len(p.Survival.Failures) {
		t.Fatalf("%d failures are shown of %d", len(got.Lost), len(p.Survival.Failures))
	}
	for i, f := range p.Survival.Failures {
		if got.Lost[i].Name != f.Lost || len(got.Lost[i].Moves) != len(f.Moves) {
			t.Errorf("failure %s is shown as %+v", f.Lost, got.Lost[i])
			continue
		}
		for k, m := range f.Moves {
			x := got.Lost[i].Moves[k]
			if got.Loads[x[0]].Name != string(m.Workload) || x[1] != m.Count || got.Names[x[2]] != m.To {
				t.Errorf("move %+v is shown as %s × %d to %s", m, got.Loads[x[0]].Name, x[1], got.Names[x[2]])
			}
		}
	}
}

// TestTheSamePlanGivesTheSameBytes.
func TestTheSamePlanGivesTheSameBytes(t *testing.T) {
	p := plantest.Telemetry()
	first := pageOf(t, &p, nil)
	for range 3 {
		q := plantest.Telemetry()
		if pageOf(t, &q, nil) != first {
			t.Fatal("the same plan gives another page")
		}
	}
}

// TestALargePlanStaysReadable: 5,100 workloads on 500 nodes are below 5 MB, and
// the page says what it leaves out.
func TestALargePlanStaysReadable(t *testing.T) {
	p := plantest.Large(5100, 500)
	page := pageOf(t, &p, nil)
	traced(t, "large", page)
	if len(page) > 5<<20 {
		t.Errorf("the page has %d bytes", len(page))
	}
	for _, want := range []string{"460 more nodes are not drawn", "1460 more machines of today are not drawn", "more failures were tried", "smaller containers are left out", "later waves are left out", "100 more workloads are left out"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if out := os.Getenv("REPORT_LARGE"); out != "" {
		_ = os.WriteFile(out, []byte(page), 0o644)
	}
}

// TestWhatIsMissingIsSaid: no picture is empty; the page says how to fill it.
func TestWhatIsMissingIsSaid(t *testing.T) {
	p := bare()
	page := pageOf(t, &p, nil)
	for _, want := range []string{"Prices are missing", "Usage is missing", "There is no bill in this plan", "No nodes were chosen", "No usage was given", "There is no spend curve", "--prices FILE", "--usage PATH"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(page, `class="wide"`) {
		t.Error("a picture of nothing is drawn")
	}
}
