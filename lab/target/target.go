// Package target tells Prometheus which pods to scrape: Debian's is built without the means to ask Kubernetes itself.
//
// Input: pods with the usual annotations (prometheus.io/scrape, port, path). Output: a file of targets, which Prometheus
// reads whenever it changes. It never scrapes.
package target

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
)

// settle is how long pods may come and go until the file is written once for all of them.
const settle = 500 * time.Millisecond

// group is one entry of Prometheus' file_sd format.
type group struct {
	Targets []string          `json:"targets"`
	Labels  map[string]string `json:"labels"`
}

// Run writes the file until the context ends.
func Run(ctx context.Context, client kubernetes.Interface, file string, tell func(error)) error {
	factory := informers.NewSharedInformerFactory(client, 0)
	pods := factory.Core().V1().Pods()
	changed := make(chan struct{}, 1)
	note := func() {
		select {
		case changed <- struct{}{}:
		default: // it is known already
		}
	}
	if _, err := pods.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: func(any) { note() }, UpdateFunc: func(any, any) { note() }, DeleteFunc: func(any) { note() },
	}); err != nil {
		return fmt.Errorf("watch pods: %w", err)
	}
	factory.Start(ctx.Done())
	defer factory.Shutdown()
	factory.WaitForCacheSync(ctx.Done())
	var have string
	for {
		list, err := pods.Lister().List(labels.Everything())
		if err != nil {
			return fmt.Errorf("list pods: %w", err)
		}
		text, err := render(list)
		if err == nil && text != have {
			err = replace(file, text)
			have = text
		}
		if err != nil {
			tell(err)
			have = ""
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(settle):
		}
	}
}

// render gives the file's text: of running pods that ask for it, in an order that is always the same.
func render(pods []*corev1.Pod) (string, error) {
	groups := []group{}
	for _, p := range pods {
		port := p.Annotations["prometheus.io/port"]
		if p.Annotations["prometheus.io/scrape"] != "true" || port == "" || p.Status.PodIP == "" || p.Status.Phase != corev1.PodRunning {
			continue
		}
		g := group{Targets: []string{net.JoinHostPort(p.Status.PodIP, port)}, Labels: map[string]string{"namespace": p.Namespace, "pod": p.Name, "node": p.Spec.NodeName}}
		if path := p.Annotations["prometheus.io/path"]; path != "" {
			g.Labels["__metrics_path__"] = path
		}
		groups = append(groups, g)
	}
	slices.SortFunc(groups, func(a, b group) int {
		return strings.Compare(a.Labels["namespace"]+"/"+a.Labels["pod"], b.Labels["namespace"]+"/"+b.Labels["pod"])
	})
	text, err := json.MarshalIndent(groups, "", "  ")
	if err != nil {
		return "", fmt.Errorf("write targets: %w", err)
	}
	return string(text) + "\n", nil
}

func replace(file, text string) error {
	if err := os.WriteFile(file+".new", []byte(text), 0o644); err != nil {
		return fmt.Errorf("write targets: %w", err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		return fmt.Errorf("write targets: %w", err)
	}
	return nil
}
