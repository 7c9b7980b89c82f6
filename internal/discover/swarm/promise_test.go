package swarm_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/discover/discovertest"
	"github.com/tranship/tranship/internal/estate"
)

func TestAnyValueInAnyPlaceIsRead(t *testing.T) {
	for _, text := range everyService(t) {
		if len(text) > 150 {
			continue // what has more leaves takes minutes
		}
		discovertest.AnyValue(t, readers, text)
	}
}

// everyService gives the fixture cut into small files, one a service and one
// for what stands beside them.
func everyService(t testing.TB) []string {
	t.Helper()
	var doc map[string]any
	if err := yaml.Unmarshal([]byte(everyKey), &doc); err != nil {
		t.Fatal(err)
	}
	services := doc["services"].(map[string]any)
	web := services["web"].(map[string]any)
	var out []string
	add := func(v any) {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, string(b))
	}
	for k, v := range web {
		service := map[string]any{"image": "x", k: v}
		add(map[string]any{"services": map[string]any{"web": service}})
	}
	for name, s := range services {
		if name != "web" {
			add(map[string]any{"services": map[string]any{name: s}})
		}
	}
	add(map[string]any{
		"networks": doc["networks"], "volumes": doc["volumes"], "configs": doc["configs"], "secrets": doc["secrets"],
		"services": map[string]any{"web": map[string]any{"image": "x", "volumes": web["volumes"], "configs": web["configs"], "secrets": web["secrets"]}},
	})
	return out
}

func TestUnknownKeyAddsOneEntry(t *testing.T) {
	for _, text := range everyService(t) {
		discovertest.OneMore(t, readers, text,
			"services", "environment", "labels", "annotations", "args", "options", "driver_opts", "sysctls", "ulimits", "extra_hosts",
			"networks", "volumes", "configs", "secrets", "depends_on", "storage_opt", "aux_addresses")
	}
}

const canary = "c4n4ry-v4lue"

func TestNoSecretLeavesTheSnapshot(t *testing.T) {
	files := map[string]string{
		"shop/.env":    "DB_PASSWORD=" + canary + "\nAPI_TOKEN=" + canary + "\n",
		"shop/web.env": "SMTP_PASSWORD=" + canary + "\nMONGO=mongodb://me:" + canary + "@db/x\n",
		"shop/compose.yaml": `
services:
  web:
    image: "x:${API_TOKEN}"
    env_file: web.env
    environment:
      DB_PASSWORD: ` + canary + `
      URL: "postgres://me:` + canary + `@db/x"
      FROM_FILE: "p=${DB_PASSWORD}"
      WITH_DEFAULT: "${DB_PASSWORD:-` + canary + `}"
    command: "run --password ` + canary + ` --other ${API_TOKEN} https://me:` + canary + `@x/"
    entrypoint: ["sh", "-c", "echo ${DB_PASSWORD:-` + canary + `}"]
    healthcheck: {test: "mysqladmin -p` + canary + ` ping"}
    labels:
      repo: "https://me:` + canary + `@git.example.com/x"
      auth: "admin:${API_TOKEN}"
    configs: [site]
    secrets: [key]
    build: {context: "https://me:` + canary + `@git.example.com/x", args: {TOKEN: ` + canary + `}}
    volumes: ["nas:/nas"]
    ports: ["${API_TOKEN}:80"]
  list:
    image: x
    environment: ["DB_PASSWORD=` + canary + `", "API_TOKEN"]
    tty: "` + canary + `"
    hostname: [` + canary + `]
    deploy: {replicas: "` + canary + `"}
configs:
  site: {content: "url: https://me:` + canary + `@x/"}
secrets:
  key: {environment: API_TOKEN}
volumes:
  nas: {driver: cifs, driver_opts: {o: "username=me,password=` + canary + `"}}
`,
	}
	r := discovertest.Read(readers, files)
	if len(r.Estate.Workloads) != 2 {
		t.Fatalf("%d workloads, want 2: %v", len(r.Estate.Workloads), r.Diags)
	}
	var out bytes.Buffer
	if err := r.Estate.Write(&out); err != nil {
		t.Fatal(err)
	}
	if err := ledger.Write(&out, r.Ledger); err != nil {
		t.Fatal(err)
	}
	if err := r.Diags.Print(&out); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		if i := strings.Index(line, canary); i >= 0 {
			t.Errorf("a secret is in the output: ...%s", line[max(0, i-120):min(len(line), i+40)])
		}
	}
	web := r.Estate.Find("/shop/web")
	var keys []string
	for _, s := range web.Secrets {
		if s.Name == "web-env" {
			keys = s.Keys
		}
	}
	want := []string{"MONGO", "SMTP_PASSWORD", "DB_PASSWORD", "FROM_FILE", "URL", "WITH_DEFAULT"}
	if d := cmp.Diff(want, keys); d != "" {
		t.Errorf("the variables kept apart differ (-want +got):\n%s", d)
	}
}

