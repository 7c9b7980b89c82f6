package haproxy

import (
	"slices"
	"strings"

	"github.com/tranship/tranship/internal/discover"
)

// A balancer is a marathon-lb that runs in the estate.
type balancer struct {
	groups []string
	strict bool // wants each port enabled by a label
	maps   bool // asks its map of hosts after all rules of other kinds
	bare   bool // binds no HTTP and HTTPS port, so that hosts mean nothing
}

// findBalancers gives the marathon-lbs of the estate, told by their image, as
// far as their arguments name their groups.
func findBalancers(b *discover.Builder) []balancer {
	var out []balancer
	for _, w := range b.Workloads() {
		for _, c := range w.Containers {
			image, _, _ := strings.Cut(c.Image[strings.LastIndexByte(c.Image, '/')+1:], ":")
			if image != "marathon-lb" {
				continue
			}
			if lb := balancerOf(slices.Concat(c.Command, c.Args, strings.Fields(c.Shell))); len(lb.groups) > 0 {
				out = append(out, lb)
			}
		}
	}
	return out
}

func balancerOf(args []string) balancer {
	var lb balancer
	for i, x := range args {
		switch {
		case x == "--strict-mode":
			lb.strict = true
		case x == "--haproxy-map":
			lb.maps = true
		case x == "--dont-bind-http-https":
			lb.bare = true
		case x == "--group" && i+1 < len(args):
			lb.groups = append(lb.groups, args[i+1])
		case strings.HasPrefix(x, "--group="):
			lb.groups = append(lb.groups, x[len("--group="):])
		}
	}
	return lb
}

// all reports whether every known load balancer that carries one of groups has
// the trait. Of none known, none has it.
func all(lbs []balancer, groups []string, trait func(balancer) bool) bool {
	carry := false
	for _, lb := range lbs {
		if slices.Contains(lb.groups, everyGroup) || slices.ContainsFunc(groups, func(g string) bool { return slices.Contains(lb.groups, g) }) {
			if !trait(lb) {
				return false
			}
			carry = true
		}
	}
	return carry
}

// carriesAll reports whether a known load balancer carries what names no group.
func carriesAll(lbs []balancer) bool {
	return slices.ContainsFunc(lbs, func(lb balancer) bool { return slices.Contains(lb.groups, everyGroup) })
}

func wantsEnabled(lb balancer) bool { return lb.strict }
func usesMap(lb balancer) bool      { return lb.maps }
func bindsNone(lb balancer) bool    { return lb.bare }
