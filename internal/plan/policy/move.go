package policy

import "github.com/tranship/tranship/internal/base/unit"

// Move says how services are moved: where both worlds are reached, in what
// steps traffic goes over, and what has to hold on the way. Secrets' values
// never stand here: credentials are named by environment variable or file.
type Move struct {
	Source  MoveSource  `json:"source,omitzero"`
	Cluster MoveCluster `json:"cluster,omitzero"`
	Traffic MoveTraffic `json:"traffic,omitzero"`
	// Steps are the shares of traffic, in percent, that the target gets in turn:
	// 1, 5, 25, 50, 100 by default.
	Steps []int `json:"steps,omitempty" jsonschema:"minItems=1"`
	// Bake is how long each step is watched, 5 minutes by default; Soak the time
	// at 100 percent before the source is drained, an hour; Window how long the
	// drained source stays warm, so that rollback is instant, a day.
	Bake   *unit.Seconds `json:"bake,omitempty" jsonschema:"minimum=0"`
	Soak   *unit.Seconds `json:"soak,omitempty" jsonschema:"minimum=0"`
	Window *unit.Seconds `json:"window,omitempty" jsonschema:"minimum=0"`
	// Ready is how long the target may take to become ready, 10 minutes by
	// default; Patience how long a world may not answer before the unit goes
	// back, 2 minutes.
	Ready    *unit.Seconds `json:"ready,omitempty" jsonschema:"minimum=1"`
	Patience *unit.Seconds `json:"patience,omitempty" jsonschema:"minimum=1"`
	// After says what a unit that went back does to later waves: "stop"
	// (default: its wave is finished, no later one begins) or "go-on".
	After     string                  `json:"after,omitempty" jsonschema:"enum=stop,enum=go-on"`
	Gates     MoveGates               `json:"gates,omitzero"`
	Workloads map[string]MoveWorkload `json:"workloads,omitempty"`
	Databases []MoveDatabase          `json:"databases,omitempty"`
	// Volumes says how persistent volumes are reached for copying.
	Volumes MoveVolumes `json:"volumes,omitzero"`
	// Drain has source hosts that the plan calls free drained in Mesos: true by default.
	Drain *bool `json:"drain,omitempty"`
}

// MoveSource is where the old world answers.
type MoveSource struct {
	Marathon  string `json:"marathon,omitempty"`  // URL
	Metronome string `json:"metronome,omitempty"` // URL
	Mesos     string `json:"mesos,omitempty"`     // URL of a master
	// TokenEnv is the environment variable with a bearer or DC/OS token.
	TokenEnv string `json:"tokenEnv,omitempty"`
	// CAFile holds certificates to trust beside the system's.
	CAFile string `json:"caFile,omitempty"`
}

// MoveCluster is the cluster that services move to.
type MoveCluster struct {
	// Kubeconfig and Context choose the cluster; KUBECONFIG and its current
	// context by default.
	Kubeconfig string `json:"kubeconfig,omitempty"`
	Context    string `json:"context,omitempty"`
	// Namespace of the mover's lease and fencing records, "tranship" by default.
	Namespace string `json:"namespace,omitempty"`
	// Expose says how a front door outside reaches pods: "node-port" (default) or
	// "pod" (pods' own addresses, where the network routes them, as on EKS).
	Expose string `json:"expose,omitempty" jsonschema:"enum=node-port,enum=pod"`
}

// MoveTraffic is what stands in front of both worlds. One of the three is set.
type MoveTraffic struct {
	HAProxy      *HAProxy      `json:"haproxy,omitempty"`
	TargetGroups *TargetGroups `json:"targetGroups,omitempty"`
	Gateway      *GatewayRoute `json:"gateway,omitempty"`
}

// HAProxy is a load balancer of yours whose weights are set at run time.
type HAProxy struct {
	// Socket is the stats socket of level admin: a path or host:port.
	Socket string `json:"socket"`
	// Config is the file that a reload reads: target servers and weights are kept
	// in it too.
	Config string `json:"config"`
	// Ring is the name of the ring buffer that the log goes to, from which
	// latencies are read; "tranship" by default.
	Ring string `json:"ring,omitempty"`
}

