package swarm

import (
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/discover"
)

// maxNodes bounds what aliases can blow a file up to.
const maxNodes = 200_000

// maxDepth bounds nesting by way of aliases, which may lead to themselves.
const maxDepth = 100

// A member is one key of a mapping after merges.
type member struct {
	key string
	v   *jsonpos.Value // never an alias
	at  *jsonpos.Value // where the value stands under its key: v or an alias
}

// real follows aliases.
func real(v *jsonpos.Value) *jsonpos.Value {
	for range maxDepth {
		if v == nil || v.Kind() != jsonpos.Alias {
			return v
		}
		v = v.Target()
	}
	return nil
}

// members gives the keys of mapping v with those that "<<" merges in, and the
// merged values that stand under a key that is there already.
func members(v *jsonpos.Value) (have, hidden []member) {
	seen := map[string]bool{}
	return gather(real(v), seen, 0)
}

func gather(v *jsonpos.Value, seen map[string]bool, depth int) (have, hidden []member) {
	if v == nil || v.Kind() != jsonpos.Object || depth > maxDepth {
		return nil, nil
	}
	for _, e := range v.Elems() {
		if e.Key() == "<<" {
			continue
		}
		m := member{e.Key(), real(e), e}
		if seen[m.key] {
			hidden = append(hidden, m)
			continue
		}
		seen[m.key] = true
		have = append(have, m)
	}
	merge := v.Get("<<")
	if merge == nil {
		return have, hidden
	}
	sources := []*jsonpos.Value{merge}
	if m := real(merge); m.Kind() == jsonpos.Array {
		sources = m.Elems()
	}
	for _, s := range sources {
		h, o := gather(real(s), seen, depth+1)
		have, hidden = append(have, h...), append(hidden, o...)
	}
	return have, hidden
}

// child gives the value under key of mapping or sequence v, after aliases and merges.
func child(v *jsonpos.Value, key string) *jsonpos.Value {
	v = real(v)
	if v.Kind() == jsonpos.Array {
		i, err := strconv.Atoi(key)
		if err != nil || i < 0 || i >= len(v.Elems()) {
			return nil
		}
		return real(v.Elems()[i])
	}
	have, _ := members(v)
	for _, m := range have {
		if m.key == key {
			return m.v
		}
	}
	return nil
}

// at follows keys down from v.
func at(v *jsonpos.Value, keys ...string) *jsonpos.Value {
	for _, k := range keys {
		v = child(v, k)
	}
	return v
}

// Model gives the content of a Compose file as a Loader wants it: aliases and
// merge keys resolved, the services of a version 1 file below "services",
// service names of the allowed characters. Parts that are beyond all bounds
// are left out.
func Model(root *jsonpos.Value) map[string]any {
	c := converter{left: maxNodes}
	m, _ := c.value(root, 0).(map[string]any)
	if m == nil {
		return map[string]any{}
	}
	if isVersion1(root) {
		m = map[string]any{"services": m}
	}
	delete(m, "version")
	delete(m, "name")
	for _, key := range []string{"configs", "secrets"} {
		section, _ := m[key].(map[string]any)
		for k, v := range section {
			if v == nil { // Compose refuses it; it says nothing, as {} does
				section[k] = map[string]any{}
			}
		}
	}
	if services, ok := m["services"].(map[string]any); ok {
		named := make(map[string]any, len(services))
		for k, v := range services {
			if _, ok := v.(map[string]any); !ok {
				v = map[string]any{}
			}
			named[serviceKey(k)] = legacy(v.(map[string]any))
		}
		m["services"] = named
	} else {
		delete(m, "services")
	}
	return m
}

type converter struct{ left int }

func (c *converter) value(v *jsonpos.Value, depth int) any {
	v = real(v)
	if c.left--; c.left < 0 || depth > maxDepth {
		return nil
	}
	switch v.Kind() {
	case jsonpos.Object:
		have, _ := members(v)
		m := make(map[string]any, len(have))
		for _, e := range have {
			m[e.key] = c.value(e.v, depth+1)
		}
		return m
	case jsonpos.Array:
		l := make([]any, 0, len(v.Elems()))
		for _, e := range v.Elems() {
			l = append(l, c.value(e, depth+1))
		}
		return l
	}
	return scalar(v)
}

func scalar(v *jsonpos.Value) any {
	switch v.Kind() {
	case jsonpos.Bool:
		return strings.EqualFold(v.Text(), "true")
	case jsonpos.Number:
		if n, err := strconv.ParseInt(v.Text(), 0, 64); err == nil {
			return int(n)
		}
		if f, err := strconv.ParseFloat(v.Text(), 64); err == nil {
			return f
		}
		return v.Text()
	case jsonpos.String:
		return v.Text()
	}
	return nil
}

var notInService = regexp.MustCompile(`[^a-zA-Z0-9._-]`)

