package definition_test

import (
	"testing"

	"github.com/tranship/tranship/lab/oldworld/definition"
	"github.com/tranship/tranship/lab/oldworld/mesos"
)

func TestConstraintsPlaceAsMarathonDoes(t *testing.T) {
	agents, err := mesos.ParseAgents("10.0.0.1/zone=a/attr.rack=r1/attr.disk=ssd,10.0.0.2/zone=a/attr.rack=r2,10.0.0.3/zone=b/attr.rack=r1")
	if err != nil {
		t.Fatal(err)
	}
	one, two, three := agents[0], agents[1], agents[2]
	for _, x := range []struct {
		name   string
		rule   []string
		agent  mesos.Agent
		wanted int
		others []mesos.Agent
		want   bool
	}{
		{"UNIQUE takes a free host", []string{"hostname", "UNIQUE"}, two, 2, []mesos.Agent{one}, true},
		{"UNIQUE refuses a taken host", []string{"hostname", "UNIQUE"}, one, 2, []mesos.Agent{one}, false},
		{"UNIQUE holds for attributes", []string{"rack", "UNIQUE"}, three, 2, []mesos.Agent{one}, false},
		{"CLUSTER with a value", []string{"rack", "CLUSTER", "r2"}, two, 1, nil, true},
		{"CLUSTER with another value", []string{"rack", "CLUSTER", "r2"}, one, 1, nil, false},
		{"CLUSTER without a value takes any at first", []string{"rack", "CLUSTER"}, one, 2, nil, true},
		{"CLUSTER without a value stays where it is", []string{"rack", "CLUSTER"}, two, 2, []mesos.Agent{one}, false},
		{"LIKE matches the whole value", []string{"hostname", "LIKE", "10.0.0.[12]"}, two, 1, nil, true},
		{"LIKE is not content with a part", []string{"hostname", "LIKE", "10.0.0"}, two, 1, nil, false},
		{"UNLIKE refuses what matches", []string{"rack", "UNLIKE", "r[12]"}, one, 1, nil, false},
		{"UNLIKE takes an agent without the attribute", []string{"disk", "UNLIKE", "ssd"}, two, 1, nil, true},
		{"LIKE does not", []string{"disk", "LIKE", "ssd"}, two, 1, nil, false},
		{"IS", []string{"disk", "IS", "ssd"}, one, 1, nil, true},
		{"MAX_PER below its number", []string{"@zone", "MAX_PER", "2"}, two, 3, []mesos.Agent{one}, true},
		{"MAX_PER at its number", []string{"@zone", "MAX_PER", "1"}, two, 3, []mesos.Agent{one}, false},
		{"GROUP_BY takes a group that is still empty", []string{"@zone", "GROUP_BY", "2"}, three, 4, []mesos.Agent{one}, true},
		{"GROUP_BY refuses a group that has its share", []string{"@zone", "GROUP_BY", "2"}, one, 2, []mesos.Agent{two}, false},
		{"GROUP_BY gives the rest to one group", []string{"@zone", "GROUP_BY", "2"}, one, 3, []mesos.Agent{two, three}, true},
		{"GROUP_BY refuses a third group", []string{"hostname", "GROUP_BY", "2"}, three, 4, []mesos.Agent{one, two}, false},
		{"GROUP_BY without a number evens out", []string{"@zone", "GROUP_BY"}, one, 4, []mesos.Agent{two, two, three}, false},
	} {
		t.Run(x.name, func(t *testing.T) {
			if got := definition.Fits(x.rule, x.agent, x.wanted, x.others); got != x.want {
				t.Errorf("Fits(%v, %s) = %v, want %v", x.rule, x.agent.Hostname, got, x.want)
			}
		})
	}
}