func TestWhatIsBesideTheFileIsRead(t *testing.T) {
	files := map[string]string{
		"shop/.env":      "TAG=7\n",
		"shop/web.env":   "COLOUR=green\nSIZE=${TAG}\n",
		"shop/site.conf": "listen 80",
		"shop/compose.yaml": `
include: [db/compose.yaml]
services:
  web:
    image: "web:${TAG}"
    env_file: web.env
    environment: {SIZE: large}
    extends: {file: base.yml, service: base}
    depends_on: [db]
    configs: [site]
    volumes: ["store:/store"]
configs: {site: {file: site.conf}}
`,
		"shop/base.yml":        "services: {base: {image: base, user: \"7\", env_file: web.env, environment: {FROM_BASE: \"$$x\"}}}",
		"shop/db/compose.yaml": "services: {db: {image: db}}\nvolumes: {store: {driver: rexray}}",
	}
	r := discovertest.Read(readers, files)
	if r.Diags.HasErrors() {
		t.Fatal(r.Diags)
	}
	web := r.Estate.Find("/shop/web")
	if web == nil {
		t.Fatalf("no workload: %v", r.Diags)
	}
	k := web.Containers[0]
	want := []estate.EnvVar{{Name: "COLOUR", Value: "green"}, {Name: "FROM_BASE", Value: "$x"}, {Name: "SIZE", Value: "large"}}
	if d := cmp.Diff(want, k.Env); d != "" {
		t.Errorf("variables differ (-want +got):\n%s", d)
	}
	if k.Image != "web:7" || k.Security.User != "7" {
		t.Errorf("image %q of user %q, want web:7 of 7", k.Image, k.Security.User)
	}
	if web.Configs[0].Data["site"] != "listen 80" {
		t.Errorf("the config has %v, want the file's content", web.Configs[0].Data)
	}
	if v := web.Volumes; len(v) != 2 || v[0].Driver != "rexray" && v[1].Driver != "rexray" {
		t.Errorf("volumes are %v, want the included one among them", v)
	}
	if r.Estate.Find("/db/db") == nil {
		t.Error("the included file's service is not read with its own file")
	}
}

func TestFileOutsideTheSnapshotIsNeverRead(t *testing.T) {
	r := discovertest.Read(readers, map[string]string{"shop/compose.yaml": `
include: [/etc/passwd, ../../etc/hosts, "https://example.com/x.yaml"]
services:
  web: {image: x, env_file: [/etc/environment, ../../../etc/environment], extends: {file: /etc/hosts, service: x}}
`})
	if len(r.Estate.Workloads) != 1 || len(r.Estate.Workloads[0].Containers[0].Env) != 0 {
		t.Errorf("workloads %v", r.Estate.Workloads)
	}
	if n := discovertest.Codes(r); !n["C114"] {
		t.Errorf("codes %v, want the missing file's", n)
	}
}

