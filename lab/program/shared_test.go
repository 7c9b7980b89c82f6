package program

import (
	"strings"
	"testing"
)

// Of what metrics-server and Kubernetes are both made, nothing is compiled twice
// as long as both take the same versions: three minutes of a cold `lab up`.
func TestMetricsServerSharesWhatKubernetesIsMadeOf(t *testing.T) {
	kubernetes, metrics := versions(t, "..", "./controlplane"), versions(t, "../metricsserver", ".")
	shared := 0
	for path, v := range metrics {
		other, both := kubernetes[path]
		if !both {
			continue
		}
		if shared++; v != other {
			t.Errorf("%s is %s in metrics-server's go.mod and %s in the lab's: take the newer in both", path, v, other)
		}
	}
	if shared < 50 {
		t.Errorf("%d modules are in both, want 50 at least", shared)
	}
}

// versions gives those of all modules that a program is made of.
func versions(t *testing.T, dir, pkg string) map[string]string {
	t.Helper()
	out, err := goTool(t.Context(), dir, "list", "-deps", "-f", "{{with .Module}}{{.Path}} {{.Version}}{{end}}", pkg)
	if err != nil {
		t.Fatalf("in %s: %v", dir, err)
	}
	all := map[string]string{}
	for line := range strings.Lines(out) {
		if f := strings.Fields(line); len(f) == 2 {
			all[f[0]] = f[1]
		}
	}
	return all
}
