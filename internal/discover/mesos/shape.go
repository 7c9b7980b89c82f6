package mesos

import (
	"slices"
	"strings"

	"github.com/tranship/tranship/internal/base/jsonpos"
)

type shape int

const (
	noShape shape = iota
	operatorAnswer
	masterState // state, state-summary, slaves, frameworks, tasks
	agentState
	flagList
	quotaList
	roleList
	marathonTasks
	marathonInfo
	platformVersion
	evidence // told apart from definitions, and of no further use
)

// shapeOf tells what a document is by its keys.
func shapeOf(v *jsonpos.Value) shape {
	switch v.Kind() {
	case jsonpos.Array:
		return listShape(v)
	case jsonpos.Object:
		return objectShape(v)
	}
	return noShape
}

func objectShape(v *jsonpos.Value) shape {
	kind := text(v.Get("type"))
	switch {
	case strings.HasPrefix(kind, "GET_") || slices.ContainsFunc(v.Elems(), isAnswer):
		return operatorAnswer
	case isList(v, "slaves") || isList(v, "recovered_slaves") || isList(v, "frameworks") && !v.Has("apps"):
		return masterState
	case v.Get("flags").Kind() == jsonpos.Object && (v.Has("attributes") || v.Has("master_hostname") || v.Has("pid")):
		return agentState
	case v.Get("flags").Kind() == jsonpos.Object && len(v.Elems()) == 1:
		return flagList
	case isList(v, "infos") || isList(v, "configs") && eachHas(v.Get("configs"), "role"):
		return quotaList
	case isList(v, "roles") && eachHas(v.Get("roles"), "name", "weight"):
		return roleList
	case isList(v, "tasks") && len(v.Elems()) <= 2 && eachHas(v.Get("tasks"), "appId"):
		return marathonTasks
	case isList(v, "tasks") && eachHas(v.Get("tasks"), "slave_id", "framework_id"):
		return masterState
	case v.Has("marathon_config") || v.Has("frameworkId") && v.Has("elected"):
		return marathonInfo
	case v.Has("dcos-image-commit") || v.Has("dcos-variant") || v.Has("bootstrap-id") && v.Has("version"):
		return platformVersion
	case isOther(v):
		return evidence
	}
	return noShape
}

// isOther tells the answers that hold nothing of use here: queue, leader,
// build, maintenance, metrics.
func isOther(v *jsonpos.Value) bool {
	n := len(v.Elems())
	return n == 1 && (isList(v, "queue") || v.Get("leader").Kind() == jsonpos.String && strings.Contains(text(v.Get("leader")), ":")) ||
		v.Has("version") && (v.Has("build_date") || v.Has("build_time")) ||
		isList(v, "windows") && eachHas(v.Get("windows"), "machine_ids") ||
		isList(v, "draining_machines") || isList(v, "down_machines") ||
		n > 0 && slices.ContainsFunc(v.Elems(), func(e *jsonpos.Value) bool {
			return strings.HasPrefix(e.Key(), "master/") || strings.HasPrefix(e.Key(), "slave/")
		})
}

// isAnswer reports whether a key is the body of an operator API answer.
func isAnswer(e *jsonpos.Value) bool {
	k := e.Key()
	return e.Kind() == jsonpos.Object && (strings.HasPrefix(k, "get_") ||
		len(k) > 3 && strings.HasPrefix(k, "get") && k[3] >= 'A' && k[3] <= 'Z')
}

// listShape tells lists: deployments, weights, containers. An empty list is
// what Marathon answers when nothing is being deployed.
func listShape(v *jsonpos.Value) shape {
	switch {
	case len(v.Elems()) == 0,
		eachHas(v, "affectedApps", "steps"), eachHas(v, "affectedPods", "steps"),
		eachHas(v, "role", "weight"),
		eachHas(v, "executor_id", "statistics"), eachHas(v, "executor_id", "container_id"):
		return evidence
	}
	return noShape
}

func isList(v *jsonpos.Value, key string) bool { return v.Get(key).Kind() == jsonpos.Array }

// eachHas reports whether every element is an object with all keys.
func eachHas(v *jsonpos.Value, keys ...string) bool {
	for _, e := range v.Elems() {
		for _, k := range keys {
			if !e.Has(k) {
				return false
			}
		}
	}
	return true
}
