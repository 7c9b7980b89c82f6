package definition

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Detail is one complaint, at a place in the definition.
type Detail struct {
	Path   string   `json:"path"`
	Errors []string `json:"errors"`
}

// InvalidError is a definition that can be read but not run: 422.
type InvalidError struct{ Details []Detail }

func (e *InvalidError) Error() string { return "Object is not valid" }

// MalformedError is what is no definition at all: 400.
type MalformedError struct {
	Message string
	Details any
}

func (e *MalformedError) Error() string { return e.Message }

// Malformed says what is wrong with JSON in the words of Marathon's own reader.
func Malformed(err error) error {
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) {
		word := map[byte]string{'s': "jsstring", 'i': "jsnumber", 'f': "jsnumber", 'b': "jsboolean", '[': "jsarray", 'm': "jsobject"}[kind.Type.String()[0]]
		if word == "" {
			word = "jsobject"
		}
		return &MalformedError{Message: "Invalid JSON", Details: []Detail{{Path: "/" + strings.ReplaceAll(kind.Field, ".", "/"), Errors: []string{"error.expected." + word}}}}
	}
	return &MalformedError{Message: "Invalid JSON", Details: err.Error()}
}

// AbsoluteID makes an app's or group's path out of one that may be relative to base.
func AbsoluteID(id, base string) string {
	if !strings.HasPrefix(id, "/") {
		id = base + "/" + id
	}
	return path.Clean("/" + strings.Trim(id, "/"))
}

var segment = regexp.MustCompile(`^(([a-z0-9]|[a-z0-9][a-z0-9-]*[a-z0-9])\.)*([a-z0-9]|[a-z0-9][a-z0-9-]*[a-z0-9])$`)

// ValidPath tells whether every part of an id has the form that Marathon wants.
func ValidPath(id string) bool {
	for s := range strings.SplitSeq(strings.Trim(id, "/"), "/") {
		if !segment.MatchString(s) {
			return false
		}
	}
	return true
}

// Parse reads a definition, relative to a group, that stands for itself.
func Parse(text []byte, base string) (*App, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		return nil, Malformed(err)
	}
	if _, ok := fields["id"]; !ok {
		return nil, &MalformedError{Message: "Invalid JSON", Details: []Detail{{Path: "/id", Errors: []string{"error.path.missing"}}}}
	}
	return Of(fields, base)
}

// Merge lays the fields that an update has over a definition, one by one, as Marathon does.
func Merge(old *App, text []byte) (*App, error) {
	var update map[string]json.RawMessage
	if err := json.Unmarshal(text, &update); err != nil {
		return nil, Malformed(err)
	}
	had, err := json.Marshal(old)
	if err != nil {
		return nil, fmt.Errorf("merge %s: %w", old.ID, err)
	}
	fields := map[string]json.RawMessage{}
	if err := json.Unmarshal(had, &fields); err != nil {
		return nil, fmt.Errorf("merge %s: %w", old.ID, err)
	}
	if _, ok := update["ports"]; ok {
		delete(fields, "portDefinitions")
	}
	for key, value := range update {
		if !null(value) {
			fields[key] = value
		}
	}
	fields["id"], _ = json.Marshal(old.ID) // a string always can be
	return Of(fields, "/")
}

func null(v json.RawMessage) bool {
	return len(v) == 0 || bytes.Equal(bytes.TrimSpace(v), []byte("null"))
}

// Of makes the canonical form of a definition's fields, in the order of Marathon's own rules, and judges it.
func Of(fields map[string]json.RawMessage, base string) (*App, error) {
	for _, key := range []string{"version", "versionInfo"} {
		delete(fields, key)
	}
	if err := legacy(fields); err != nil {
		return nil, err
	}
	text, err := json.Marshal(fields)
	if err != nil {
		return nil, Malformed(err)
	}
	a := &App{
		BackoffFactor: 1.15, BackoffSeconds: 1, MaxLaunchDelaySeconds: 300, CPUs: 1, Mem: 128, Instances: 1, KillSelection: "YOUNGEST_FIRST",
		UpgradeStrategy: UpgradeStrategy{MaximumOverCapacity: 1, MinimumHealthCapacity: 1}, Role: "*",
	}
	if err := json.Unmarshal(text, a); err != nil {
		return nil, Malformed(err)
	}
	a.ID = AbsoluteID(a.ID, base)
	if len(a.Networks) == 0 {
		a.Networks = []Network{{Mode: "host"}}
	}
	if null(fields["upgradeStrategy"]) {
		switch {
		case a.Resident():
			a.UpgradeStrategy = UpgradeStrategy{MaximumOverCapacity: 0, MinimumHealthCapacity: 0.5}
		case a.Labels["MARATHON_SINGLE_INSTANCE_APP"] == "true":
			a.UpgradeStrategy = UpgradeStrategy{}
		}
	}
	if a.UnreachableStrategy == nil {
		a.UnreachableStrategy = json.RawMessage(`{"inactiveAfterSeconds":0,"expungeAfterSeconds":0}`)
		if a.Resident() {
			a.UnreachableStrategy = json.RawMessage(`"disabled"`)
		}
	}
	for i, d := range a.Dependencies {
		a.Dependencies[i] = AbsoluteID(d, path.Dir(a.ID))
	}
	a.fillPorts(fields)
	if bad := a.judge(); len(bad) > 0 {
		return nil, &InvalidError{Details: bad}
	}
	return a, nil
}

