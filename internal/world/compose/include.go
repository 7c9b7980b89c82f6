package compose

import (
	"context"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"

	"github.com/tranship/tranship/internal/base/yamlpos"
	"github.com/tranship/tranship/internal/discover/swarm"
)

// maxIncludes bounds how deep files include and extend each other.
const maxIncludes = 20

// include merges what the model includes: services to extend, and what is
// declared besides them. The model's own declarations win.
func (l *load) include(model map[string]any, by []string) {
	list, _ := model["include"].([]any)
	delete(model, "include")
	for i, e := range list {
		at := []string{"include", strconv.Itoa(i)}
		var entry types.IncludeConfig
		switch e := e.(type) {
		case string:
			entry.Path = types.StringList{e}
		case map[string]any:
			entry.Path = texts(e["path"])
			entry.EnvFile = texts(e["env_file"])
		}
		if len(entry.Path) == 0 {
			l.problem(swarm.RefusedField, "an include needs a path", "", at...)
			continue
		}
		for _, f := range entry.EnvFile {
			l.readDotenv(l.expand(f).Text, append(at, "env_file")...)
		}
		for _, f := range entry.Path {
			l.includeFile(model, l.expand(f).Text, by, at)
		}
	}
}

func texts(v any) types.StringList {
	switch v := v.(type) {
	case string:
		return types.StringList{v}
	case []any:
		var out types.StringList
		for _, e := range v {
			if s, ok := e.(string); ok {
				out = append(out, s)
			}
		}
		return out
	}
	return nil
}

func (l *load) includeFile(model map[string]any, rel string, by, at []string) {
	l.readDotenv(path.Join(path.Dir(rel), ".env"))
	other, file, ok := l.file(rel, by, at)
	if !ok {
		return
	}
	sub := *l
	sub.problems, sub.src.File = nil, file
	sub.dir = path.Dir(file)
	sub.include(other, append(slices.Clone(by), file))
	sub.extend(other, append(slices.Clone(by), file))
	sub.dir = l.dir
	dict, ok := sub.canonical(other, path.Dir(rel))
	l.left = sub.left
	if !ok {
		l.problem(swarm.BadFile, "", file, at...)
		return
	}
	for _, section := range []string{"services", "networks", "volumes", "secrets", "configs", "models"} {
		from, _ := dict[section].(map[string]any)
		to, _ := model[section].(map[string]any)
		if to == nil {
			if model[section] != nil {
				continue // not a mapping: compose-go will say so
			}
			to = map[string]any{}
		}
		for k, v := range from {
			if _, ok := to[k]; ok || l.hidden[k] {
				continue
			}
			to[k] = escape(v)
			if section == "services" {
				l.elsewhere[k] = file
			}
		}
		if len(to) > 0 {
			model[section] = to
		}
	}
}

// file reads another Compose file as a model. What is wrong with it is a
// problem at the place that refers to it.
func (l *load) file(rel string, by, at []string) (model map[string]any, file string, ok bool) {
	if strings.Contains(rel, "://") || strings.HasPrefix(rel, "git@") || strings.HasPrefix(rel, "oci:") {
		l.problem(swarm.RemoteFile, "", rel[:strings.IndexAny(rel+":", ":@")], at...)
		return nil, "", false
	}
	data, file, err := l.read(rel)
	if err != nil {
		l.problem(kindOf(err), "", file, at...)
		return nil, file, false
	}
	if slices.Contains(by, file) || len(by) > maxIncludes {
		l.problem(swarm.EndlessDetour, "", file, at...)
		return nil, file, false
	}
	docs, problem := yamlpos.Parse(file, data)
	if len(docs) == 0 || problem != nil {
		l.problem(swarm.BadFile, "", file, at...)
		return nil, file, false
	}
	return swarm.Model(docs[0]), file, true
}

// canonical gives a model as compose-go merges it, its paths relative to the
// folder of the definition that l loads.
func (l *load) canonical(model map[string]any, dir string) (dict map[string]any, ok bool) {
	l.project(model) // leaves out what cannot be loaded
	if l.left--; l.left < 0 {
		return nil, false
	}
	err := guard(func() (err error) {
		details := l.details(model)
		details.WorkingDir = dir
		dict, err = loader.LoadModelWithContext(context.Background(), details, l.options(true))
		return err
	})
	return dict, err == nil
}

// extend replaces what a service extends from another file by a hidden
// service of this one.
func (l *load) extend(model map[string]any, by []string) {
	services, _ := model["services"].(map[string]any)
	bases := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(services)) {
		service, _ := services[name].(map[string]any)
		ext, _ := service["extends"].(map[string]any)
		rel, _ := ext["file"].(string)
		if rel == "" {
			continue
		}
		base, _ := ext["service"].(string)
		at := []string{"services", name, "extends"}
		rel = l.expand(rel).Text
		if path.Join(l.dir, rel) == l.src.File {
			service["extends"] = map[string]any{"service": base}
			continue
		}
		if hidden, v, ok := l.base(rel, l.expand(base).Text, by, at); ok {
			bases[hidden] = v
			service["extends"] = map[string]any{"service": hidden}
			continue
		}
		delete(service, "extends")
	}
	maps.Copy(services, bases)
}

func (l *load) base(rel, name string, by, at []string) (hidden string, v any, ok bool) {
	other, file, ok := l.file(rel, by, at)
	if !ok {
		return "", nil, false
	}
	services, _ := other["services"].(map[string]any)
	if _, ok := services[name]; !ok {
		l.problem(swarm.RefusedField, "the file has no such service", file, at...)
		return "", nil, false
	}
	sub := *l
	sub.problems, sub.src.File, sub.dir = nil, file, path.Dir(file)
	if len(by) < maxIncludes {
		sub.extend(other, append(slices.Clone(by), file))
	}
	sub.dir = l.dir
	dict, ok := sub.canonical(other, path.Dir(rel))
	l.left = sub.left
	services, _ = dict["services"].(map[string]any)
	if v = services[name]; !ok || v == nil {
		l.problem(swarm.BadFile, "", file, at...)
		return "", nil, false
	}
	hidden = "extended-" + strconv.Itoa(len(l.hidden)) + "-" + name
	l.hidden[hidden] = true
	return hidden, escape(v), true
}
