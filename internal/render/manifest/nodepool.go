package manifest

import (
	"cmp"
	"maps"
	"slices"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/render/manifest/cluster"
	"github.com/tranship/tranship/internal/render/manifest/naming"
)

// Nodes is the folder of what makes nodes: it is applied before the workloads.
const Nodes = "kubernetes/nodes"

// rootVolume is a node's disk where policy says nothing.
const rootVolume = 20 * unit.GiB

// A nodePool is Karpenter's.
type nodePool struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              nodePoolSpec `json:"spec"`
}

type nodePoolSpec struct {
	Template   nodeTemplate      `json:"template"`
	Disruption disruption        `json:"disruption"`
	Limits     map[string]string `json:"limits,omitempty"`
}

type nodeTemplate struct {
	Metadata nodeLabels `json:"metadata"`
	Spec     nodeSpec   `json:"spec"`
}

type nodeLabels struct {
	Labels map[string]string `json:"labels"`
}

type nodeSpec struct {
	NodeClassRef classRef      `json:"nodeClassRef"`
	Requirements []requirement `json:"requirements"`
	ExpireAfter  string        `json:"expireAfter"`
}

type classRef struct {
	Group string `json:"group"`
	Kind  string `json:"kind"`
	Name  string `json:"name"`
}

type requirement struct {
	Key      string   `json:"key"`
	Operator string   `json:"operator"`
	Values   []string `json:"values"`
}

type disruption struct {
	ConsolidationPolicy string   `json:"consolidationPolicy"`
	ConsolidateAfter    string   `json:"consolidateAfter"`
	Budgets             []budget `json:"budgets"`
}

type budget struct {
	Nodes string `json:"nodes"`
}

// A nodeClass is how Karpenter sets machines of AWS up.
type nodeClass struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              nodeClassSpec `json:"spec"`
}

type nodeClassSpec struct {
	AMISelectorTerms           []imageTerm  `json:"amiSelectorTerms"`
	Role                       string       `json:"role"`
	SubnetSelectorTerms        []tagTerm    `json:"subnetSelectorTerms"`
	SecurityGroupSelectorTerms []tagTerm    `json:"securityGroupSelectorTerms"`
	BlockDeviceMappings        []device     `json:"blockDeviceMappings"`
	InstanceStorePolicy        string       `json:"instanceStorePolicy,omitempty"`
	Kubelet                    *kubeletConf `json:"kubelet,omitempty"`
}

type imageTerm struct {
	Alias string `json:"alias"`
}

type tagTerm struct {
	Tags map[string]string `json:"tags"`
}

type device struct {
	DeviceName string `json:"deviceName"`
	EBS        disk   `json:"ebs"`
}

type disk struct {
	VolumeSize string `json:"volumeSize"`
	VolumeType string `json:"volumeType"`
	Encrypted  bool   `json:"encrypted"`
}

type kubeletConf struct {
	MaxPods int `json:"maxPods"`
}

// nodePools writes a NodePool for each pool that Karpenter makes the nodes of,
// and a class of nodes for each way in which they are set up.
func (r *renderer) nodePools() error {
	f := &folder{r: r, dir: Nodes, comment: "nodes for Karpenter: apply them before the workloads\nWritten by tranship: changes belong into an overlay."}
	classes := map[string]*nodeClass{}
	names := naming.Set{}
	for i := range r.c.Plan.Pools {
		p := &r.c.Plan.Pools[i]
		if p.Manager != "karpenter" || p.Type == "" {
			continue
		}
		class := r.nodeClass(p)
		classes[class.Name] = class
		name := names.Take(dns(string(p.Name)), string(p.Name), naming.Label)
		f.put("NodePool", "nodepool-"+name, r.nodePool(p, name, class.Name))
	}
	for _, name := range slices.Sorted(maps.Keys(classes)) {
		f.put("EC2NodeClass", "ec2nodeclass-"+name, classes[name])
	}
	if len(classes) == 0 {
		return nil
	}
	return f.close()
}

