// Package policy is tranship.yaml: the answers that people give to what a
// migration has to decide. It takes the file's bytes and gives a Policy with
// diagnostics at their places. It never holds a secret's value and never
// changes what a field means between versions of the file.
package policy

import (
	"path"
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
)

// The header of the file.
const (
	APIVersion = "tranship.dev/v1"
	Kind       = "Migration"
)

// Policy is the whole file. Its zero value asks for every default.
type Policy struct {
	APIVersion string   `json:"apiVersion" jsonschema:"enum=tranship.dev/v1"`
	Kind       string   `json:"kind" jsonschema:"enum=Migration"`
	Metadata   Metadata `json:"metadata,omitzero"`
	Spec       Spec     `json:"spec,omitzero"`
}

// Metadata names the migration.
type Metadata struct {
	Name string `json:"name,omitempty"`
}

// Spec holds the answers. An absent field is an open question.
type Spec struct {
	Namespaces Namespaces          `json:"namespaces,omitzero"`
	Secrets    Secrets             `json:"secrets,omitzero"`
	Network    Network             `json:"network,omitzero"`
	CPULimits  CPULimits           `json:"cpuLimits,omitempty" jsonschema:"enum=auto,enum=none,enum=request"`
	Users      map[string]int64    `json:"users,omitempty"`
	Storage    Storage             `json:"storage,omitzero"`
	Nodes      Nodes               `json:"nodes,omitzero"`
	Edge       Edge                `json:"edge,omitzero"`
	Images     Images              `json:"images,omitzero"`
	Pods       Pods                `json:"pods,omitzero"`
	Target     Target              `json:"target,omitzero"`
	Usage      Usage               `json:"usage,omitzero"`
	Sizing     Sizing              `json:"sizing,omitzero"`
	Buying     Buying              `json:"buying,omitzero"`
	Costs      Costs               `json:"costs,omitzero"`
	Waves      Waves               `json:"waves,omitzero"`
	Move       Move                `json:"move,omitzero"`
	Workloads  map[string]Workload `json:"workloads,omitempty"`
	Answers    []Answer            `json:"answers,omitempty"`
}

// Namespaces says where workloads go.
type Namespaces struct {
	// By is "top" (the first group of the ID, default), "group" (the whole
	// path of groups joined by dashes) or "one" (Default for all).
	By      string            `json:"by,omitempty" jsonschema:"enum=top,enum=group,enum=one"`
	Default string            `json:"default,omitempty"` // for workloads outside any group
	Map     map[string]string `json:"map,omitempty"`     // group to namespace, the longest match wins
}

// Secrets says where secrets' values will come from.
type Secrets struct {
	// Store is "stub" (a Secret without values, default) or "external" (an ExternalSecret).
	Store string `json:"store,omitempty" jsonschema:"enum=stub,enum=external"`
	// StoreName and StoreKind name the SecretStore or ClusterSecretStore.
	StoreName string `json:"storeName,omitempty"`
	StoreKind string `json:"storeKind,omitempty" jsonschema:"enum=SecretStore,enum=ClusterSecretStore"`
	Prefix    string `json:"prefix,omitempty"` // of the path in the store
	// Names are further patterns of variables that hold secrets ("*_CERT").
	Names []string `json:"names,omitempty"`
}

// Network says what becomes of the machine's network and ports.
type Network struct {
	// Host is "pod" (an address of its own, default) or "host" (kept).
	Host string `json:"host,omitempty" jsonschema:"enum=pod,enum=host"`
	// HostPorts is "drop" (default) or "keep".
	HostPorts string `json:"hostPorts,omitempty" jsonschema:"enum=drop,enum=keep"`
	// Policies is "none" (default) or "deny" (only known edges may connect).
	Policies string `json:"policies,omitempty" jsonschema:"enum=none,enum=deny"`
	// ClusterDomain of the target, "cluster.local" by default.
	ClusterDomain string `json:"clusterDomain,omitempty"`
}

// CPULimits is "auto" (a limit only where the source throttled, default),
// "none" or "request".
type CPULimits string

// Storage says how volumes are made.
type Storage struct {
	Class   string            `json:"class,omitempty"`   // default "gp3"
	Classes map[string]string `json:"classes,omitempty"` // medium, profile or driver to class
	Shared  string            `json:"shared,omitempty"`  // class for volumes with many writers
	// HostPath is "keep" (a hostPath volume, default) or "none" (left out).
	HostPath string `json:"hostPath,omitempty" jsonschema:"enum=keep,enum=none"`
	// Handles gives the CSI volume handle of an external volume by its name.
	Handles map[string]string `json:"handles,omitempty"`
}

// Nodes maps what the source's machines were called.
type Nodes struct {
	Labels map[string]string `json:"labels,omitempty"` // attribute to node label
	Zones  map[string]string `json:"zones,omitempty"`
	// Regions maps old region names to new ones.
	Regions map[string]string `json:"regions,omitempty"`
	// Roles maps a source role to a node label "key=value".
	Roles map[string]string `json:"roles,omitempty"`
}

