package target

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func pod(name, ip string, phase corev1.PodPhase, annotations map[string]string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "telemetry", Name: name, Annotations: annotations},
		Spec:       corev1.PodSpec{NodeName: "node1"}, Status: corev1.PodStatus{PodIP: ip, Phase: phase},
	}
}

// Only running pods that ask for it are scraped, in the same order whatever order they come in.
func TestOnlyPodsThatAskAreScraped(t *testing.T) {
	ask := map[string]string{"prometheus.io/scrape": "true", "prometheus.io/port": "8080", "prometheus.io/path": "/metrics"}
	a, b := pod("a", "10.201.1.2", corev1.PodRunning, ask), pod("b", "10.201.1.3", corev1.PodRunning, ask)
	others := []*corev1.Pod{
		pod("c", "10.201.1.4", corev1.PodRunning, nil), pod("d", "10.201.1.5", corev1.PodSucceeded, ask), pod("e", "", corev1.PodRunning, ask),
	}
	got, err := render(append(others, b, a))
	if err != nil {
		t.Fatal(err)
	}
	want := `[
  {
    "targets": [
      "10.201.1.2:8080"
    ],
    "labels": {
      "__metrics_path__": "/metrics",
      "namespace": "telemetry",
      "node": "node1",
      "pod": "a"
    }
  },
  {
    "targets": [
      "10.201.1.3:8080"
    ],
    "labels": {
      "__metrics_path__": "/metrics",
      "namespace": "telemetry",
      "node": "node1",
      "pod": "b"
    }
  }
]
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("targets (-want +got):\n%s", diff)
	}
	if got, err := render(nil); err != nil || got != "[]\n" {
		t.Errorf("render(nothing) = %q, %v; want an empty list, which Prometheus takes", got, err)
	}
}
