package haproxy

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const wellMade = `global
    stats socket /run/admin.sock mode 600 level admin
    log ring@tranship local0 info
ring tranship
    size 65536
defaults
    option httplog
backend gateway
    server old 10.0.0.1:80 check
    # tranship begin gateway
    # tranship end gateway
`

func TestWhatIsLackingIsSaidAndNothingElse(t *testing.T) {
	for _, c := range []struct{ old, becomes, want string }{
		{"", "", ""},
		{"level admin", "level user", "level admin"},
		{"ring tranship", "ring other", "section \"ring tranship\""},
		{"option httplog", "option tcplog", "option httplog"},
		{"option httplog", `log-format "%ci %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST"`, ""},
		{"# tranship end gateway", "", "lacks the lines"},
		{"backend gateway", "backend other", "no backend gateway"},
		{"    server old", "    balance source\n    server old", "weights do not change"},
		{"    server old", "    balance hdr(host)\n    hash-type consistent\n    server old", "of clients"},
		{"    server old", "    balance leastconn\n    server old", "of open connections"},
		{"    server old", "    balance random(2)\n    server old", ""},
		{"defaults\n", "defaults\n    balance static-rr\n", "static-rr"},
		{"    server old", "    cookie SRV insert\n    server old", `"cookie" keeps`},
		{"    server old", "    stick on src\n    server old", `"stick on" keeps`},
	} {
		got := lacks(strings.Replace(wellMade, c.old, c.becomes, 1), "tranship", []string{"gateway"})
		if c.want == "" && len(got) > 0 || c.want != "" && (len(got) != 1 || !strings.Contains(got[0], c.want)) {
			t.Errorf("%q instead of %q: %q, want one with %q", c.becomes, c.old, got, c.want)
		}
	}
	for v, want := range map[string]bool{"2.6.12-1+deb12u4": true, "2.5.14": false, "3.0-dev1": true, "1.8": false, "2.10": true, "x": false} {
		if recent(v) != want {
			t.Errorf("recent(%s) = %t", v, !want)
		}
	}
}

func TestLinesOfTheLogAreRead(t *testing.T) {
	for _, c := range []struct {
		line            string
		backend, server string
		d               time.Duration
	}{
		{`127.0.0.1:55 [28/Nov/2026:22:00:01.123] front gateway/tranship-1 10/0/1/30/52 200 130 - - ---- 1/1/0/0/0 0/0 "GET / HTTP/1.1"`, "gateway", "tranship-1", 42 * time.Millisecond},
		{"gateway/old-1 0/0/0/7/7 500", "gateway", "old-1", 7 * time.Millisecond},
		{"front gateway/old-1 0/0/0/-1/2001 504 sH", "gateway", "old-1", 2001 * time.Millisecond},
		{"gateway/old-1 0/0/0/7/+7 200", "gateway", "old-1", 7 * time.Millisecond},
		{"front gateway/<NOSRV> 0/-1/-1/-1/0 503", "", "", 0},
		{"front gateway/old-1 -1/-1/-1/-1/5000 408", "", "", 0},
		{"Server gateway/old-1 is DOWN, reason: Layer4 connection problem", "", "", 0},
		{"front db/old-1 1/0/1000 4096 --", "", "", 0}, // a TCP connection
		{`front gateway/old-1 x/y/z/a/b 200`, "", "", 0},
		{"", "", "", 0},
	} {
		backend, server, d, ok := timed(c.line)
		if backend != c.backend || server != c.server || d != c.d || ok != (c.backend != "") {
			t.Errorf("timed(%s) = %s %s %v %t", c.line, backend, server, d, ok)
		}
	}
}

func FuzzLinesNeverPanic(f *testing.F) {
	f.Add("gateway/old-1 0/0/0/7/7 500")
	f.Fuzz(func(t *testing.T, line string) {
		if _, _, d, ok := timed(line); ok && d < 0 {
			t.Errorf("timed(%q) = %v", line, d)
		}
	})
}

