package frontdoor_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tranship/tranship/lab/frontdoor"
	"github.com/tranship/tranship/lab/process"
)

func door(dir string) frontdoor.Door {
	return frontdoor.Door{
		Table: process.Table{Dir: dir}, Dir: dir, Stats: "127.0.0.1:8404",
		Services: []frontdoor.Service{
			{Name: "gateway", Bind: "127.0.0.1:8001", Source: "127.0.0.1:10001", Check: "/healthz"},
			{Name: "database", Bind: "127.0.0.1:5432", Source: "127.0.0.1:5433"},
		},
	}
}

// Every backend has a place for the mover's servers, empty at first, after the source's server.
func TestBackendsHaveAPlaceForTheMover(t *testing.T) {
	text := door("/lab").Text()
	for _, name := range []string{"gateway", "database"} {
		_, rest, ok := strings.Cut(text, "\nbackend "+name+"\n")
		backend, _, _ := strings.Cut(rest, "\n\n")
		if !ok || !strings.HasSuffix(strings.TrimSpace(backend), "# tranship begin "+name+"\n    # tranship end "+name) {
			t.Errorf("backend %s ends otherwise:\n%s", name, backend)
		}
		if !strings.Contains(backend, "server source 127.0.0.1:") || !strings.Contains(backend, "balance roundrobin") {
			t.Errorf("backend %s has no source, or an algorithm whose servers cannot change at run time:\n%s", name, backend)
		}
	}
}

// HAProxy itself takes the configuration without a warning.
func TestHAProxyTakesTheConfiguration(t *testing.T) {
	if _, err := exec.LookPath("haproxy"); err != nil {
		t.Skip("no haproxy here")
	}
	file := filepath.Join(t.TempDir(), "haproxy.cfg")
	if err := os.WriteFile(file, []byte(door(t.TempDir()).Text()), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("haproxy", "-c", "-dW", "-f", file).CombinedOutput(); err != nil {
		t.Errorf("haproxy -c: %v\n%s", err, out)
	}
}