// TargetGroups are an AWS load balancer's listeners with weighted groups.
type TargetGroups struct {
	Region  string `json:"region,omitempty"`
	Profile string `json:"profile,omitempty"`
	// Endpoint replaces AWS' own, for tests.
	Endpoint string `json:"endpoint,omitempty"`
}

// GatewayRoute shifts by the weights of an HTTPRoute's backends in the target cluster.
type GatewayRoute struct {
	// Namespace of the routes.
	Namespace string `json:"namespace,omitempty"`
}

// MoveGates bound what may happen while traffic goes over.
type MoveGates struct {
	// MinRequests is the sample below which errors and latency are not judged,
	// 100 on each side by default.
	MinRequests *int `json:"minRequests,omitempty" jsonschema:"minimum=1"`
	// ErrorShare is what the target may fail beyond the source's own share,
	// 0.01 by default.
	ErrorShare *float64 `json:"errorShare,omitempty" jsonschema:"minimum=0,maximum=1"`
	// LatencyRatio bounds the target's 99th percentile by the source's, 1.5 by
	// default; LatencyFloor is a latency that is always good enough, 50 ms.
	LatencyRatio *float64      `json:"latencyRatio,omitempty" jsonschema:"minimum=1"`
	LatencyFloor *unit.Seconds `json:"latencyFloor,omitempty" jsonschema:"minimum=0"`
	// Restarts that a unit's copies may make while it is watched, 0 by default.
	Restarts int `json:"restarts,omitempty" jsonschema:"minimum=0"`
	// Lag is how far replication may be behind, in bytes, before a database is
	// cut over: 1 MiB by default.
	Lag *unit.Bytes `json:"lag,omitempty"`
	// Pause is the longest that writes may stand still at a cutover, 2 s by default.
	Pause *unit.Seconds `json:"pause,omitempty"`
	// PromQL are further questions: each must give a value that is not 0 to pass.
	PromQL []PromGate `json:"promql,omitempty"`
	// Prometheus is the URL that answers them.
	Prometheus string `json:"prometheus,omitempty"`
}

// PromGate is a question to Prometheus.
type PromGate struct {
	Name  string `json:"name"`
	Query string `json:"query"` // {{.Workload}} is filled in
}

// MoveWorkload says how one workload moves.
type MoveWorkload struct {
	// Routes are the front door's ways to it. By default one: the backend of the
	// workload's own name, to its first port.
	Routes []MoveRoute `json:"routes,omitempty"`
	// Mode overrides the plan's: "shifted", "exclusive", "stateful", "plain".
	Mode    string       `json:"mode,omitempty" jsonschema:"enum=shifted,enum=exclusive,enum=stateful,enum=plain"`
	Witness *MoveWitness `json:"witness,omitempty"`
	Checks  []MoveCheck  `json:"checks,omitempty"`
	// Identity is a response header by which an answer tells its world and
	// version.
	Identity *MoveIdentity `json:"identity,omitempty"`
}

// MoveRoute is one way through the front door.
type MoveRoute struct {
	// Backend is HAProxy's backend, the ARN of the listener or of its rule, or
	// the HTTPRoute's name.
	Backend string `json:"backend"`
	Port    int    `json:"port,omitempty" jsonschema:"minimum=1,maximum=65535"`
	// SourceGroup and TargetGroup are ARNs, for AWS.
	SourceGroup string `json:"sourceGroup,omitempty"`
	TargetGroup string `json:"targetGroup,omitempty"`
}

// MoveWitness writes marked records through the front door and reads them back.
type MoveWitness struct {
	Write WitnessRequest `json:"write"`
	Read  WitnessRequest `json:"read"`
	// Rate of marks a second, 5 by default; Devices the number of names that they
	// are written under, 4 by default.
	Rate    float64 `json:"rate,omitempty" jsonschema:"minimum=0"`
	Devices int     `json:"devices,omitempty" jsonschema:"minimum=1"`
	// Settle is how long a record may take to be readable, 5 s by default.
	Settle *unit.Seconds `json:"settle,omitempty"`
}

