package fake

import (
	"fmt"

	"gopkg.in/yaml.v3"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/rollout/runner"
)

// object is as much of an object as the stand-in for a cluster has to know.
type object struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string `yaml:"kind"`
	Metadata   struct {
		Namespace string            `yaml:"namespace"`
		Name      string            `yaml:"name"`
		Labels    map[string]string `yaml:"labels"`
	} `yaml:"metadata"`
	Spec struct {
		Replicas *int  `yaml:"replicas"`
		Suspend  *bool `yaml:"suspend"`
	} `yaml:"spec"`
}

func readObjects(documents [][]byte) ([]object, error) {
	out := make([]object, 0, len(documents))
	for _, text := range documents {
		var o object
		if err := yaml.Unmarshal(text, &o); err != nil {
			return nil, fmt.Errorf("%w: read object: %w", runner.ErrRefused, err)
		}
		if o.APIVersion == "" || o.Kind == "" || o.Metadata.Name == "" {
			return nil, fmt.Errorf("%w: an object without apiVersion, kind or name", runner.ErrRefused)
		}
		out = append(out, o)
	}
	return out, nil
}

func (o *object) key() string { return objectKey(o.Kind, o.Metadata.Namespace, o.Metadata.Name) }

func objectKey(kind, namespace, name string) string { return kind + " " + namespace + "/" + name }

// stays reports whether an object outlives the workload that it came with.
func (o *object) stays() bool {
	switch o.Kind {
	case "Namespace", "PersistentVolume", "PersistentVolumeClaim":
		return true
	}
	return o.Metadata.Labels["tranship.dev/shared"] == "true"
}

// starts reports whether an object would start more than n copies by being
// there: then it is not. A Job that is there already is suspended.
func (o *object) starts(n int, there map[string]estate.Name) bool {
	switch o.Kind {
	case "HorizontalPodAutoscaler":
		return n >= 0
	case "DaemonSet":
		return n == 0
	case "Job":
		_, ok := there[o.key()]
		return n == 0 && !ok
	}
	return false
}

// wantedCopies gives how many copies the objects ask for; of jobs, whether one may
// start. Fallback is for those that do not say.
func wantedCopies(objects []object, nodes, fallback int) (wanted int, job bool) {
	runs := false
	for i := range objects {
		o := &objects[i]
		switch o.Kind {
		case "Deployment", "StatefulSet":
			runs = true
			if o.Spec.Replicas != nil {
				wanted += *o.Spec.Replicas
			} else {
				wanted += fallback
			}
		case "DaemonSet":
			runs = true
			wanted += nodes
		case "CronJob", "Job":
			runs, job = true, true
			if o.Spec.Suspend == nil || !*o.Spec.Suspend {
				wanted = 1
			}
		}
	}
	if !runs {
		wanted = fallback
	}
	return wanted, job
}
