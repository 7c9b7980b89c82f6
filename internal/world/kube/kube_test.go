package kube_test

import (
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/tranship/tranship/internal/world/kube"
)

func TestThePrintedRoleNeverLetsClaimsVolumesOrNamespacesBeDeleted(t *testing.T) {
	for text := range strings.SplitSeq(kube.Role("tranship"), "---\n") {
		var role struct {
			Kind  string
			Rules []struct {
				APIGroups, Resources, Verbs []string
			}
		}
		if err := yaml.Unmarshal([]byte(text), &role); err != nil {
			t.Fatal(err)
		}
		if len(role.Rules) == 0 {
			t.Errorf("%s has no rules", role.Kind)
		}
		for _, r := range role.Rules {
			verbs := strings.Join(r.Verbs, " ")
			if strings.Contains(verbs, "*") || strings.Contains(strings.Join(append(r.Resources, r.APIGroups...), " "), "*") {
				t.Errorf("%s: %v on %v of %v is more than is needed", role.Kind, r.Verbs, r.Resources, r.APIGroups)
			}
			for _, resource := range r.Resources {
				switch resource {
				case "persistentvolumeclaims", "persistentvolumes", "namespaces", "nodes", "pods":
					if strings.Contains(verbs, "delete") {
						t.Errorf("%s: may delete %s", role.Kind, resource)
					}
				}
			}
		}
	}
}

func TestAClusterThatIsNotThereIsNotChosen(t *testing.T) {
	if _, err := kube.Connect(kube.Config{Kubeconfig: "testdata/nowhere"}); err == nil || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("Connect = %v, want the file that is missing", err)
	}
}