// WitnessRequest is a request with {{.Device}}, {{.Sequence}}, {{.Before}} (the
// sequence before it) and {{.At}} (RFC 3339) filled in.
type WitnessRequest struct {
	Method string            `json:"method,omitempty"`
	URL    string            `json:"url"`
	Header map[string]string `json:"header,omitempty"`
	Body   string            `json:"body,omitempty"`
	// Acknowledged are the statuses that promise that the record is kept (of a
	// write), or that the answer counts (of a read): 200 to 299 by default.
	Acknowledged []int `json:"acknowledged,omitempty"`
	// Count is, of a read, a regular expression that matches once for each copy
	// of the record in the body.
	Count string `json:"count,omitempty"`
}

// MoveCheck is a question with a yes or no, asked of the target.
type MoveCheck struct {
	Name string `json:"name"`
	// One of the three. HTTP is a URL, in which {{.Address}} is a target's host:port.
	HTTP string   `json:"http,omitempty"`
	TCP  string   `json:"tcp,omitempty"`
	Exec []string `json:"exec,omitempty"`
	// Status and Body are what HTTP has to answer: 200, and a regular expression.
	Status int    `json:"status,omitempty"`
	Body   string `json:"body,omitempty"`
}

// MoveIdentity is how answers tell where they come from.
type MoveIdentity struct {
	// Path to ask, Header that tells the world, Source and Target its values.
	Path   string `json:"path,omitempty"`
	Header string `json:"header"`
	Source string `json:"source"`
	Target string `json:"target"`
	// VersionHeader, if set, has to be the same as at Compare, a host:port of the source.
	VersionHeader string `json:"versionHeader,omitempty"`
	Compare       string `json:"compare,omitempty"`
}

// MoveDatabase is a PostgreSQL database that moves by logical replication.
type MoveDatabase struct {
	Name string `json:"name"`
	// Workload is the database's own, if it is one of the estate's.
	Workload string `json:"workload,omitempty"`
	// Wave in which it moves, the last by default.
	Wave int `json:"wave,omitempty" jsonschema:"minimum=0"`
	// SourceEnv and TargetEnv are environment variables that hold connection
	// strings of roles that may replicate; SourceFromTarget and TargetFromSource
	// those by which the servers reach each other, the same by default.
	SourceEnv           string `json:"sourceEnv"`
	TargetEnv           string `json:"targetEnv"`
	SourceFromTargetEnv string `json:"sourceFromTargetEnv,omitempty"`
	TargetFromSourceEnv string `json:"targetFromSourceEnv,omitempty"`
	// Roles are the applications' roles, which are kept from writing to the side
	// that is not theirs any more.
	Roles []string `json:"roles"`
	// Schemas to move, "public" by default.
	Schemas []string `json:"schemas,omitempty"`
	// Backend is the front door's way to it.
	Backend string `json:"backend"`
	// TargetAddress is the target's host:port as the front door reaches it.
	TargetAddress string `json:"targetAddress"`
}

// MoveVolumes says how the files of persistent volumes are reached.
type MoveVolumes struct {
	// Source is a command that writes a tar stream of an instance's volume to
	// stdout, Target one that empties the volume and reads the stream from stdin;
	// {{.Workload}}, {{.Instance}}, {{.Volume}} and {{.Path}} are filled in,
	// {{quote .Path}} as one word of a shell. TargetRead writes a tar stream of the
	// target's volume, SourceWrite reads it, for rollback. SourceSum and TargetSum
	// print a line "SHA256  SIZE  MODE  PATH" per file; without them the volume is
	// read once more to verify the copy, which compares owners, links and folders too.
	Source      []string `json:"source,omitempty"`
	SourceSum   []string `json:"sourceSum,omitempty"`
	SourceWrite []string `json:"sourceWrite,omitempty"`
	Target      []string `json:"target,omitempty"`
	TargetSum   []string `json:"targetSum,omitempty"`
	TargetRead  []string `json:"targetRead,omitempty"`
}

// MoveOf gives what is said of moving one workload.
func (p *Policy) MoveOf(id string) MoveWorkload { return p.Spec.Move.Workloads[id] }
