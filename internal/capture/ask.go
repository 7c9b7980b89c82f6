package capture

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// A question is one answer that capture wants, and the ways to get it.
type question struct {
	// file is where the answer's body goes, below the source's folder.
	file string
	// paths are tried in turn; the next when the source does not know one.
	paths []string
	// call makes it a call of Mesos' operator API instead of a GET.
	call string
	// extra marks what not every version serves: its absence is no failure.
	extra bool
	// root counts the path from the router's own root, not from the source's.
	root bool
	// tries bounds the attempts where it is not Options.Tries.
	tries int
	// instead is asked when this cannot be had. Once this is had, what was taken
	// instead is given up again: a definition must not stand in two files.
	instead []question
}

// The calls of Mesos' operator API that only read. SUBSCRIBE is not among them:
// its answer has no end.
var readCalls = []string{
	"GET_AGENTS", "GET_EXECUTORS", "GET_FLAGS", "GET_FRAMEWORKS", "GET_HEALTH", "GET_LOGGING_LEVEL",
	"GET_MAINTENANCE_SCHEDULE", "GET_MAINTENANCE_STATUS", "GET_MASTER", "GET_METRICS", "GET_OPERATIONS",
	"GET_QUOTA", "GET_ROLES", "GET_STATE", "GET_TASKS", "GET_VERSION", "GET_WEIGHTS",
}

const callPath = "/api/v1"

// questions says what a source of a kind is asked, and in which order.
//
// The group tree is the one export that holds groups, apps and pods, so the
// lists are asked only where it cannot be had. It is asked without tasks and
// counts: these change by the minute and would make every snapshot another one.
// How things run comes from Mesos' state, and from the small lists of Marathon.
// GET_TASKS and the summary repeat that state, which may be 100 MB, and are
// asked only in its place.
func questions(kind Kind) []question {
	switch kind {
	case Marathon:
		return []question{
			{file: "v2_info.json", paths: []string{"/v2/info"}, extra: true},
			{
				file: "v2_groups.json", paths: []string{"/v2/groups?embed=group.groups&embed=group.apps&embed=group.pods"},
				instead: []question{
					{file: "v2_apps.json", paths: []string{"/v2/apps"}},
					{file: "v2_pods.json", paths: []string{"/v2/pods"}, extra: true},
				},
			},
			{file: "v2_deployments.json", paths: []string{"/v2/deployments"}, extra: true},
			{file: "v2_queue.json", paths: []string{"/v2/queue"}, extra: true},
			{file: "v2_tasks.json", paths: []string{"/v2/tasks"}, extra: true},
		}
	case Metronome:
		return []question{{
			file: "v1_jobs.json", paths: []string{
				"/v1/jobs?embed=schedules&embed=activeRuns&embed=historySummary",
				"/v1/jobs?embed=schedules&embed=activeRuns", // before it kept a history
				"/v1/jobs",
			},
		}}
	case Mesos:
		calls := []question{{
			file:  "state.json",
			paths: []string{"/master/state", "/state", "/master/state.json"},
			instead: []question{
				{file: "state-summary.json", paths: []string{"/master/state-summary", "/state-summary"}},
				{file: "GET_TASKS.json", paths: []string{callPath}, call: "GET_TASKS", extra: true},
			},
		}}
		for _, call := range []string{
			"GET_VERSION", "GET_FLAGS", "GET_AGENTS", "GET_FRAMEWORKS", "GET_ROLES", "GET_QUOTA", "GET_WEIGHTS",
			"GET_MAINTENANCE_SCHEDULE", "GET_MAINTENANCE_STATUS",
		} {
			calls = append(calls, question{file: call + ".json", paths: []string{callPath}, call: call, extra: true})
		}
		return calls
	}
	return nil
}

// agentFlags asks one agent for its flags, through the router in front: whether
// agents throttle CPU stands nowhere else.
func agentFlags(id string) question {
	return question{
		file:  "agent_flags/" + id + ".json",
		paths: []string{"/agent/" + id + "/flags", "/slave/" + id + "/flags"},
		extra: true, root: true, tries: 2,
	}
}

// agentIDs reads the ids out of the answer to GET_AGENTS. An id that could be a
// path is passed over.
func agentIDs(r io.Reader) ([]string, error) {
	var answer struct {
		GetAgents struct {
			Agents []struct {
				AgentInfo struct {
					ID struct {
						Value string `json:"value"`
					} `json:"id"`
				} `json:"agent_info"`
			} `json:"agents"`
		} `json:"get_agents"`
	}
	if err := json.NewDecoder(r).Decode(&answer); err != nil {
		return nil, fmt.Errorf("read agents: %w", err)
	}
	var ids []string
	for _, a := range answer.GetAgents.Agents {
		if id := a.AgentInfo.ID.Value; validID.MatchString(id) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// body is what is posted for a question, nothing for a GET.
func (q question) body() []byte {
	if q.call == "" {
		return nil
	}
	return []byte(`{"type":"` + q.call + `"}`)
}

// allowedPaths lists the paths that sources of a kind may be asked, without
// their queries.
func allowedPaths(kind Kind) map[string]bool {
	out := map[string]bool{}
	var add func([]question)
	add = func(qs []question) {
		for _, q := range qs {
			for _, p := range q.paths {
				path, _, _ := strings.Cut(p, "?")
				out[path] = q.call == ""
			}
			add(q.instead)
		}
	}
	add(questions(kind))
	return out
}
