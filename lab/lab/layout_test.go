package lab

import (
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tranship/tranship/lab/process"
)

func good() Layout {
	return Layout{Dir: "/srv/lab/run", Prefix: "tranship", Bin: "/srv/lab/bin", Nodes: 3}
}

// A layout that cannot work is refused before anything is made.
func TestImpossibleLayoutIsRefused(t *testing.T) {
	if err := good().Check(); err != nil {
		t.Fatalf("Check(good) = %v", err)
	}
	for name, change := range map[string]func(*Layout){
		"no nodes":                func(l *Layout) { l.Nodes = 0 },
		"more nodes than the map": func(l *Layout) { l.Nodes = 4 },
		"relative folder":         func(l *Layout) { l.Dir = "run" },
		"the root":                func(l *Layout) { l.Dir = "/" },
		"too long for sockets":    func(l *Layout) { l.Dir = "/" + strings.Repeat("a", pathLimit) },
		"a space":                 func(l *Layout) { l.Dir = "/srv/my lab" },
		"hidden from nodes":       func(l *Layout) { l.Dir = "/var/lib/lab" },
		"prefix with a dash":      func(l *Layout) { l.Prefix = "a-b" },
		"prefix of a path":        func(l *Layout) { l.Prefix = "../x" },
		"no prefix":               func(l *Layout) { l.Prefix = "" },
	} {
		t.Run(name, func(t *testing.T) {
			l := good()
			change(&l)
			if l.Check() == nil {
				t.Errorf("Check(%+v) = nil, want it refused", l)
			}
		})
	}
}

// Nodes, pods and Services have addresses that no other has.
func TestAddressesDoNotMeet(t *testing.T) {
	seen := map[string]string{lan: "lan", database: "database", old: "old world"}
	for i := range agents {
		seen[agent(i+1)] = "agent"
	}
	want := len(seen)
	all := netip.MustParsePrefix(everything)
	var pods []netip.Prefix
	for _, n := range good().nodes(nil) {
		seen[n.Address] = n.Name
		want++
		p := netip.MustParsePrefix(n.PodCIDR)
		for _, q := range pods {
			if p.Overlaps(q) {
				t.Errorf("pods of %s at %v meet those at %v", n.Name, p, q)
			}
		}
		pods = append(pods, p)
		if !all.Contains(p.Addr()) || !all.Contains(netip.MustParseAddr(n.Address)) {
			t.Errorf("%s at %s, pods %v: not in %v, from which databases may be used", n.Name, n.Address, p, all)
		}
	}
	if len(seen) != want {
		t.Errorf("%d addresses for %d places: %v", len(seen), want, seen)
	}
}

// What a part stands on comes with it; a part that is none is named.
func TestPartsBringWhatTheyStandOn(t *testing.T) {
	got, err := choose(Options{Only: []string{Metrics}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{ControlPlane, Metrics, Nodes}, slices.Sorted(maps.Keys(got))); diff != "" {
		t.Errorf("choose(metrics) (-want +got):\n%s", diff)
	}
	for _, p := range append(All(), FakeNodes) {
		got, err := choose(Options{Only: []string{p}})
		if err != nil {
			t.Fatal(err)
		}
		for q := range got {
			for _, n := range needs[q] {
				if !got[n] {
					t.Errorf("choose(%s) has %s without %s", p, q, n)
				}
			}
		}
	}
	if got, err := choose(Options{}); err != nil || got[FakeNodes] || len(got) != len(All()) {
		t.Errorf("choose() = %v, %v; want all but played nodes", got, err)
	}
	if _, err := choose(Options{Only: []string{"kubernets"}}); err == nil || !strings.Contains(err.Error(), "kubernets") {
		t.Errorf("choose(kubernets) = %v, want it named", err)
	}
}

// lab.json says the same to who reads it as to who wrote it, and another version is refused.
func TestFactsAreReadAsWritten(t *testing.T) {
	l := good()
	l.Dir = t.TempDir()
	f := Facts{Version: FactsVersion, Ready: true, Dir: l.Dir, Images: []string{"lab.local/pause:1"}, Processes: []process.Record{{Name: "etcd", PID: 7}}}
	if err := f.write(l.Facts()); err != nil {
		t.Fatal(err)
	}
	got, err := Read(l.Facts())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(f, got); diff != "" {
		t.Errorf("facts (-want +got):\n%s", diff)
	}
	f.Version++
	if err := f.write(l.Facts()); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(l.Facts()); err == nil {
		t.Error("Read took a version that it does not know")
	}
}

// The API server and etcd are asked to end after those that talk to them, and a node's mounts after its containerd.
func TestWhatOthersNeedEndsLast(t *testing.T) {
	for name, want := range map[string]bool{
		"etcd": true, "kube-apiserver": true, "node1-containerd": true, "node1-mounts": true,
		"node1-kubelet": false, "kube-scheduler": false, "haproxy": false, "oldworld": false,
	} {
		if got := last(name); got != want {
			t.Errorf("last(%s) = %v, want %v", name, got, want)
		}
	}
}