func TestRefusedFieldDropsOnlyItself(t *testing.T) {
	for _, c := range []struct{ name, text, pointer string }{
		{"wrong type", "services: {a: {image: x, tty: [1], hostname: h}}", "/services/a/tty/0"},
		{"bad port", "services: {a: {image: x, hostname: h, ports: [http, \"80\"]}}", "/services/a/ports/0"},
		{"two bad fields", "services: {a: {image: x, hostname: h, tty: [1], privileged: [2]}}", "/services/a/privileged/0"},
		{"in another service", "services: {a: {image: x, hostname: h}, b: {image: [1]}}", "/services/b/image/0"},
		{"beside services", "services: {a: {image: x, hostname: h}}\nnetworks: {n: {driver: [1]}}", "/networks/n/driver/0"},
		{"no service", "services: {a: {image: x, hostname: h}, b: 7}", "/services/b"},
		{"endless extends", "services: {a: {image: x, hostname: h, extends: b}, b: {extends: a}}", "/services/a/extends"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := read(c.text)
			a := r.Estate.Find("/shop/a")
			if a == nil || a.Containers[0].Image != "x" || a.Host == nil || a.Host.Name != "h" {
				t.Fatalf("service a has lost what is good: %+v", a)
			}
			if e, ok := discovertest.Entry(r, c.pointer); !ok || e.Verdict != ledger.Dropped {
				t.Errorf("the entry at %s is %v, want it dropped", c.pointer, e)
			}
			if !r.Diags.HasErrors() {
				t.Error("nothing is said of it")
			}
		})
	}
}

func TestSecondFileOfAFolderIsAProjectOfItsOwn(t *testing.T) {
	r := discovertest.Read(readers, map[string]string{
		"shop/a.yml": "services: {web: {image: x}}", "shop/b.yml": "services: {web: {image: y}}",
	})
	if r.Estate.Find("/shop/web") == nil || r.Estate.Find("/shop-b/web") == nil {
		t.Errorf("workloads %v", r.Estate.Workloads)
	}
	if !discovertest.Codes(r)["C102"] {
		t.Error("nothing is said of it")
	}
}

func TestOtherToolsFilesAreLeftAlone(t *testing.T) {
	for name, text := range map[string]string{
		"kubernetes": "apiVersion: v1\nkind: Service\nservices: {a: {image: x}}",
		"workflow":   "on: push\njobs: {test: {services: {db: {image: x}}}}",
		"prometheus": "scrape_configs: [{job_name: a}]",
		"travis":     "services: [docker]",
		"values":     "services: {web: {containers: {a: {image: {name: x}}}}}",
		"marathon":   "id: /a\ncmd: x",
		"helm":       "web: {image: {repository: x}}\ndb: {image: {repository: y}}",
	} {
		t.Run(name, func(t *testing.T) {
			if r := read(text); len(r.Estate.Workloads) != 0 || !discovertest.Codes(r)[discover.NotADefinition] {
				t.Errorf("it was read: %v", r.Estate.Workloads)
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	f.Add(everyKey)
	f.Add(oldFile)
	f.Add(anchored)
	f.Add("services: &a {b: *a}")
	f.Add("services: {a: {<<: [*x], image: \"${\"}}")
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 20_000 {
			return
		}
		snapshot := fstest.MapFS{"shop/compose.yaml": {Data: []byte(text)}, "shop/.env": {Data: []byte("A=1")}}
		r := discover.Read(snapshot, readers, discover.Options{})
		for _, d := range r.Diags {
			if d.Code == estate.Inconsistent {
				t.Errorf("%v", d)
			}
		}
		if _, err := fs.Stat(snapshot, "."); err == nil && len(r.Ledger) > 0 && !hasCode(r.Diags, discover.BrokenSyntax) && !strings.Contains(text, "\n---") {
			discovertest.Covered(t, snapshot, "shop/compose.yaml", r)
		}
	})
}

func hasCode(l diag.List, c diag.Code) bool {
	for _, d := range l {
		if d.Code == c {
			return true
		}
	}
	return false
}
