// Package lab puts the parts together: namespaces, Kubernetes with real nodes, front door, databases, the old world.
//
// Input: a folder and how much is wanted. Output: a lab that runs, lab.json that tells where everything is, and, at the
// end, nothing. It never ends, unmounts or removes what it has not made.
package lab

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/tranship/tranship/lab/control"
	"github.com/tranship/tranship/lab/frontdoor"
	"github.com/tranship/tranship/lab/host"
	"github.com/tranship/tranship/lab/node"
	"github.com/tranship/tranship/lab/pki"
	"github.com/tranship/tranship/lab/postgres"
	"github.com/tranship/tranship/lab/process"
	"github.com/tranship/tranship/lab/watch"
)

// Addresses of the map in README.md. Every lab has the same: it has namespaces of its own.
const (
	lan        = "10.200.0.1" // control plane, front door, Prometheus, and who moves and measures
	database   = "10.200.0.2" // the managed database's stand-in
	old        = "10.200.0.10"
	everything = "10.200.0.0/15" // all of the lab, pods too
	maxNodes   = 3
	agents     = 5 // of the old world: 10.200.0.11 and on
)

// pathLimit keeps the longest socket below what the kernel takes (108).
const pathLimit = 80

// Layout is where everything of one lab is. It is a function of folder, prefix and number of nodes alone.
type Layout struct {
	Dir    string // all of its files
	Prefix string // of namespaces and cgroups: "tranship"
	Bin    string // the programs
	Nodes  int
}

// Check refuses what cannot work.
func (l Layout) Check() error {
	switch {
	case l.Nodes < 1 || l.Nodes > maxNodes:
		return fmt.Errorf("nodes: %d is not 1 to %d", l.Nodes, maxNodes)
	case !filepath.IsAbs(l.Dir) || filepath.Clean(l.Dir) == "/":
		return fmt.Errorf("folder %q: not an absolute path of a folder", l.Dir)
	case len(l.Dir) > pathLimit:
		return fmt.Errorf("folder %s: longer than %d bytes, so that sockets in it would have names too long for the kernel; choose another by --dir", l.Dir, pathLimit)
	case strings.ContainsAny(l.Dir, " \t\n\"'\\$:"):
		return fmt.Errorf("folder %q: has characters that configurations give a meaning to; choose another by --dir", l.Dir)
	case l.Prefix == "" || strings.Trim(l.Prefix, "abcdefghijklmnopqrstuvwxyz0123456789") != "":
		return errors.New("prefix: only small letters and digits")
	}
	for _, own := range []string{"/run", "/var/run", "/var/lib", "/var/log", "/proc", "/sys", "/dev"} {
		if l.Dir == own || strings.HasPrefix(l.Dir, own+"/") {
			return fmt.Errorf("folder %s: nodes have a %s of their own and would not see it; choose another by --dir", l.Dir, own)
		}
	}
	return nil
}

// LAN is the namespace of the control plane and the front door, Old that of the old world.
func (l Layout) LAN() string { return l.Prefix + "-lan" }

// Old is the namespace of the old world.
func (l Layout) Old() string { return l.Prefix + "-old" }

// Cgroup is the one below which all hosts have theirs, nodes those of their pods.
func (l Layout) Cgroup() string { return "/" + l.Prefix + "-lab" }

// Facts is the file that tells others where everything is.
func (l Layout) Facts() string { return filepath.Join(l.Dir, "lab.json") }

func (l Layout) file(parts ...string) string {
	return filepath.Join(append([]string{l.Dir}, parts...)...)
}

func (l Layout) table() process.Table { return process.Table{Dir: l.Dir, Cgroup: l.Cgroup()} }

func (l Layout) plane(a *pki.Authority) control.Plane {
	return control.Plane{Table: l.table(), Bin: l.Bin, PKI: a, Namespace: l.LAN(), Address: lan}
}

// node describes the nth node; the first is 1.
func (l Layout) node(n int, a *pki.Authority) node.Node {
	name := fmt.Sprintf("node%d", n)
	return node.Node{
		Name: name, Dir: l.file(name), Table: l.table(), Bin: l.Bin, PKI: a,
		Namespace: l.Prefix + "-" + name, Address: fmt.Sprintf("10.200.0.%d", 20+n), PodCIDR: fmt.Sprintf("10.201.%d.0/24", n),
		Cluster: control.PodCIDR, Server: l.plane(a).Server(), DNS: control.DNS, Cgroup: l.Cgroup() + "/" + name,
		Labels: map[string]string{
			"topology.kubernetes.io/region": "lab", "topology.kubernetes.io/zone": "lab-" + string(rune('a'+n-1)),
			"node.kubernetes.io/instance-type": "lab",
		},
	}
}

func (l Layout) nodes(a *pki.Authority) []node.Node {
	all := make([]node.Node, l.Nodes)
	for i := range all {
		all[i] = l.node(i+1, a)
	}
	return all
}

// door is the front door with the services of the telemetry estate. The addresses on the right are marathon-lb's.
func (l Layout) door() frontdoor.Door {
	return frontdoor.Door{
		Table: l.table(), Dir: l.file("haproxy"), Namespace: l.LAN(), Stats: lan + ":8404",
		Services: []frontdoor.Service{
			{Name: "gateway", Bind: lan + ":8001", Source: old + ":10001", Check: "/healthz"},
			{Name: "ingest", Bind: lan + ":8002", Source: old + ":10002", Check: "/healthz"},
			{Name: "query", Bind: lan + ":8003", Source: old + ":10003", Check: "/healthz"},
			{Name: "database", Bind: lan + ":5432", Source: old + ":5432"},
		},
	}
}

func (l Layout) database(name, namespace, address string) postgres.Server {
	return postgres.Server{
		Name: "postgres-" + name, Table: l.table(), Bin: host.Postgres, Dir: l.file("postgres-" + name), Namespace: namespace,
		Address: address, Clients: everything, Database: "telemetry",
		Owner: postgres.Role{Name: "telemetry", Password: "lab-telemetry"}, Mover: postgres.Role{Name: "mover", Password: "lab-mover"},
	}
}

func (l Layout) source() postgres.Server { return l.database("source", l.Old(), old) }
func (l Layout) target() postgres.Server { return l.database("target", l.LAN(), database) }

func (l Layout) watch(a *pki.Authority) watch.Watch {
	w := watch.Watch{
		Table: l.table(), Dir: l.file("prometheus"), Namespace: l.LAN(), Prometheus: lan + ":9090", Alertmanager: lan + ":9093",
		FrontDoor: l.door().Stats, PKI: a,
	}
	for _, n := range l.nodes(a) {
		w.Kubelets = append(w.Kubelets, n.Address+":10250")
	}
	return w
}