// TestCountersGoOnThroughAReload plays looks at a process and at its successor.
func TestCountersGoOnThroughAReload(t *testing.T) {
	look := func(pid int, unmade int64, servers ...server) *state {
		for i := range servers {
			servers[i].ours, servers[i].up = ourServer.MatchString(servers[i].name), true
		}
		return &state{pid: pid, unmade: unmade, servers: servers}
	}
	var c counters
	for i, s := range []struct {
		look           *state
		source, target tally
	}{
		{look(1, 0, server{name: "old", ends: 10, assigned: 12, errors: 1, weight: 1}), tally{10, 1}, tally{}},
		{look(1, 0, server{name: "old", ends: 15, assigned: 15, errors: 1, weight: 1}, server{name: "tranship-1", ends: 2, assigned: 2, errors: 2}), tally{15, 1}, tally{2, 2}},
		// Another process counts anew.
		{look(2, 0, server{name: "old", ends: 20, assigned: 20, weight: 1}, server{name: "tranship-1", ends: 1, assigned: 1}), tally{35, 1}, tally{3, 2}},
		// A server of the same name was made anew.
		{look(2, 0, server{name: "old", ends: 21, assigned: 21, weight: 1}, server{name: "tranship-1"}), tally{36, 1}, tally{3, 2}},
		{look(2, 0, server{name: "old", ends: 21, assigned: 21, weight: 1}, server{name: "tranship-1", ends: 1, assigned: 1}), tally{36, 1}, tally{4, 2}},
		// Three requests found no server, one could not reach its own.
		{look(2, 4, server{name: "old", ends: 22, assigned: 22, errors: 1, unmade: 1, weight: 1}, server{name: "tranship-1", ends: 1, assigned: 1}), tally{40, 5}, tally{4, 2}},
		// A server goes away with what it had counted.
		{look(2, 4, server{name: "tranship-1", ends: 1, assigned: 1, weight: 1}), tally{40, 5}, tally{4, 2}},
		{look(2, 5, server{name: "tranship-1", ends: 1, assigned: 1, weight: 1}), tally{40, 5}, tally{5, 3}},
	} {
		c.take(s.look)
		if diff := cmp.Diff([]tally{s.source, s.target}, []tally{c.source, c.target}, cmp.AllowUnexported(tally{})); diff != "" {
			t.Errorf("after look %d (-want +got):\n%s", i, diff)
		}
	}
}

func TestTheStatisticsAreRead(t *testing.T) {
	st := &state{}
	err := st.stats("gateway", `pxname,svname,qcur,scur,stot,econ,eresp,wredis,status,bck,check_status,hrsp_5xx,addr,mode,uweight
gateway,old-1,1,2,100,1,2,3,UP 1/2,0,L7OK,4,10.0.0.1:80,http,7
gateway,tranship-1,0,0,5,0,0,0,DOWN 1/2,0,L4CON,0,10.0.0.2:80,http,9
gateway,spare,0,0,0,0,0,0,no check,1,,0,10.0.0.3:80,http,1
gateway,BACKEND,0,2,105,6,2,3,UP,0,,9,,http,8
`)
	if err != nil {
		t.Fatal(err)
	}
	want := []server{
		{name: "old-1", address: "10.0.0.1:80", up: true, judged: true, weight: 7, sessions: 3, assigned: 100, ends: 98, errors: 10, unmade: 1},
		{name: "tranship-1", address: "10.0.0.2:80", ours: true, judged: true, weight: 9, assigned: 5, ends: 5},
		{name: "spare", address: "10.0.0.3:80", backup: true, up: true, judged: true, weight: 1},
	}
	if diff := cmp.Diff(want, st.servers, cmp.AllowUnexported(server{})); diff != "" || st.unmade != 6 || st.tcp {
		t.Errorf("servers (-want +got), %d unmade:\n%s", st.unmade, diff)
	}
	if err := st.stats("other", "pxname,svname\ngateway,BACKEND\n"); err == nil {
		t.Error("another backend's statistics are taken")
	}
	source, target := st.sides()
	if !slices.Equal([]int{len(source), len(target)}, []int{1, 1}) {
		t.Errorf("%d source and %d target servers, want one each", len(source), len(target))
	}
}