// serviceKey gives a service's name in the characters that Compose allows.
func serviceKey(name string) string {
	if name == "" {
		return "_"
	}
	return notInService.ReplaceAllString(name, "-")
}

// oldKeys are keys of version 1 and 2 files that have another name today.
var oldKeys = map[string]string{"net": "network_mode"}

// legacy moves what a version 1 file says to where today's specification has it.
func legacy(s map[string]any) map[string]any {
	for old, now := range oldKeys {
		if v, ok := s[old]; ok && s[now] == nil {
			if text, ok := v.(string); ok {
				s[now] = strings.Replace(text, "container:", "service:", 1)
				delete(s, old)
			}
		}
	}
	if file, ok := s["dockerfile"].(string); ok {
		if context, ok := s["build"].(string); ok {
			s["build"] = map[string]any{"context": context, "dockerfile": file}
			delete(s, "dockerfile")
		}
	}
	delete(s, "volume_driver")
	logging := map[string]any{}
	if v, ok := s["log_driver"]; ok {
		logging["driver"] = v
	}
	if v, ok := s["log_opt"]; ok {
		logging["options"] = v
	}
	if len(logging) > 0 && s["logging"] == nil {
		s["logging"] = logging
		delete(s, "log_driver")
		delete(s, "log_opt")
	}
	return s
}

// sections are the keys of a Compose file besides services.
var sections = []string{"networks", "volumes", "secrets", "configs"}

var versionText = regexp.MustCompile(`^[1-3](\.\d+)?$`)

// recognise tells a Compose file by its keys.
func recognise(d *discover.Document) bool {
	root := d.Root
	if root.Kind() != jsonpos.Object || root.Has("kind") && root.Has("apiVersion") {
		return false
	}
	if root.Has("services") {
		services := real(root.Get("services"))
		return services.IsNull() && hasVersion(root) || services.Kind() == jsonpos.Object && looksLikeServices(root, services)
	}
	if isVersion1(root) {
		return true
	}
	if real(root.Get("include")).Kind() == jsonpos.Array && !root.Has("jobs") && !root.Has("stages") {
		return true
	}
	if !hasVersion(root) {
		return false
	}
	for _, s := range sections {
		if k := real(root.Get(s)).Kind(); k == jsonpos.Object {
			return true
		}
	}
	return false
}

func hasVersion(root *jsonpos.Value) bool {
	return versionText.MatchString(root.Get("version").Text())
}

// looksLikeServices tells services from what other tools call so: at least one
// has a key of Compose, and an image is a text.
func looksLikeServices(root, services *jsonpos.Value) bool {
	have, _ := members(services)
	if len(have) == 0 {
		return hasVersion(root) || root.Has("include")
	}
	empty := 0
	for _, m := range have {
		if m.v.IsNull() || m.v.Kind() == jsonpos.Object && m.v.IsLeaf() {
			empty++
			continue
		}
		keys, _ := members(m.v)
		for _, k := range keys {
			if serviceKeys[k.key] != nil && (k.key != "image" || isText(k.v)) {
				return true
			}
		}
	}
	return empty > 0 && hasVersion(root)
}

func isText(v *jsonpos.Value) bool { return v.Kind() == jsonpos.String || v.Kind() == jsonpos.Number }

// isVersion1 tells a file whose top level is the services themselves: all are
// objects of Compose's keys, and each says what it runs.
func isVersion1(root *jsonpos.Value) bool {
	if root.Kind() != jsonpos.Object || root.Has("services") || root.IsLeaf() {
		return false
	}
	runs := false
	for _, e := range root.Elems() {
		v := real(e)
		if v.Kind() != jsonpos.Object {
			return false
		}
		keys, _ := members(v)
		known := 0
		for _, k := range keys {
			if serviceKeys[k.key] != nil {
				known++
			}
		}
		if known*2 < len(keys) || known == 0 {
			return false
		}
		image, build := child(v, "image"), child(v, "build")
		runs = runs || image != nil && isText(image) || build.Kind() == jsonpos.String || child(v, "extends") != nil
	}
	return runs
}

var notInProject = regexp.MustCompile(`[^a-z0-9_-]+`)

// fallbackName gives the name of a project that does not say one: its
// folder's, else the file's own without the ending.
func fallbackName(file string) string {
	if dir := path.Dir(file); dir != "." {
		if name := cleanProject(path.Base(dir)); name != "" {
			return name
		}
	}
	if name := baseName(file); name != "" {
		return name
	}
	return "project"
}

// baseName gives a file's name without its ending, as a project's name.
func baseName(file string) string {
	return cleanProject(strings.TrimSuffix(path.Base(file), path.Ext(file)))
}

func cleanProject(s string) string {
	return strings.TrimLeft(notInProject.ReplaceAllString(strings.ToLower(s), ""), "_-")
}
