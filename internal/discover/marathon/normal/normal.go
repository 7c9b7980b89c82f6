// Package normal brings a Marathon app of any age into the one form that
// Marathon itself normalised it to, as far as networks, ports, artifacts,
// checks and strategies go. It takes the app as written and gives the canonical
// form, in which each field knows the value that it came from. It never maps
// anything to Kubernetes.
package normal

import (
	"encoding/json"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/discover/field"
)

// A Field is one canonical field: its value, whether there is one, and where
// it was written; a default has no place.
type Field[T any] struct {
	Value T
	Set   bool
	At    *jsonpos.Value
}

// MarshalJSON writes the value alone, null when there is none.
func (f Field[T]) MarshalJSON() ([]byte, error) {
	if !f.Set {
		return []byte("null"), nil
	}
	return json.Marshal(f.Value)
}

func given[T any](v T, at *jsonpos.Value) Field[T] { return Field[T]{Value: v, Set: true, At: at} }
func assumed[T any](v T) Field[T]                  { return Field[T]{Value: v, Set: true} }

// An App is the canonical form. Written as JSON it is a part of a Marathon
// app again, and normalises to itself.
type App struct {
	Networks            []Network   `json:"networks"`
	Container           *Container  `json:"container"`
	PortDefinitions     []Port      `json:"portDefinitions"`
	RequirePorts        Field[bool] `json:"requirePorts"`
	Fetch               []Fetch     `json:"fetch"`
	HealthChecks        []Check     `json:"healthChecks"`
	ReadinessChecks     []Readiness `json:"readinessChecks"`
	UpgradeStrategy     Upgrade     `json:"upgradeStrategy"`
	UnreachableStrategy Unreachable `json:"unreachableStrategy"`
	// Resident apps have persistent volumes.
	Resident bool `json:"-"`
	// Ignored are values that Marathon itself passed over.
	Ignored []Ignored `json:"-"`
}

// Ignored is a value that had no effect in Marathon, and why.
type Ignored struct {
	At  *jsonpos.Value
	Why string
}

// A Network is one that the app's containers join.
type Network struct {
	Mode   Field[string]  `json:"mode"` // host, container, container/bridge, none
	Name   Field[string]  `json:"name"`
	Labels *jsonpos.Value `json:"-"`
}

// A Container is the part of an app's container that normalisation touches.
type Container struct {
	Type         Field[string]    `json:"type"`
	PortMappings []Port           `json:"portMappings"`
	Volumes      []map[string]any `json:"volumes,omitempty"`
}

// The modes of a network.
const (
	Host    = "host"
	Bridge  = "container/bridge"
	Named   = "container"
	Nothing = "none"
)

// Normalise gives the canonical form of app. What cannot be read, or cannot
// stand beside something else, is reported to s and left out.
func Normalise(app *jsonpos.Value, s field.Scope) App {
	n := normaliser{s: s, app: app}
	n.container()
	n.networks()
	n.ports()
	n.out.Fetch = n.fetch()
	n.out.HealthChecks = n.checks()
	n.out.ReadinessChecks = n.readiness()
	n.out.UpgradeStrategy = n.upgrade()
	n.out.UnreachableStrategy = n.unreachable()
	return n.out
}

type normaliser struct {
	s   field.Scope
	app *jsonpos.Value
	out App
	// box is the container as written, nil if there is none that can be read.
	box, docker *jsonpos.Value
	// address is ipAddress, nil where it does not count.
	address *jsonpos.Value
}

// HostMode reports whether the app has the agent's own network stack.
func (a App) HostMode() bool {
	for _, n := range a.Networks {
		if n.Mode.Value == Host {
			return true
		}
	}
	return false
}

// Bridged reports whether container ports were mapped from ports of the agent.
func (a App) Bridged() bool {
	for _, n := range a.Networks {
		if n.Mode.Value == Bridge {
			return true
		}
	}
	return false
}

// Ports gives the app's ports in the order of their indices.
func (a App) Ports() []Port {
	if a.HostMode() || a.Container == nil {
		return a.PortDefinitions
	}
	return a.Container.PortMappings
}

func (n *normaliser) ignore(v *jsonpos.Value, why string) {
	if v != nil && !v.IsNull() {
		n.out.Ignored = append(n.out.Ignored, Ignored{v, why})
	}
}

// conflict reports two fields that exclude each other; lost is left out.
func (n *normaliser) conflict(code diag.Code, lost *jsonpos.Value, problem, hint string) {
	n.s.Report(code, diag.Error, lost, problem, hint)
	n.s.Note(lost, ledger.Dropped, code, "", problem+"; it was left out")
}

func (n *normaliser) object(v *jsonpos.Value) *jsonpos.Value {
	if v == nil || !n.s.Is(v, jsonpos.Object) {
		return nil
	}
	return v
}