func (a *App) fillPorts(fields map[string]json.RawMessage) {
	if a.OnHost() {
		if null(fields["portDefinitions"]) {
			a.PortDefinitions = []PortDefinition{{Name: "default"}}
		}
		for i := range a.PortDefinitions {
			if a.PortDefinitions[i].Protocol == "" {
				a.PortDefinitions[i].Protocol = "tcp"
			}
		}
		if a.Container != nil {
			a.Container.PortMappings = nil
		}
		return
	}
	a.PortDefinitions = nil
	if a.Container == nil {
		return
	}
	bridge := a.Networks[0].Mode == "container/bridge"
	if a.Container.PortMappings == nil && bridge {
		a.Container.PortMappings = []PortMapping{{Name: "default"}}
	}
	for i := range a.Container.PortMappings {
		m := &a.Container.PortMappings[i]
		if m.Protocol == "" {
			m.Protocol = "tcp"
		}
		if m.HostPort == nil && bridge {
			m.HostPort = new(int)
		}
	}
}

// legacy turns what older versions of the API had into what stands for it today.
func legacy(fields map[string]json.RawMessage) error {
	take := func(key string, into any) (bool, error) {
		v, ok := fields[key]
		delete(fields, key)
		if !ok || null(v) {
			return false, nil
		}
		if err := json.Unmarshal(v, into); err != nil {
			return false, Malformed(err)
		}
		return true, nil
	}
	put := func(key string, v any) {
		if null(fields[key]) {
			fields[key], _ = json.Marshal(v) // plain values only
		}
	}
	var uris []string
	if had, err := take("uris", &uris); err != nil || had {
		var fetch []map[string]any
		for _, u := range uris {
			fetch = append(fetch, map[string]any{"uri": u, "extract": archive.MatchString(u)})
		}
		put("fetch", fetch)
		if err != nil {
			return err
		}
	}
	var ports []int
	if had, err := take("ports", &ports); err != nil {
		return err
	} else if had {
		definitions := []PortDefinition{}
		for _, p := range ports {
			definitions = append(definitions, PortDefinition{Port: p})
		}
		put("portDefinitions", definitions)
	}
	var box map[string]json.RawMessage
	if null(fields["container"]) {
		return nil
	}
	if err := json.Unmarshal(fields["container"], &box); err != nil {
		return Malformed(err)
	}
	var docker map[string]json.RawMessage
	if err := json.Unmarshal(box["docker"], &docker); err == nil {
		if m := docker["portMappings"]; !null(m) {
			if !null(box["portMappings"]) {
				return &InvalidError{Details: []Detail{{Path: "/container/docker/portMappings", Errors: []string{"cannot specify both container.docker.portMappings and container.portMappings"}}}}
			}
			box["portMappings"] = m
		}
		var mode string
		if json.Unmarshal(docker["network"], &mode) == nil {
			if m := map[string]string{"HOST": "host", "BRIDGE": "container/bridge", "USER": "container", "NONE": "host"}[mode]; m != "" {
				put("networks", []Network{{Mode: m}})
			}
		}
		delete(docker, "portMappings")
		delete(docker, "network")
		box["docker"], _ = json.Marshal(docker)
	}
	if null(box["type"]) {
		box["type"] = json.RawMessage(`"MESOS"`)
	}
	fields["container"], _ = json.Marshal(box)
	return nil
}

var archive = regexp.MustCompile(`\.(tgz|tar\.gz|tbz2|tar\.bz2|txz|tar\.xz|zip|tar)$`)

