// Package conn reaches one cluster. It takes a kubeconfig or what a pod is
// given, and gives clients, and the resources behind kinds. It never asks
// anything on its own, and never prints.
package conn

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
)

// ErrNotInstalled is returned for a kind that the cluster does not know.
var ErrNotInstalled = errors.New("the cluster does not have this kind")

// Config says which cluster. Its zero value is the cluster that KUBECONFIG or
// the home folder names, or around the pod that this runs in.
type Config struct {
	// Kubeconfig is a file, Context one of its contexts.
	Kubeconfig, Context string
	// Wrap, if set, is put around the way to the server.
	Wrap func(http.RoundTripper) http.RoundTripper
}

// Client is a way to one cluster.
type Client struct {
	Typed   kubernetes.Interface
	Dynamic dynamic.Interface
	Meta    metadata.Interface

	server, context, user string

	mu    sync.Mutex
	known map[schema.GroupVersionKind]Resource
}

// A Resource is where the objects of a kind are.
type Resource struct {
	schema.GroupVersionResource
	Namespaced bool
}

// quiet keeps the clients' library from writing to stderr, which is the
// command's: what matters of it comes back as errors.
var quiet = sync.OnceFunc(func() { klog.SetLogger(logr.Discard()) })

// Open makes clients; it does not call the server.
func Open(cfg Config) (*Client, error) {
	quiet()
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = cfg.Kubeconfig
	loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{CurrentContext: cfg.Context})
	c := &Client{known: map[schema.GroupVersionKind]Resource{}}
	config, err := loader.ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("choose the cluster: %w", err)
	}
	if raw, err := loader.RawConfig(); err == nil {
		c.context = raw.CurrentContext
		if cfg.Context != "" {
			c.context = cfg.Context
		}
		if x := raw.Contexts[c.context]; x != nil {
			c.user = x.AuthInfo
		}
	}
	c.server = config.Host
	config.QPS, config.Burst = 100, 200
	config.UserAgent = "tranship"
	config.WarningHandler = rest.NoWarnings{}
	if cfg.Wrap != nil {
		config.Wrap(cfg.Wrap)
	}
	if c.Typed, err = kubernetes.NewForConfig(config); err != nil {
		return nil, fmt.Errorf("reach %s: %w", c.server, err)
	}
	if c.Dynamic, err = dynamic.NewForConfig(config); err != nil {
		return nil, fmt.Errorf("reach %s: %w", c.server, err)
	}
	if c.Meta, err = metadata.NewForConfig(config); err != nil {
		return nil, fmt.Errorf("reach %s: %w", c.server, err)
	}
	return c, nil
}

// Where says in one line which cluster is touched, and as whom.
func (c *Client) Where() string {
	if c.context == "" {
		return "the cluster around this pod, at " + c.server
	}
	line := "context " + c.context + ", server " + c.server
	if c.user != "" {
		line += ", as " + c.user
	}
	return line
}

// Resource gives where objects of a kind are: ErrNotInstalled.
func (c *Client) Resource(ctx context.Context, kind schema.GroupVersionKind) (Resource, error) {
	c.mu.Lock()
	r, ok := c.known[kind]
	c.mu.Unlock()
	if ok {
		return r, nil
	}
	path := "/apis/" + kind.GroupVersion().String()
	if kind.Group == "" {
		path = "/api/" + kind.Version
	}
	var list metav1.APIResourceList
	err := c.Typed.Discovery().RESTClient().Get().AbsPath(path).Do(ctx).Into(&list)
	if apierrors.IsNotFound(err) {
		return Resource{}, fmt.Errorf("%w: %s of %s", ErrNotInstalled, kind.Kind, kind.GroupVersion())
	}
	if err != nil {
		return Resource{}, fmt.Errorf("ask for the kinds of %s: %w", kind.GroupVersion(), err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, x := range list.APIResources {
		k := kind.GroupVersion().WithKind(x.Kind)
		if _, ok := c.known[k]; !ok && !strings.Contains(x.Name, "/") {
			c.known[k] = Resource{kind.GroupVersion().WithResource(x.Name), x.Namespaced}
		}
	}
	if r, ok = c.known[kind]; !ok {
		return Resource{}, fmt.Errorf("%w: %s of %s", ErrNotInstalled, kind.Kind, kind.GroupVersion())
	}
	return r, nil
}

// Forget has the server be asked again where objects of a kind are.
func (c *Client) Forget(kind schema.GroupVersionKind) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.known, kind)
}

// Of gives the objects of a resource: in a namespace, or, where it has none or
// namespace is empty, all.
func (c *Client) Of(r Resource, namespace string) dynamic.ResourceInterface {
	if r.Namespaced && namespace != "" {
		return c.Dynamic.Resource(r.GroupVersionResource).Namespace(namespace)
	}
	return c.Dynamic.Resource(r.GroupVersionResource)
}
