package cluster

import (
	"encoding/json"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/render/manifest/naming"
)

// A Thing is what several workloads can use by one name.
type Thing string

// The things.
const (
	Secret Thing = "secret"
	Config Thing = "config"
	Claim  Thing = "claim"
)

type ownedKey struct {
	thing    Thing
	workload estate.Name
	name     string
}

// Owned is the object behind a thing that a workload uses.
type Owned struct {
	Name string
	// Owner renders it.
	Owner estate.Name
	// External things exist already: nobody renders them.
	External bool
}

// Owned gives the object behind a workload's secret, config or volume.
func (c *Cluster) Owned(t Thing, w estate.Name, name string) (Owned, bool) {
	o, ok := c.owned[ownedKey{t, w, name}]
	return o, ok
}

// A user is one workload's use of a thing.
type user struct {
	key      ownedKey
	content  string
	external bool
}

// share settles who owns what. Workloads of a namespace that use a thing of
// the same name and content share it; of other content each has its own.
func (c *Cluster) share() {
	type place struct {
		thing     Thing
		ns, clean string
	}
	users := map[place][]user{}
	var order []place
	add := func(t Thing, w *estate.Workload, name string, external bool, content any) {
		text, err := json.Marshal(content)
		if err != nil {
			return
		}
		p := place{t, c.places[w.ID].Namespace, naming.DNS(name, naming.Label)}
		if external && naming.IsSubdomain(name) {
			p.clean = name
		}
		if users[p] == nil {
			order = append(order, p)
		}
		users[p] = append(users[p], user{ownedKey{t, w.ID, name}, string(text), external})
	}
	for i := range c.Estate.Workloads {
		w := &c.Estate.Workloads[i]
		if !c.Renders(w) {
			continue
		}
		for _, s := range w.Secrets {
			add(Secret, w, s.Name, s.External, s)
		}
		for _, k := range w.Configs {
			add(Config, w, k.Name, k.External, k)
		}
		for _, v := range w.Volumes {
			if v.Kind == estate.PersistentVolume && v.Shared || v.Kind == estate.ExternalVolume || v.Kind == estate.NFSVolume {
				v.Constraints = nil
				add(Claim, w, v.Name, false, v)
			}
		}
	}
	taken := map[string]naming.Set{}
	for _, p := range order {
		list := users[p]
		same := true
		for _, u := range list {
			same = same && (u.content == list[0].content || u.external && list[0].external)
		}
		space := string(p.thing) + "\x00" + p.ns
		if taken[space] == nil {
			taken[space] = naming.Set{}
		}
		if same {
			name := p.clean
			if !list[0].external {
				name = taken[space].Take(p.clean, string(p.thing)+list[0].key.name, naming.Label)
			}
			for _, u := range list {
				c.owned[u.key] = Owned{Name: name, Owner: list[0].key.workload, External: u.external}
			}
			continue
		}
		for _, u := range list {
			own := naming.Join(naming.Label, c.places[u.key.workload].Name, p.clean)
			name := taken[space].Take(own, string(u.key.workload)+"\x00"+u.key.name, naming.Label)
			c.owned[u.key] = Owned{Name: name, Owner: u.key.workload, External: u.external}
		}
	}
}
