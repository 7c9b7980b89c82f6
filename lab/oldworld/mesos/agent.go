package mesos

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Range is of ports, both ends in it.
type Range struct {
	Begin int `json:"begin"`
	End   int `json:"end"`
}

// Agent is one machine of the old world: an address, and what it has.
type Agent struct {
	ID         string
	Hostname   string
	Address    string
	Port       int // of its own API
	CPUs       float64
	Mem        float64 // MiB
	Disk       float64 // MiB
	Ports      Range
	Attributes map[string]string
	Region     string
	Zone       string
}

// ParseAgents reads agents, separated by commas: ADDRESS[/KEY=VALUE...], as in
//
//	10.200.0.11/cpus=4/mem=8192/zone=a/attr.rack=r1,10.200.0.12/zone=b
//
// Agents of one address get names and ranges of ports of their own. A user of one machine writes 127.0.0.1,127.0.0.1.
func ParseAgents(text string) ([]Agent, error) {
	var agents []Agent
	at := map[string]int{}
	for n, item := range strings.Split(text, ",") {
		parts := strings.Split(strings.TrimSpace(item), "/")
		a := Agent{
			Address: parts[0], CPUs: 4, Mem: 8192, Disk: 51200, Port: 5051, Ports: Range{31000, 31999},
			Attributes: map[string]string{}, Region: "lab", Zone: "lab-" + string(rune('a'+n%3)),
		}
		if net.ParseIP(a.Address) == nil {
			return nil, fmt.Errorf("agent %q: no IP address", item)
		}
		a.Hostname = a.Address
		if n := at[a.Address]; n > 0 {
			a.Port += n
			a.Ports = Range{a.Ports.Begin + 1000*n, a.Ports.End + 1000*n}
			a.Hostname = fmt.Sprintf("agent%d.localhost", n+1)
		}
		at[a.Address]++
		for _, p := range parts[1:] {
			if err := a.set(p); err != nil {
				return nil, fmt.Errorf("agent %q: %w", item, err)
			}
		}
		agents = append(agents, a)
	}
	return agents, nil
}

func (a *Agent) set(text string) error {
	key, value, _ := strings.Cut(text, "=")
	numbers := map[string]*float64{"cpus": &a.CPUs, "mem": &a.Mem, "disk": &a.Disk}
	switch {
	case numbers[key] != nil:
		n, err := strconv.ParseFloat(value, 64)
		if err != nil || n <= 0 {
			return fmt.Errorf("%s: no amount", text)
		}
		*numbers[key] = n
	case key == "ports":
		low, high, _ := strings.Cut(value, "-")
		begin, err1 := strconv.Atoi(low)
		end, err2 := strconv.Atoi(high)
		if err1 != nil || err2 != nil || begin < 1 || end < begin || end > 65535 {
			return fmt.Errorf("%s: no range of ports", text)
		}
		a.Ports = Range{begin, end}
	case key == "hostname":
		a.Hostname = value
	case key == "port":
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 || n > 65535 {
			return fmt.Errorf("%s: no port", text)
		}
		a.Port = n
	case key == "region":
		a.Region = value
	case key == "zone":
		a.Zone = value
	case strings.HasPrefix(key, "attr."):
		a.Attributes[strings.TrimPrefix(key, "attr.")] = value
	default:
		return fmt.Errorf("%s: unknown", text)
	}
	return nil
}

// Value is what a constraint's field is on this agent.
func (a Agent) Value(field string) (string, bool) {
	switch field {
	case "hostname", "@hostname":
		return a.Hostname, true
	case "@region":
		return a.Region, a.Region != ""
	case "@zone":
		return a.Zone, a.Zone != ""
	}
	v, ok := a.Attributes[field]
	return v, ok
}

// Drain is the state of an agent's drain.
type Drain struct {
	State    string        `json:"state"` // DRAINING, DRAINED
	MarkGone bool          `json:"markGone,omitempty"`
	MaxGrace time.Duration `json:"maxGrace"`
	Limited  bool          `json:"limited,omitempty"` // MaxGrace was said
	Began    time.Time     `json:"began"`
}

// Window is one of the maintenance schedule, as the API has it.
type Window struct {
	Machines []Machine `json:"machine_ids"`
	Start    int64     `json:"start"`              // nanoseconds
	Duration int64     `json:"duration,omitempty"` // nanoseconds; without it, for ever
}

// Machine names a machine in maintenance.
type Machine struct {
	Hostname string `json:"hostname,omitempty"`
	IP       string `json:"ip,omitempty"`
}

func (m Machine) is(a Agent) bool {
	return (m.Hostname == "" || m.Hostname == a.Hostname) && (m.IP == "" || m.IP == a.Address) && (m.Hostname != "" || m.IP != "")
}

// AgentState is an agent with what is known of it now.
type AgentState struct {
	Agent
	Used        Resources
	Registered  time.Time
	Deactivated bool
	Gone        bool
	Drain       *Drain
	Window      bool // a maintenance window holds it
	Down        bool // maintenance has begun
}

// Offered tells whether tasks may be started there.
func (a AgentState) Offered() bool {
	return !a.Deactivated && !a.Gone && !a.Down && !a.Window && a.Drain == nil
}

// Active is what the master's API calls so: registered and able to be offered.
func (a AgentState) Active() bool { return !a.Deactivated && !a.Gone && !a.Down }

// Free is what is left; of ports, those that no task has.
func (a AgentState) Free() Resources {
	return Resources{CPUs: a.CPUs - a.Used.CPUs, Mem: a.Mem - a.Used.Mem, Disk: a.Disk - a.Used.Disk}
}

// FreePorts gives the fixed ports and n others that nobody has, and that nothing on this machine listens on; false if there
// are not as many. The search begins behind the last one given out, so that a port does not come back at once.
func (c *Cluster) FreePorts(agent string, n int, fixed []int) ([]int, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.agents[agent]
	if a == nil {
		return nil, false
	}
	used := c.used(agent)
	free := func(p int) bool { return !slices.Contains(used.Ports, p) && listenable(a.Address, p) }
	for _, p := range fixed {
		if p < a.Ports.Begin || p > a.Ports.End || !free(p) {
			return nil, false
		}
	}
	out := []int{}
	span := a.Ports.End - a.Ports.Begin + 1
	for i := 0; i < span && len(out) < n; i++ {
		p := a.Ports.Begin + (a.next+i)%span
		if !slices.Contains(fixed, p) && free(p) {
			out = append(out, p)
		}
	}
	if len(out) > 0 {
		a.next = (out[len(out)-1] - a.Ports.Begin + 1) % span
	}
	return out, len(out) == n
}

func listenable(address string, port int) bool {
	l, err := net.Listen("tcp", net.JoinHostPort(address, strconv.Itoa(port)))
	if err != nil {
		return false
	}
	_ = l.Close() // it never took a connection
	return true
}