// Edge says how traffic enters.
type Edge struct {
	// Kind is "gateway" (Gateway API v1, default) or "ingress".
	Kind   string           `json:"kind,omitempty" jsonschema:"enum=gateway,enum=ingress"`
	Class  string           `json:"class,omitempty"`
	Groups map[string]Group `json:"groups,omitempty"` // by HAProxy group or Edge-LB pool
	// Certificates maps a certificate's name at the source to a TLS secret.
	Certificates map[string]string `json:"certificates,omitempty"`
	// Namespace of the Gateways, "edge" by default.
	Namespace string `json:"namespace,omitempty"`
}

// Group is one load balancer group's target.
type Group struct {
	Class   string `json:"class,omitempty"`
	Gateway string `json:"gateway,omitempty"`
	// Skip leaves the group's routes out.
	Skip bool `json:"skip,omitempty"`
}

// Images rewrites where images come from.
type Images struct {
	Registries map[string]string `json:"registries,omitempty"` // prefix to prefix
	// Base is the image for workloads that ran on the machine's own files.
	Base string `json:"base,omitempty"`
	// Fetch is the image that downloads artifacts.
	Fetch string `json:"fetch,omitempty"`
}

// Pods holds settings of all pods.
type Pods struct {
	// DrainSeconds is the preStop sleep that lets load balancers drain, 15 by default.
	DrainSeconds *int `json:"drainSeconds,omitempty"`
	// GraceSeconds is the time to stop in where the source named none, 30 by default.
	GraceSeconds *int `json:"graceSeconds,omitempty"`
	// DisruptionBudget is "auto" (default) or "none".
	DisruptionBudget string `json:"disruptionBudget,omitempty" jsonschema:"enum=auto,enum=none"`
	// EphemeralLimit is "none" (default) or "request": kubelet evicts at the limit.
	EphemeralLimit string `json:"ephemeralLimit,omitempty" jsonschema:"enum=none,enum=request"`
}

// Workload answers for one workload.
type Workload struct {
	Namespace string     `json:"namespace,omitempty"`
	Name      string     `json:"name,omitempty"`
	Image     string     `json:"image,omitempty"`
	User      *int64     `json:"user,omitempty"`
	Network   string     `json:"network,omitempty" jsonschema:"enum=pod,enum=host"`
	HostPorts string     `json:"hostPorts,omitempty" jsonschema:"enum=drop,enum=keep"`
	CPULimits CPULimits  `json:"cpuLimits,omitempty" jsonschema:"enum=auto,enum=none,enum=request"`
	Replicas  *int       `json:"replicas,omitempty"`
	Autoscale *Autoscale `json:"autoscale,omitempty"`
	Skip      bool       `json:"skip,omitempty"`
	// CPU and Memory are the request of the only, or first, container.
	CPU    *unit.CPU   `json:"cpu,omitempty"`
	Memory *unit.Bytes `json:"memory,omitempty"`
	// Architectures that its images run on; those of spec.target by default.
	Architectures []string `json:"architectures,omitempty"`
	// LocalDisk asks for nodes with local NVMe.
	LocalDisk bool `json:"localDisk,omitempty"`
	// Spot is "never" or "always", whatever spec.buying says.
	Spot string `json:"spot,omitempty" jsonschema:"enum=never,enum=always"`
}

// Autoscale asks for a HorizontalPodAutoscaler.
type Autoscale struct {
	Min    int `json:"min"`
	Max    int `json:"max"`
	CPU    int `json:"cpu,omitempty"`
	Memory int `json:"memory,omitempty"`
	// Metric is another metric to follow.
	Metric *Metric `json:"metric,omitempty"`
}

// Answer settles the decisions of one code, for the workloads that match.
type Answer struct {
	Code     diag.Code `json:"code"`
	Workload string    `json:"workload,omitempty"` // pattern, "/shop/*"; all if empty
	Answer   string    `json:"answer"`
}

// Default is the policy that init writes before any question is answered.
func Default() Policy { return Policy{APIVersion: APIVersion, Kind: Kind} }

// For gives what is said of one workload.
func (p *Policy) For(id estate.Name) Workload { return p.Spec.Workloads[string(id)] }

// Said gives the answer to a decision of that code, as Answers has it.
func (p *Policy) Said(code diag.Code, id estate.Name) (string, bool) {
	for _, a := range p.Spec.Answers {
		if a.Code == code && (a.Workload == "" || Matches(a.Workload, string(id))) {
			return a.Answer, true
		}
	}
	return "", false
}

// Matches reports whether a workload's ID fits a pattern: path.Match syntax,
// and a trailing "/..." for all below.
func Matches(pattern, id string) bool {
	if base, ok := strings.CutSuffix(pattern, "/..."); ok {
		return id == base || strings.HasPrefix(id, base+"/")
	}
	ok, err := path.Match(pattern, id)
	return ok && err == nil
}
