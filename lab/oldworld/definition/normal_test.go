package definition_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tranship/tranship/lab/oldworld/definition"
)

func TestOlderFormsBecomeTodays(t *testing.T) {
	for _, x := range []struct {
		name, app string
		want      func(*definition.App) any
		is        any
	}{
		{"ports", `{"id":"a","cmd":"x","ports":[8080]}`, func(a *definition.App) any { return a.ServicePorts() }, []int{8080}},
		{"no ports at all", `{"id":"a","cmd":"x","portDefinitions":[]}`, func(a *definition.App) any { return len(a.Ports()) }, 0},
		{"nothing said of ports", `{"id":"a","cmd":"x"}`, func(a *definition.App) any { return a.PortDefinitions[0].Name }, "default"},
		{"null is nothing said", `{"id":"a","cmd":"x","instances":null,"container":null}`, func(a *definition.App) any { return a.Instances }, 1},
		{"docker.network", `{"id":"a","container":{"docker":{"image":"i","network":"BRIDGE"}}}`, func(a *definition.App) any { return a.Networks[0].Mode }, "container/bridge"},
		{"relative ids", `{"id":"../b/c","cmd":"x","dependencies":["d","/e"]}`, func(a *definition.App) any { return append([]string{a.ID}, a.Dependencies...) }, []string{"/b/c", "/b/d", "/e"}},
		{
			"a resident app", `{"id":"a","cmd":"x","container":{"type":"MESOS","volumes":[{"containerPath":"d","persistent":{"size":1}}]}}`,
			func(a *definition.App) any { return a.UpgradeStrategy },
			definition.UpgradeStrategy{MinimumHealthCapacity: 0.5},
		},
	} {
		t.Run(x.name, func(t *testing.T) {
			a, err := definition.Parse([]byte(x.app), "/base")
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(x.is, x.want(a)); d != "" {
				t.Errorf("Parse(%s) (-want +got):\n%s", x.app, d)
			}
		})
	}
}

func TestAnUpdateChangesNothingThatItDoesNotSay(t *testing.T) {
	for _, app := range []string{
		`{"id":"a","cmd":"x","portDefinitions":[]}`,
		`{"id":"a","cmd":"x","ports":[0,0],"healthChecks":[{"port":80}],"constraints":[["hostname","UNIQUE"]],"fetch":[{"uri":"u"}]}`,
		`{"id":"a","container":{"type":"DOCKER","docker":{"image":"i"},"portMappings":[]},"networks":[{"mode":"container/bridge"}]}`,
		`{"id":"a","cmd":"x","labels":{"MARATHON_SINGLE_INSTANCE_APP":"true"},"taskKillGracePeriodSeconds":0}`,
	} {
		a, err := definition.Parse([]byte(app), "/")
		if err != nil {
			t.Fatal(err)
		}
		b, err := definition.Merge(a, []byte(`{"id":"/elsewhere"}`))
		if err != nil {
			t.Fatal(err)
		}
		if !a.Same(b) {
			one, _ := json.Marshal(a)
			two, _ := json.Marshal(b)
			t.Errorf("Merge(%s, nothing) =\n%s, want\n%s", app, two, one)
		}
	}
}

func TestComplaintsHaveTheirPlace(t *testing.T) {
	_, err := definition.Parse([]byte(`{"id":"/a","cmd":"x","cpus":-1,"upgradeStrategy":{"minimumHealthCapacity":3,"maximumOverCapacity":0}}`), "/")
	invalid, ok := errors.AsType[*definition.InvalidError](err)
	if !ok {
		t.Fatalf("Parse = %v, want an InvalidError", err)
	}
	var places []string
	for _, d := range invalid.Details {
		places = append(places, d.Path)
	}
	if d := cmp.Diff([]string{"/cpus", "/upgradeStrategy/minimumHealthCapacity"}, places); d != "" {
		t.Errorf("places (-want +got):\n%s", d)
	}
}
