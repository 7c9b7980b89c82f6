package haproxy

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/estate"
)

// blueGreen puts a pair's marks on the workload.
func blueGreen(a *app) {
	group := strings.TrimSpace(a.global["DEPLOYMENT_GROUP"].Value)
	if group == "" {
		return
	}
	target, err := strconv.Atoi(a.global["DEPLOYMENT_TARGET_INSTANCES"].Value)
	if err != nil || target < 0 || target > 1<<31-1 {
		target = 0
	}
	a.w.BlueGreen = &estate.BlueGreen{Group: group, Colour: a.global["DEPLOYMENT_COLOUR"].Value, Target: target}
}

// merge makes one route of those that the colours of one deployment group
// have for the same port. marathon-lb took the labels of the colour that is
// longer there, and the copies of all.
func (r *Reader) merge(made []estate.Endpoint, b *discover.Builder) []estate.Endpoint {
	byGroup := map[string][]*app{}
	for _, a := range r.apps {
		if a.w.BlueGreen != nil {
			g := "/" + strings.TrimPrefix(a.w.BlueGreen.Group, "/")
			byGroup[g] = append(byGroup[g], a)
		}
	}
	lead := map[estate.Name]estate.Name{}
	for _, colours := range byGroup {
		if len(colours) < 2 {
			continue
		}
		oldestFirst(colours)
		for _, a := range colours {
			lead[a.w.ID] = colours[0].w.ID
		}
		pairUp(colours, b)
	}
	type place struct {
		lead  estate.Name
		index string
	}
	others := map[place][]estate.Backend{}
	var out []estate.Endpoint
	for _, ep := range made {
		w := ownerOf(ep)
		if first, ok := lead[w]; ok && first != w {
			at := place{first, indexOf(ep)}
			others[at] = append(others[at], ep.Backends...)
			continue
		}
		out = append(out, ep)
	}
	for i := range out {
		if more := others[place{ownerOf(out[i]), indexOf(out[i])}]; len(more) > 0 {
			out[i].Backends = append(out[i].Backends, more...)
			r.weigh(&out[i])
		}
	}
	return out
}

// oldestFirst sorts colours as marathon-lb does: one without a date is the
// oldest, and of two alike the one that was read later.
func oldestFirst(colours []*app) {
	slices.Reverse(colours)
	slices.SortStableFunc(colours, func(x, y *app) int {
		return strings.Compare(x.global["DEPLOYMENT_STARTED_AT"].Value, y.global["DEPLOYMENT_STARTED_AT"].Value)
	})
}

func pairUp(colours []*app, b *discover.Builder) {
	ids := make([]string, 0, len(colours))
	for _, a := range colours {
		ids = append(ids, string(a.w.ID))
	}
	report(b, colours[0].w, colours[0].global["DEPLOYMENT_GROUP"], diag.Diagnostic{
		Code: BlueGreenPair, Severity: diag.Note,
		Problem: "shares one route with the other colours of deployment group " + colours[0].w.BlueGreen.Group + ": " + strings.Join(ids, ", "),
		Hint:    "they move together; merge them into one workload, or have a rollout tool take turns for you",
	})
}

// weigh shares the traffic by copies, as HAProxy did with all of them in one
// backend. The old colour's copies that marathon-lb was draining count for none.
func (r *Reader) weigh(ep *estate.Endpoint) {
	var copies []int
	var newest *app
	for _, bk := range ep.Backends {
		if newest = r.byID[bk.Workload]; newest == nil {
			return // an address of its own has no copies to count
		}
		copies = append(copies, newest.w.Replicas)
	}
	young := copies[len(copies)-1]
	target := 1
	if _, ok := newest.global["DEPLOYMENT_NEW_INSTANCES"]; ok && newest.w.BlueGreen != nil {
		target = newest.w.BlueGreen.Target
	}
	copies[0] -= min(copies[0], young, max(0, copies[0]+young-target))
	if slices.Max(copies) == 0 {
		return
	}
	for i := range ep.Backends {
		ep.Backends[i].Weight = &copies[i]
	}
}

// ownerOf gives the workload whose labels made the endpoint.
func ownerOf(ep estate.Endpoint) estate.Name {
	s := strings.TrimPrefix(ep.ID, "route:")
	return estate.Name(s[:strings.LastIndexByte(s, ':')])
}

func indexOf(ep estate.Endpoint) string { return ep.ID[strings.LastIndexByte(ep.ID, ':')+1:] }

// servicePort gives the port on which the service has all requests for itself.
func servicePort(ep estate.Endpoint) int { return cmp.Or(ep.Direct, ep.Port) }

// A claim is a set of requests that a route takes.
type claim struct {
	group, host, path string
	order             int
}

// clashes reports two routes that claim the same requests of one group of load
// balancers with the same order: which of them wins is left to chance.
func (r *Reader) clashes(made []estate.Endpoint, b *discover.Builder) {
	taken := map[claim]estate.Name{}
	for _, ep := range made {
		if ep.Disabled {
			continue
		}
		w := ownerOf(ep)
		for _, c := range claims(ep) {
			other, ok := taken[c]
			if !ok {
				taken[c] = w
				continue
			}
			report(b, r.byID[w].w, r.byID[w].first, diag.Diagnostic{
				Code: RouteClash, Severity: diag.Warning,
				Problem: "claims " + cmp.Or(c.host, "every host") + c.path + " of group " + c.group + ", as " + string(other) + " does",
				Hint:    "HAProxy took whichever stood first; set HAPROXY_n_BACKEND_WEIGHT to say which, or take one of them away",
			})
			break
		}
	}
}

func claims(ep estate.Endpoint) []claim {
	var out []claim
	for _, g := range ep.Groups {
		if p := servicePort(ep); p != 0 {
			out = append(out, claim{group: g, path: ":" + strconv.Itoa(p)})
		}
		for _, h := range ep.Hosts {
			if len(ep.Rules) == 0 {
				out = append(out, claim{g, h, "", ep.Order})
			}
			for _, m := range ep.Rules {
				out = append(out, claim{g, h, m.Path, ep.Order})
			}
		}
	}
	return out
}
