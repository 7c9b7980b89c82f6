// Package runnertest has one suite for each edge of the runner: every promise
// in its comment is a test. It takes an edge, played or real, and the means to
// make its world go on and go wrong, and reports to the test. It never knows
// which of the two it has.
package runnertest

import (
	"fmt"
	"strings"

	"github.com/tranship/tranship/internal/rollout"
)

// fill writes the test's namespace, a name and its image into a document.
func (b *bench) fill(name, text string) string {
	return strings.NewReplacer("NAMESPACE", b.w.Namespace, "NAME", name, "IMAGE", b.w.Image).Replace(text)
}

func documents(objects []string) [][]byte {
	var out [][]byte
	for _, o := range objects {
		out = append(out, []byte(o))
	}
	return out
}

func (b *bench) namespace() string {
	return b.fill("", "apiVersion: v1\nkind: Namespace\nmetadata: {name: NAMESPACE}\n")
}

const podSpec = `
      terminationGracePeriodSeconds: 1
      containers:
        - name: main
          image: IMAGE
          ports: [{containerPort: 8080, name: http}]
`

// service gives a Deployment with its Service; copies below zero leave the
// number out.
func (b *bench) service(name string, copies int) []string {
	replicas := ""
	if copies >= 0 {
		replicas = fmt.Sprintf("\n  replicas: %d", copies)
	}
	return []string{
		b.namespace(),
		b.fill(name, `apiVersion: v1
kind: Service
metadata: {name: NAME, namespace: NAMESPACE, labels: {app.kubernetes.io/name: NAME}}
spec:
  selector: {app.kubernetes.io/name: NAME}
  ports: [{name: http, port: 8080, targetPort: 8080}]
`),
		b.fill(name, `apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME, namespace: NAMESPACE, labels: {app.kubernetes.io/name: NAME}}
spec:`+replicas+`
  selector: {matchLabels: {app.kubernetes.io/name: NAME}}
  template:
    metadata: {labels: {app.kubernetes.io/name: NAME}}
    spec:`+podSpec),
	}
}

func (b *bench) cron(name string, suspended bool) []string {
	return []string{b.namespace(), b.fill(name, fmt.Sprintf(`apiVersion: batch/v1
kind: CronJob
metadata: {name: NAME, namespace: NAMESPACE, labels: {app.kubernetes.io/name: NAME}}
spec:
  schedule: 0 0 30 2 *
  suspend: %t
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers: [{name: main, image: IMAGE}]
`, suspended))}
}

func (b *bench) job(name string) []string {
	return []string{b.namespace(), b.fill(name, `apiVersion: batch/v1
kind: Job
metadata: {name: NAME, namespace: NAMESPACE, labels: {app.kubernetes.io/name: NAME}}
spec:
  template:
    metadata: {labels: {app.kubernetes.io/name: NAME}}
    spec:
      restartPolicy: Never`+podSpec)}
}

func (b *bench) autoscaler(name string) string {
	return b.fill(name, `apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: NAME, namespace: NAMESPACE}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: NAME}
  minReplicas: 2
  maxReplicas: 5
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 60}}}]
`)
}

func (b *bench) config(name, data string) string {
	return b.fill(name, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: NAME, namespace: NAMESPACE}\ndata: {"+data+"}\n")
}

// secret is one without a value.
func (b *bench) secret(name string) string {
	return b.fill(name, "apiVersion: v1\nkind: Secret\nmetadata: {name: NAME, namespace: NAMESPACE}\n")
}

func filledStays(b *bench) {
	b.apply(cart, -1, append(b.service("cart", 1), b.secret("full"), b.secret("empty"))...)
	b.w.Fill(b.w.Namespace, "full")
	b.apply(cart, -1, append(b.service("cart", 1), b.secret("full"), b.secret("empty"))...)
	b.remove(cart)
	b.has(true, "Secret", b.w.Namespace, "full")
	b.has(false, "Secret", b.w.Namespace, "empty")
	b.until(cart, "absent", func(c rollout.Copies) bool { return c.Absent })
	b.apply(cart, -1, append(b.service("cart", 1), b.secret("full"))...)
}

// shared is an object that several workloads need.
func (b *bench) shared(name string) string {
	return b.fill(name, `apiVersion: v1
kind: ConfigMap
metadata: {name: NAME, namespace: NAMESPACE, labels: {tranship.dev/shared: "true"}}
data: {a: b}
`)
}

func (b *bench) claim(name string) string {
	return b.fill(name, `apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: NAME, namespace: NAMESPACE}
spec:
  accessModes: [ReadWriteOnce]
  storageClassName: none
  resources: {requests: {storage: 1Mi}}
`)
}
