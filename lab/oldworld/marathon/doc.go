// Package marathon is a double of Marathon: apps and groups, deployments, a launch queue with back-off, health and
// readiness checks, kill policies. It takes the offers of package mesos, so what it deploys really runs.
//
// Input: definitions and orders, status updates, faults. Output: running instances, events, routes for a load balancer. It
// never starts a second instance in the place of one that may still run.
//
// One lock guards all state, and one loop acts on it: a pass looks at every deployment and at every instance that waits,
// and does what can be done. Whatever an order changed is on disk before its answer goes out.
//
// # What is left out
//
// Pods, plugins, authentication but for one token, multirole and quotas, external volumes, secrets' values, fetch, resource
// limits, check (as opposed to healthChecks), unreachableStrategy (an agent here is there or gone), events by callback.
// Networks of containers are the host's: a task has to listen on $PORT0 also in bridge mode.
package marathon
