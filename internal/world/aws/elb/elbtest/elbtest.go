// Package elbtest is a double of AWS's Elastic Load Balancing: an HTTP server
// that speaks its query protocol for the calls that a move needs, and shares out
// requests by weight as a load balancer would. It takes listeners, rules, groups
// and faults, and keeps state. It never claims to be AWS: what it refuses and
// forgets is what AWS's documentation says of these calls, and no more.
package elbtest

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// A Fault is an error that is answered instead of doing what was asked.
type Fault struct {
	Status  int // of HTTP
	Code    string
	Message string
}

// The faults that AWS answers most.
var (
	Throttled = Fault{http.StatusBadRequest, "Throttling", "Rate exceeded"}
	Denied    = Fault{http.StatusForbidden, "AccessDenied", "User is not authorized to perform this operation"}
	Expired   = Fault{http.StatusForbidden, "ExpiredToken", "The security token included in the request is expired"}
	Broken    = Fault{http.StatusInternalServerError, "InternalFailure", "The request processing has failed"}
)

// Options of which the zero value works: everything takes effect at once.
type Options struct {
	// Checks is how many times a new target's health is asked for before it is no
	// longer initial.
	Checks int
	// Late is how many times a listener or rule is still given as it was after it
	// was changed.
	Late int
	// Draining is how many times the health of a target that was taken away is still given.
	Draining int
}

// Balancer is the double.
type Balancer struct {
	*httptest.Server
	mu      sync.Mutex
	o       Options
	forward map[string]*forward
	groups  map[string]*group
	next    map[string][]Fault // by call; "" is any
	calls   map[string]int
	dealt   int
}

// forward is the actions of a listener or rule.
type forward struct {
	actions []action
	before  []action
	late    int // answers that still give what was before
	fixed   bool
}

type action struct {
	kind      string
	groups    []weight
	stickyFor string
	client    string // of OpenID Connect
}

type weight struct {
	group string
	n     int
}

type group struct {
	kind    string // "ip" or "instance"
	targets []*registered
	down    bool
	used    bool
}

type registered struct {
	id, port string
	asked    int
	leaving  bool
}

// New starts a load balancer without anything behind it.
func New(o Options) *Balancer {
	b := &Balancer{o: o, forward: map[string]*forward{}, groups: map[string]*group{}, next: map[string][]Fault{}, calls: map[string]int{}}
	b.Server = httptest.NewServer(http.HandlerFunc(b.serve))
	return b
}

// Group adds a target group of that type with targets, as "10.0.0.1:80".
func (b *Balancer) Group(arn, kind string, targets ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	g := &group{kind: kind}
	for _, t := range targets {
		id, port, _ := strings.Cut(t, ":")
		g.targets = append(g.targets, &registered{id: id, port: port, asked: b.o.Checks})
	}
	b.groups[arn] = g
}

// Forward adds a listener or rule that signs clients in (if a client of OpenID
// Connect is named) and forwards to groups, as "ARN" with its weight.
func (b *Balancer) Forward(arn, client string, groups map[string]int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f := &forward{}
	if client != "" {
		f.actions = append(f.actions, action{kind: "authenticate-oidc", client: client})
	}
	a := action{kind: "forward", stickyFor: "3600"}
	for g, n := range groups {
		a.groups = append(a.groups, weight{g, n})
		b.groups[g].used = true
	}
	slices.SortFunc(a.groups, func(x, y weight) int { return strings.Compare(x.group, y.group) })
	f.actions = append(f.actions, a)
	b.forward[arn] = f
}

// Fix makes a rule one that cannot be changed, as a listener's default rule.
func (b *Balancer) Fix(arn string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.forward[arn].fixed = true
}

// FailNext has the next n calls of that name (any, if empty) answer a fault.
func (b *Balancer) FailNext(call string, n int, f Fault) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for range n {
		b.next[call] = append(b.next[call], f)
	}
}

// SetDown has the health checks of a group fail, or not.
func (b *Balancer) SetDown(group string, yes bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.groups[group].down = yes
}

// Calls tells how often a call was made.
func (b *Balancer) Calls(call string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.calls[call]
}

// Weights gives the weights of a listener's or rule's groups, by ARN, and how
// long clients stick to theirs.
func (b *Balancer) Weights(arn string) (map[string]int, string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	out, sticky := map[string]int{}, ""
	for _, a := range b.forward[arn].actions {
		for _, w := range a.groups {
			out[w.group] = w.n
		}
		sticky += a.stickyFor
	}
	return out, sticky
}

// Client gives the OpenID Connect client of a listener or rule, empty if it has
// lost its secret.
func (b *Balancer) Client(arn string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, a := range b.forward[arn].actions {
		if a.client != "" {
			return a.client
		}
	}
	return ""
}

// Targets gives how many targets of a group are not on their way out.
func (b *Balancer) Targets(arn string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := 0
	for _, t := range b.groups[arn].targets {
		if !t.leaving {
			n++
		}
	}
	return n
}

// Send shares n requests out by weight and tells how many each group answered.
// A group whose targets are all unhealthy is sent to all the same (AWS fails
// open), and a group without any answers 503: both are failed.
func (b *Balancer) Send(arn string, n int) (answered map[string]int, failed int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	answered = map[string]int{}
	f := b.forward[arn]
	groups := f.actions[len(f.actions)-1].groups
	total := 0
	for _, w := range groups {
		total += w.n
	}
	for range n {
		if total == 0 {
			failed++
			continue
		}
		// A stride that has no factor in common with the total spreads requests evenly.
		at := b.dealt * 613 % total
		b.dealt++
		for _, w := range groups {
			if at -= w.n; at < 0 {
				answered[w.group]++
				if g := b.groups[w.group]; g.down || !slices.ContainsFunc(g.targets, func(t *registered) bool { return !t.leaving }) {
					failed++
				}
				break
			}
		}
	}
	return answered, failed
}

func (b *Balancer) serve(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		fail(w, Fault{http.StatusBadRequest, "MalformedQueryString", err.Error()})
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	call := r.PostForm.Get("Action")
	b.calls[call]++
	for _, key := range []string{call, ""} {
		if faults := b.next[key]; len(faults) > 0 {
			b.next[key] = faults[1:]
			fail(w, faults[0])
			return
		}
	}
	answers := map[string]func(url.Values) (string, *Fault){
		"DescribeListeners": b.describeListeners, "DescribeRules": b.describeRules, "DescribeTargetGroups": b.describeGroups,
		"DescribeTargetHealth": b.describeHealth, "ModifyListener": b.modify("ListenerArn", "DefaultActions", "ListenerNotFound"),
		"ModifyRule": b.modify("RuleArn", "Actions", "RuleNotFound"), "RegisterTargets": b.register, "DeregisterTargets": b.deregister,
	}
	answer := answers[call]
	if answer == nil {
		fail(w, Fault{http.StatusBadRequest, "InvalidAction", "the double does not speak " + call})
		return
	}
	result, fault := answer(r.PostForm)
	if fault != nil {
		fail(w, *fault)
		return
	}
	succeed(w, call, result)
}
