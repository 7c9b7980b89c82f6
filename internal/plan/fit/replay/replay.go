// Package replay does what the default profile of kube-scheduler does: it
// places pods on nodes, one by one, by the published filters and scores. It
// takes nodes and pods in bare numbers and gives where each pod went. It never
// moves a pod that runs.
package replay