var operators = []string{"UNIQUE", "CLUSTER", "GROUP_BY", "LIKE", "UNLIKE", "MAX_PER", "IS"}

// judge finds what Marathon refuses.
func (a *App) judge() []Detail {
	var bad []Detail
	say := func(place, problem string) { bad = append(bad, Detail{Path: place, Errors: []string{problem}}) }
	if a.ID == "/" || !ValidPath(a.ID) {
		say("/id", "must fully match regular expression '^(([a-z0-9]|[a-z0-9][a-z0-9\\-]*[a-z0-9])\\.)*([a-z0-9]|[a-z0-9][a-z0-9\\-]*[a-z0-9])|(\\.|\\.\\.)$'")
	}
	image := a.Container != nil && a.Container.Docker != nil && a.Container.Docker.Image != ""
	if a.Cmd != "" && len(a.Args) > 0 || a.Cmd == "" && len(a.Args) == 0 && !image {
		say("/", "AppDefinition must either contain one of 'cmd' or 'args', and/or a 'container'.")
	}
	for _, n := range []struct {
		place string
		value float64
		least float64
	}{
		{"/instances", float64(a.Instances), 0},
		{"/cpus", a.CPUs, 0.001},
		{"/mem", a.Mem, 0},
		{"/disk", a.Disk, 0},
		{"/gpus", a.GPUs, 0},
		{"/backoffSeconds", a.BackoffSeconds, 0},
		{"/backoffFactor", a.BackoffFactor, 1},
		{"/maxLaunchDelaySeconds", a.MaxLaunchDelaySeconds, 0},
		{"/upgradeStrategy/minimumHealthCapacity", a.UpgradeStrategy.MinimumHealthCapacity, 0},
		{"/upgradeStrategy/maximumOverCapacity", a.UpgradeStrategy.MaximumOverCapacity, 0},
	} {
		if n.value < n.least {
			say(n.place, fmt.Sprintf("error.min: must be at least %v", n.least))
		}
	}
	if a.UpgradeStrategy.MinimumHealthCapacity > 1 {
		say("/upgradeStrategy/minimumHealthCapacity", "is greater than 1")
	}
	if a.UpgradeStrategy.MaximumOverCapacity > 1 {
		say("/upgradeStrategy/maximumOverCapacity", "is greater than 1")
	}
	if !slices.Contains([]string{"YOUNGEST_FIRST", "OLDEST_FIRST"}, a.KillSelection) {
		say("/killSelection", "error.unknown.enum.literal")
	}
	for i, c := range a.Constraints {
		if len(c) < 2 || len(c) > 3 || !slices.Contains(operators, c[1]) {
			say(fmt.Sprintf("/constraints(%d)", i), "Constraints: only the operators "+strings.Join(operators, ", ")+" with a field and at most one value")
		} else if c[1] == "LIKE" || c[1] == "UNLIKE" {
			if _, err := regexp.Compile(Third(c)); err != nil || len(c) < 3 {
				say(fmt.Sprintf("/constraints(%d)", i), "is not a valid regular expression")
			}
		}
	}
	if a.Labels["MARATHON_SINGLE_INSTANCE_APP"] == "true" && (a.Instances > 1 || a.UpgradeStrategy != UpgradeStrategy{}) {
		say("/", "single instance app may only have one instance, with an upgradeStrategy of zero capacities")
	}
	if a.Resident() && a.UpgradeStrategy.MaximumOverCapacity != 0 {
		say("/upgradeStrategy/maximumOverCapacity", "must be zero for an app with persistent volumes")
	}
	count := len(a.Ports())
	for i, h := range a.HealthChecks {
		if h.PortIndex != nil && *h.PortIndex >= count && h.Port == nil {
			say(fmt.Sprintf("/healthChecks(%d)/portIndex", i), "Health check port indices must address an element of the ports array or container port mappings.")
		}
	}
	names := map[string]bool{}
	for i, p := range a.Ports() {
		if p.Name != "" && names[p.Name] {
			say(fmt.Sprintf("/portDefinitions(%d)/name", i), "Port names must be unique.")
		}
		names[p.Name] = true
		if p.Requested < 0 || p.Requested > 65535 {
			say(fmt.Sprintf("/portDefinitions(%d)/port", i), "must be between 0 and 65535")
		}
	}
	return bad
}

// Third is a constraint's value, empty if it has none.
func Third(c []string) string {
	if len(c) > 2 {
		return c[2]
	}
	return ""
}
