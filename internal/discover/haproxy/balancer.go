package haproxy

import (
	"slices"
	"strings"

	"github.com/tranship/tranship/internal/discover"
)

// A balancer is a marathon-lb that runs in the estate.
type balancer struct {
	groups []string
	strict bool
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
		case x == "--group" && i+1 < len(args):
			lb.groups = append(lb.groups, args[i+1])
		case strings.HasPrefix(x, "--group="):
			lb.groups = append(lb.groups, x[len("--group="):])
		}
	}
	return lb
}

// strict reports whether all known load balancers that carry one of groups
// want each port enabled by a label. Of none known, none is strict.
func strict(lbs []balancer, groups []string) bool {
	carry := 0
	for _, lb := range lbs {
		if slices.Contains(lb.groups, everyGroup) || slices.ContainsFunc(groups, func(g string) bool { return slices.Contains(lb.groups, g) }) {
			if !lb.strict {
				return false
			}
			carry++
		}
	}
	return carry > 0
}
