package marathon

import (
	"slices"

	"github.com/tranship/tranship/internal/base/jsonpos"
)

// A shape is what a value is by its keys.
type shape uint8

const (
	unknown   shape = iota
	appShape        // an app, or a part of one
	podShape        // read by the reader of pods
	group           // a group, or an answer with apps
	single          // {"app": ...}
	list            // an array of them
	scheduled       // a Chronos job
)

// strong keys are met in apps and, together, in nothing else that lies beside
// them in a folder of definitions.
var strong = set(
	"cmd", "args", "instances", "cpus", "mem", "disk", "gpus", "container", "healthChecks", "portDefinitions", "ports",
	"requirePorts", "uris", "fetch", "storeUrls", "upgradeStrategy", "backoffSeconds", "backoffFactor",
	"maxLaunchDelaySeconds", "readinessChecks", "unreachableStrategy", "killSelection", "acceptedResourceRoles",
	"taskKillGracePeriodSeconds", "residency", "ipAddress", "executor", "resourceLimits",
)

// weak keys are an app's too, and others have them as well.
var weak = set(
	"id", "env", "labels", "constraints", "dependencies", "networks", "secrets", "user", "tty", "role", "check",
	"version", "versionInfo", "executorResources", "tasksRunning", "tasksStaged", "tasksHealthy", "tasksUnhealthy",
	"deployments", "tasks", "lastTaskFailure", "taskStats", "tasksStats", "readinessCheckResults",
)

// foreign keys stand in definitions that are no app's, whatever else is there:
// of pods, jobs, load balancer pools, packages, stacks, tasks and schemas.
var foreign = set(
	"containers", "run", "schedule", "schedules", "command", "haproxy", "pools", "services", "frontends", "backends",
	"apiVersion", "kind", "packagingVersion", "releaseVersion", "properties", "$schema", "definitions", "framework_id",
	"slave_id", "slaves", "frameworks", "scaling", "scheduling", "packages", "marathon", "queue",
)

func set(keys ...string) map[string]bool {
	m := make(map[string]bool, len(keys))
	for _, k := range keys {
		m[k] = true
	}
	return m
}

// shapeOf tells what v is by its keys.
func shapeOf(v *jsonpos.Value) shape {
	switch v.Kind() {
	case jsonpos.Array:
		return listShape(v)
	case jsonpos.Object:
		return objectShape(v)
	}
	return unknown
}

func objectShape(v *jsonpos.Value) shape {
	switch {
	case isChronos(v):
		return scheduled
	case v.Get("containers").Kind() == jsonpos.Array && v.Has("id"):
		return podShape
	case isGroup(v):
		return group
	case v.Get("app").Kind() == jsonpos.Object && isApp(v.Get("app")):
		return single
	case isApp(v):
		return appShape
	}
	return unknown
}

// listShape tells an array that holds an app, a group or a Chronos job. One of
// pods alone is none of this reader's.
func listShape(v *jsonpos.Value) shape {
	for _, e := range v.Elems() {
		switch objectOnly(e) {
		case appShape, group, single, scheduled:
			return list
		}
	}
	return unknown
}

func objectOnly(v *jsonpos.Value) shape {
	if v.Kind() != jsonpos.Object {
		return unknown
	}
	return objectShape(v)
}

func isChronos(v *jsonpos.Value) bool {
	return v.Get("name").Kind() == jsonpos.String && v.Has("command") &&
		(v.Get("schedule").Kind() == jsonpos.String || v.Get("parents").Kind() == jsonpos.Array)
}

// isGroup tells a group or an answer: arrays of apps, groups and pods, in
// which those that are objects look as they should.
func isGroup(v *jsonpos.Value) bool {
	if v.Has("cmd") || v.Has("args") || v.Has("container") {
		return false
	}
	found, empty := false, false
	for _, key := range []string{"apps", "groups", "pods"} {
		a := v.Get(key)
		if a.Kind() != jsonpos.Array {
			continue
		}
		empty = empty || a.IsLeaf()
		for _, e := range a.Elems() {
			if e.Kind() != jsonpos.Object {
				continue
			}
			switch s := objectShape(e); {
			case key == "apps" && s == appShape, key == "groups" && (s == group || e.Get("id").Kind() == jsonpos.String && len(e.Elems()) <= 4),
				key == "pods" && (s == podShape || e.Has("spec") && e.Has("id")):
				found = true
			}
		}
	}
	return found || empty && (v.Has("id") || len(v.Elems()) == 1)
}

// isApp tells an app by one strong key, and a part of an app, which has no id,
// by having hardly any key that is not an app's.
func isApp(v *jsonpos.Value) bool {
	if slices.ContainsFunc(v.Elems(), func(e *jsonpos.Value) bool { return foreign[e.Key()] }) {
		return false
	}
	have, odd := 0, 0
	for _, e := range v.Elems() {
		switch {
		case strong[e.Key()] && plausible(e):
			have++
		case !strong[e.Key()] && !weak[e.Key()]:
			odd++
		}
	}
	if id := v.Get("id"); id.Kind() == jsonpos.String {
		return have > 0
	}
	return have > 0 && odd <= have && !v.Has("name")
}

// plausible tells an app's container and ports from what others call so.
func plausible(v *jsonpos.Value) bool {
	switch v.Key() {
	case "container":
		return v.Kind() == jsonpos.Object || v.IsNull()
	case "ports", "args", "uris", "fetch", "healthChecks", "portDefinitions":
		return v.Kind() == jsonpos.Array || v.IsNull()
	}
	return true
}
