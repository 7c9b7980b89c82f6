package definition

import (
	"maps"
	"regexp"
	"slices"
	"strconv"

	"github.com/tranship/tranship/lab/oldworld/mesos"
)

// Fits tells whether an instance may be placed on an agent beside the others of its app, by Marathon's rules: an agent
// without the field takes UNLIKE only.
func Fits(c []string, agent mesos.Agent, wanted int, others []mesos.Agent) bool {
	field, operator, value := c[0], c[1], Third(c)
	here, ok := agent.Value(field)
	if !ok {
		return operator == "UNLIKE"
	}
	count := map[string]int{}
	for _, o := range others {
		v, _ := o.Value(field)
		count[v]++
	}
	switch operator {
	case "UNIQUE":
		return count[here] == 0
	case "CLUSTER":
		return value != "" && here == value || value == "" && count[here] == len(others)
	case "IS":
		return here == value
	case "LIKE", "UNLIKE":
		// The whole value has to match, as by Java's String.matches.
		re, err := regexp.Compile("^(?:" + value + ")$")
		return err == nil && re.MatchString(here) == (operator == "LIKE")
	case "MAX_PER":
		most, err := strconv.Atoi(value)
		return err == nil && count[here] < most
	case "GROUP_BY":
		return groupBy(count, here, wanted, value)
	}
	return false
}

// groupBy spreads instances evenly over as many groups as are wanted. Marathon takes no new group when no number of
// groups is said, which makes the first offers decide; here as many are wanted as there are values.
func groupBy(count map[string]int, here string, wanted int, value string) bool {
	groups, err := strconv.Atoi(value)
	if err != nil || groups < 1 {
		if count[here] == 0 {
			return true
		}
		return count[here] <= slices.Min(slices.Collect(maps.Values(count)))
	}
	each, rest := wanted/groups, wanted%groups
	for _, n := range count {
		rest -= max(0, n-each)
	}
	if n, known := count[here]; known {
		return n < each || n == each && rest > 0
	}
	return len(count) < groups
}