// list gives the elements of an array, and whether there is one.
func (n *normaliser) list(v *jsonpos.Value) ([]*jsonpos.Value, bool) {
	if v == nil || !n.s.Is(v, jsonpos.Array) {
		return nil, false
	}
	return v.Elems(), true
}

func (n *normaliser) container() {
	n.box = n.object(n.app.Get("container"))
	n.docker = n.object(n.box.Get("docker"))
	if n.box == nil {
		return
	}
	c := &Container{Type: assumed("DOCKER")}
	if t := n.box.Get("type"); t != nil {
		if w, ok := n.s.Choice(t, "DOCKER", "MESOS"); ok {
			c.Type = given(w, t)
		}
	} else if n.docker == nil {
		c.Type = assumed("MESOS")
	}
	if vs := n.box.Get("volumes"); vs.Kind() == jsonpos.Array {
		for _, v := range vs.Elems() {
			if v.Get("persistent").Kind() == jsonpos.Object {
				n.out.Resident = true
				c.Volumes = []map[string]any{{"persistent": map[string]any{}}}
			}
		}
	}
	n.out.Container = c
}

// networks translates ipAddress and docker.network; the canonical field wins.
func (n *normaliser) networks() {
	n.address = n.object(n.app.Get("ipAddress"))
	legacy := n.docker.Get("network")
	nets, _ := n.list(n.app.Get("networks"))
	if len(nets) > 0 {
		n.canonicalNetworks(nets)
	}
	mode, known := "", false
	if legacy != nil {
		mode, known = n.s.Choice(legacy, "HOST", "BRIDGE", "USER", "NONE")
	}
	switch {
	case len(n.out.Networks) > 0:
		for _, v := range []*jsonpos.Value{n.app.Get("ipAddress"), legacy} {
			if v == nil || v.IsNull() || v == legacy && !known {
				continue
			}
			n.address = nil
			n.conflict(BothNetworks, v, "field "+v.Pointer()+" stands beside networks", "delete "+v.Key()+"; networks is what counts")
		}
	case n.address == nil && !known:
		n.out.Networks = []Network{{Mode: assumed(Host)}}
	default:
		n.out.Networks = []Network{n.legacyNetwork(n.address, legacy, mode)}
	}
	if n.address != nil {
		n.ignore(n.address.Get("groups"), "Marathon ignored the groups of an IP address")
		if n.out.Container == nil {
			n.out.Container = &Container{Type: assumed("MESOS")}
		}
	}
	if n.out.Container == nil && !n.out.HostMode() {
		n.out.Container = &Container{Type: assumed("MESOS")}
	}
}

func (n *normaliser) canonicalNetworks(nets []*jsonpos.Value) {
	for _, v := range nets {
		if n.object(v) == nil {
			continue
		}
		net := Network{Mode: assumed(Named), Labels: v.Get("labels")}
		if m := v.Get("mode"); m != nil {
			if w, ok := n.s.Choice(m, Named, Bridge, Host); ok {
				net.Mode = given(w, m)
			}
		}
		net.Name = n.text(v.Get("name"))
		n.out.Networks = append(n.out.Networks, net)
	}
}

func (n *normaliser) legacyNetwork(address, legacy *jsonpos.Value, mode string) Network {
	name := n.text(address.Get("networkName"))
	net := Network{Labels: address.Get("labels")}
	switch mode {
	case "HOST":
		net.Mode = given(Host, legacy)
		n.ignore(address, "Marathon ignored the IP address of an app in host mode")
		net.Labels = nil
		return net
	case "BRIDGE":
		net.Mode = given(Bridge, legacy)
		if name.At != nil {
			n.ignore(name.At, "Marathon ignored the network's name in bridge mode")
		}
		return net
	case "NONE":
		net.Mode = given(Nothing, legacy)
		return net
	case "USER":
		net.Mode = given(Named, legacy)
	default:
		net.Mode = assumed(Named)
		if name.Value == "mesos-bridge" {
			net.Mode = given(Bridge, name.At)
			return net
		}
	}
	net.Name = name
	return net
}

func (n *normaliser) text(v *jsonpos.Value) Field[string] {
	if v == nil {
		return Field[string]{}
	}
	if t, ok := n.s.String(v); ok && t != "" {
		return given(t, v)
	}
	return Field[string]{}
}

func (n *normaliser) number(v *jsonpos.Value, low, high int) Field[int] {
	if v == nil {
		return Field[int]{}
	}
	if i, ok := n.s.Int(v, low, high); ok {
		return given(i, v)
	}
	return Field[int]{}
}

func (n *normaliser) boolean(v *jsonpos.Value, fallback bool) Field[bool] {
	if v != nil {
		if b, ok := n.s.Bool(v); ok {
			return given(b, v)
		}
	}
	return assumed(fallback)
}
