package volume

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/rollout"
	"github.com/tranship/tranship/internal/rollout/runner"
	"github.com/tranship/tranship/internal/rollout/runner/runnertest"
)

// memory is a shell whose commands keep files in memory: "read SIDE INSTANCE"
// and "write SIDE INSTANCE".
type memory struct {
	kept                map[string]map[string]string // by "SIDE INSTANCE"
	grow, spoil, broken map[string]bool              // the next copy's fault
	says                string                       // on standard error, of every command
	code                int                          // of reads, beside it

	mu    sync.Mutex // both ends of a pipe call at once
	calls []string
}

func newMemory() *memory {
	return &memory{kept: map[string]map[string]string{}, grow: map[string]bool{}, spoil: map[string]bool{}, broken: map[string]bool{}}
}

func (m *memory) Run(ctx context.Context, argv []string, in io.Reader, out io.Writer) (string, error) {
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	m.mu.Lock()
	m.calls = append(m.calls, strings.Join(argv, " "))
	m.mu.Unlock()
	key := argv[1] + " " + argv[2]
	if argv[0] == "read" {
		if err := m.read(key, out); err != nil {
			return m.says, err
		}
		if m.code != 0 {
			return m.says, &Exit{Code: m.code, How: "exit status " + strconv.Itoa(m.code)}
		}
		return m.says, nil
	}
	return "", m.write(key, in)
}

func (m *memory) read(key string, out io.Writer) error {
	t := tar.NewWriter(out)
	files := m.kept[key]
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := t.WriteHeader(&tar.Header{Name: "./" + name, Mode: 0o640, Size: int64(len(files[name])), Typeflag: tar.TypeReg}); err != nil {
			return err
		}
		if _, err := io.WriteString(t, files[name]); err != nil {
			return err
		}
	}
	if m.grow[key] {
		m.grow[key] = false
		files["log"] += " and more"
	}
	return t.Close()
}

func (m *memory) write(key string, in io.Reader) error {
	got := map[string]string{}
	t := tar.NewReader(in)
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return &Exit{Code: 2, How: "exit status 2"}
		}
		text, err := io.ReadAll(t)
		if err != nil {
			return &Exit{Code: 2, How: "exit status 2"}
		}
		got[strings.TrimPrefix(h.Name, "./")] = string(text)
		if m.broken[key] {
			m.broken[key] = false
			m.kept[key] = got
			return &Exit{Code: 2, How: "exit status 2"}
		}
	}
	if m.spoil[key] {
		m.spoil[key] = false
		got["meta"] = strings.ToUpper(got["meta"])
	}
	m.kept[key] = got
	return nil
}

// commands are templates for the shell in memory.
func commands() policy.MoveVolumes {
	return policy.MoveVolumes{
		Source: []string{"read", "source", "{{.Instance}}"}, Target: []string{"write", "target", "{{.Instance}}"},
		TargetRead: []string{"read", "target", "{{.Instance}}"}, SourceWrite: []string{"write", "source", "{{.Instance}}"},
	}
}

func index(copies int) rollout.Workload {
	return rollout.Workload{Name: "/shop/index", Replicas: copies, SourceReplicas: copies, Volumes: []string{"data"}}
}

func TestVolumesKeepTheirPromises(t *testing.T) {
	runnertest.Volumes(t, func(*testing.T) (runner.Volumes, runnertest.VolumesWorld) {
		m := newMemory()
		key := func(side string, i int) string { return fmt.Sprintf("%s %d", side, i) }
		return New(commands(), m, Options{}), runnertest.VolumesWorld{
			Workload: index(2),
			Put: func(side string, i int, path, content string) {
				if m.kept[key(side, i)] == nil {
					m.kept[key(side, i)] = map[string]string{}
				}
				m.kept[key(side, i)][path] = content
			},
			Files: func(side string, i int) map[string]string { return m.kept[key(side, i)] },
			Write: func(side string, i int) { m.grow[key(side, i)] = true },
			Spoil: func(i int) { m.spoil[key("target", i)] = true },
			Break: func(i int) { m.broken[key("target", i)] = true },
		}
	})
}
