package lab

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/tranship/tranship/lab/pki"
	"github.com/tranship/tranship/lab/process"
)

// FactsVersion is that of lab.json.
const FactsVersion = 1

// Facts is lab.json: all that a program needs to use the lab.
type Facts struct {
	Version    int              `json:"version"`
	Ready      bool             `json:"ready"` // false while it is being made
	Dir        string           `json:"dir"`
	Bin        string           `json:"bin"`    // kubectl and others
	Cgroup     string           `json:"cgroup"` // below which each host has its own
	Namespaces FactNamespaces   `json:"namespaces"`
	Kubernetes FactKubernetes   `json:"kubernetes"`
	FrontDoor  FactDoor         `json:"frontDoor"`
	Postgres   FactDatabases    `json:"postgres"`
	OldWorld   FactOldWorld     `json:"oldWorld"`
	Watch      FactWatch        `json:"watch"`
	Images     []string         `json:"images,omitempty"` // that every node has
	Processes  []process.Record `json:"processes,omitempty"`
}

// FactNamespaces are those of the network, to be entered by nsenter --net=/var/run/netns/NAME.
type FactNamespaces struct {
	LAN   string   `json:"lan"`
	Old   string   `json:"old"`
	Nodes []string `json:"nodes"`
}

// FactKubernetes is the target cluster.
type FactKubernetes struct {
	Server     string     `json:"server"`
	Kubeconfig string     `json:"kubeconfig"`
	Kubectl    string     `json:"kubectl"`
	Version    string     `json:"version,omitempty"`
	Nodes      []FactNode `json:"nodes"`
}

// FactNode is one real node.
type FactNode struct {
	Name       string `json:"name"`
	Namespace  string `json:"namespace"`
	Address    string `json:"address"`
	PodCIDR    string `json:"podCIDR"`
	Containerd string `json:"containerd"` // socket
	Cgroup     string `json:"cgroup"`
	Disks      string `json:"disks"` // folder of the claims' directories
	Port       string `json:"port"`  // the end of its cable at the bridge: set it down to cut the node off
}

// FactDoor is the front door.
type FactDoor struct {
	Config   string        `json:"config"`
	Socket   string        `json:"socket"`
	Master   string        `json:"master"`
	Stats    string        `json:"stats"`
	Metrics  string        `json:"metrics"`
	Ring     string        `json:"ring"`
	Services []FactService `json:"services"`
}

// FactService is one way through the front door, and the backend of that name.
type FactService struct {
	Name   string `json:"name"`
	Mode   string `json:"mode"`
	Bind   string `json:"bind"`
	Source string `json:"source"`
	Server string `json:"server"` // the name of the source's server
}

// FactDatabases are both PostgreSQLs.
type FactDatabases struct {
	Source FactDatabase `json:"source"`
	Target FactDatabase `json:"target"`
}

// FactDatabase is one PostgreSQL, with the connection strings of the application and of who moves it.
type FactDatabase struct {
	Address   string `json:"address"`
	DSN       string `json:"dsn"`
	MoverDSN  string `json:"moverDSN"`
	SocketDir string `json:"socketDir"`
}

// FactOldWorld is where the old world answers.
type FactOldWorld struct {
	Marathon  string   `json:"marathon"`
	Metronome string   `json:"metronome"`
	Mesos     string   `json:"mesos"`
	Agents    []string `json:"agents"`
}

// FactWatch is where monitoring answers.
type FactWatch struct {
	Prometheus   string `json:"prometheus"`
	Alertmanager string `json:"alertmanager"`
	Targets      string `json:"targets"`
	Rules        string `json:"rules"`
}

// Read reads a lab.json.
func Read(file string) (Facts, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return Facts{}, fmt.Errorf("read the lab's facts: %w", err)
	}
	var f Facts
	if err := json.Unmarshal(text, &f); err != nil {
		return Facts{}, fmt.Errorf("read the lab's facts in %s: %w", file, err)
	}
	if f.Version != FactsVersion {
		return Facts{}, fmt.Errorf("read the lab's facts in %s: version %d, want %d", file, f.Version, FactsVersion)
	}
	return f, nil
}

func (f Facts) write(file string) error {
	text, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return fmt.Errorf("write the lab's facts: %w", err)
	}
	if err := os.WriteFile(file+".new", append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("write the lab's facts: %w", err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		return fmt.Errorf("write the lab's facts: %w", err)
	}
	return nil
}

// facts are what the layout alone tells.
func (l Layout) facts(a *pki.Authority) Facts {
	plane, door, w := l.plane(a), l.door(), l.watch(a)
	f := Facts{
		Version: FactsVersion, Dir: l.Dir, Bin: l.Bin, Cgroup: l.Cgroup(),
		Namespaces: FactNamespaces{LAN: l.LAN(), Old: l.Old()},
		Kubernetes: FactKubernetes{Server: plane.Server(), Kubeconfig: plane.Admin(), Kubectl: filepath.Join(l.Bin, "kubectl")},
		FrontDoor: FactDoor{
			Config: door.Config(), Socket: door.Socket(), Master: door.Master(), Ring: "tranship",
			Stats: "http://" + door.Stats + "/stats", Metrics: "http://" + door.Stats + "/metrics",
		},
		OldWorld: FactOldWorld{Marathon: "http://" + old + ":8080", Metronome: "http://" + old + ":9000", Mesos: "http://" + old + ":5050"},
		Watch:    FactWatch{Prometheus: "http://" + w.Prometheus, Alertmanager: "http://" + w.Alertmanager, Targets: w.Targets(), Rules: w.Rules()},
	}
	for i, n := range l.nodes(a) {
		f.Namespaces.Nodes = append(f.Namespaces.Nodes, n.Namespace)
		f.Kubernetes.Nodes = append(f.Kubernetes.Nodes, FactNode{
			Name: n.Name, Namespace: n.Namespace, Address: n.Address, PodCIDR: n.PodCIDR, Containerd: n.Socket(), Cgroup: n.Cgroup,
			Disks: n.Disks(), Port: port(i + 1),
		})
	}
	for _, s := range door.Services {
		mode := "http"
		if s.Check == "" {
			mode = "tcp"
		}
		f.FrontDoor.Services = append(f.FrontDoor.Services, FactService{Name: s.Name, Mode: mode, Bind: s.Bind, Source: s.Source, Server: "source"})
	}
	source, target := l.source(), l.target()
	f.Postgres.Source = FactDatabase{Address: source.Address + ":5432", DSN: source.DSN(source.Owner), MoverDSN: source.DSN(source.Mover), SocketDir: source.Sockets()}
	f.Postgres.Target = FactDatabase{Address: target.Address + ":5432", DSN: target.DSN(target.Owner), MoverDSN: target.DSN(target.Mover), SocketDir: target.Sockets()}
	for i := range agents {
		f.OldWorld.Agents = append(f.OldWorld.Agents, agent(i+1))
	}
	return f
}

// port is the end of the nth node's cable at the bridge.
func port(n int) string { return fmt.Sprintf("node%d", n) }

// agent is the nth agent's address.
func agent(n int) string { return fmt.Sprintf("10.200.0.%d", 10+n) }
