package haproxy

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/estate"
)

// A turn is one path of one host, in the order in which HAProxy asks for it.
type turn struct {
	path  string
	ep    *estate.Endpoint
	owner estate.Name
}

// maxTurns bounds the comparison of every path of a host with every other.
const maxTurns = 500

// orders reports the paths that are asked for after a beginning of theirs:
// HAProxy never came to them, and a gateway, which takes the longest, does.
func (r *Reader) orders(made []estate.Endpoint, b *discover.Builder) {
	hosts := map[[2]string][]turn{}
	for i := range made {
		ep := &made[i]
		if ep.Disabled {
			continue
		}
		for _, c := range claims(*ep) {
			if c.host != "" {
				k := [2]string{c.group, c.host}
				hosts[k] = append(hosts[k], turn{c.path, ep, ownerOf(*ep)})
			}
		}
	}
	told := map[[2]string]bool{}
	byName := func(a, b [2]string) int { return cmp.Or(strings.Compare(a[0], b[0]), strings.Compare(a[1], b[1])) }
	for _, k := range slices.SortedFunc(maps.Keys(hosts), byName) {
		turns := hosts[k]
		slices.SortStableFunc(turns, func(x, y turn) int {
			return cmp.Or(cmp.Compare(y.ep.Order, x.ep.Order), cmp.Compare(x.owner, y.owner), cmp.Compare(servicePort(*x.ep), servicePort(*y.ep)))
		})
		for j := range turns[:min(len(turns), maxTurns)] {
			late := turns[j]
			i := slices.IndexFunc(turns[:j], func(x turn) bool {
				return x.path != late.path && x.ep != late.ep && strings.HasPrefix(late.path, x.path)
			})
			if i < 0 || told[[2]string{late.ep.ID, turns[i].ep.ID}] {
				continue
			}
			told[[2]string{late.ep.ID, turns[i].ep.ID}] = true
			a := r.byID[late.owner]
			report(b, a.w, a.first, diag.Diagnostic{
				Code: OrderMatters, Severity: diag.Warning,
				Problem: "never had " + k[1] + late.path + ": HAProxy asked for " + cmp.Or(turns[i].path, "every path") + " of " + string(turns[i].owner) + " first",
				Hint:    "a gateway takes the longest path and sends it here; give the route another path, or take it away, if that is not wanted",
			})
		}
	}
}