func (r *renderer) nodePool(p *plan.Pool, name, class string) *nodePool {
	capacity := "on-demand" // a savings plan is a discount on it
	if p.Purchase == plan.Spot {
		capacity = "spot"
	}
	types := append([]string{p.Type}, p.Alternatives...)
	slices.Sort(types)
	labels := map[string]string{}
	for k, v := range p.Labels {
		if naming.IsLabelKey(k) && naming.IsLabelValue(v) {
			labels[k] = v
		}
	}
	labels[cluster.PoolLabel] = string(p.Name)
	out := &nodePool{
		TypeMeta: metav1.TypeMeta{APIVersion: "karpenter.sh/v1", Kind: "NodePool"},
		ObjectMeta: metav1.ObjectMeta{
			Name: name, Labels: ownLabels(name), Annotations: map[string]string{"kubernetes.io/description": p.Why},
		},
		Spec: nodePoolSpec{
			Template: nodeTemplate{
				Metadata: nodeLabels{Labels: labels},
				Spec: nodeSpec{
					NodeClassRef: classRef{Group: "karpenter.k8s.aws", Kind: "EC2NodeClass", Name: class}, ExpireAfter: "720h",
					Requirements: []requirement{
						{"node.kubernetes.io/instance-type", "In", slices.Compact(types)},
						{"kubernetes.io/arch", "In", []string{p.Arch}},
						{"karpenter.sh/capacity-type", "In", []string{capacity}},
					},
				},
			},
			// What the plan keeps free for a lost node looks idle to Karpenter: only
			// nodes without any pod are taken back, and one at a time.
			Disruption: disruption{ConsolidationPolicy: "WhenEmpty", ConsolidateAfter: "5m", Budgets: []budget{{Nodes: "1"}}},
		},
	}
	if len(p.Zones) > 0 {
		out.Spec.Template.Spec.Requirements = append(out.Spec.Template.Spec.Requirements, requirement{"topology.kubernetes.io/zone", "In", p.Zones})
	}
	if p.Max > 0 {
		cores := (int(p.Allocatable.CPU) + 999) / 1000 // the system takes less than one
		out.Spec.Limits = map[string]string{"cpu": strconv.Itoa(cores * p.Max)}
	}
	return out
}

func (r *renderer) nodeClass(p *plan.Pool) *nodeClass {
	t := &r.c.Policy.Spec.Target
	name := "default"
	if p.MaxPods > 0 {
		name = "pods-" + strconv.Itoa(p.MaxPods)
	}
	if p.Reason == plan.NeedsDisk {
		name += "-nvme"
	}
	own := cmp.Or(t.Cluster, r.c.Policy.Metadata.Name, "tranship")
	mine := []tagTerm{{Tags: map[string]string{"karpenter.sh/discovery": own}}}
	out := &nodeClass{
		TypeMeta:   metav1.TypeMeta{APIVersion: "karpenter.k8s.aws/v1", Kind: "EC2NodeClass"},
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: ownLabels(name)},
		Spec: nodeClassSpec{
			AMISelectorTerms:    []imageTerm{{Alias: cmp.Or(t.Image, "al2023@latest")}},
			Role:                cmp.Or(t.NodeRole, "KarpenterNodeRole-"+own),
			SubnetSelectorTerms: mine, SecurityGroupSelectorTerms: mine,
			BlockDeviceMappings: []device{{"/dev/xvda", disk{cmp.Or(t.RootVolume, rootVolume).String(), "gp3", true}}},
		},
	}
	if p.MaxPods > 0 {
		out.Spec.Kubelet = &kubeletConf{MaxPods: p.MaxPods}
	}
	if p.Reason == plan.NeedsDisk {
		out.Spec.InstanceStorePolicy = "RAID0"
	}
	return out
}
