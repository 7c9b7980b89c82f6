//go:build integration

package kube_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/rollout"
	"github.com/tranship/tranship/internal/rollout/runner"
	"github.com/tranship/tranship/internal/world/kube"
)

const cart estate.Name = "/shop/cart"

// stand is one workload on the lab's cluster.
type stand struct {
	lab
	*testing.T
	namespace string
	c         *kube.Cluster
}

func newStand(t *testing.T) stand {
	t.Helper()
	l := open(t)
	s := stand{l, t, l.space(t), kube.NewCluster(l.admin, time.Now, kube.ClusterOptions{})}
	t.Cleanup(func() { l.clear(t, cart) })
	return s
}

func (s stand) apply(copies int, objects ...[]byte) {
	s.Helper()
	if err := s.c.Apply(s.Context(), cart, objects, copies); err != nil {
		s.Fatal(err)
	}
}

func (s stand) until(what string, ok func(rollout.Copies) bool) rollout.Copies {
	s.Helper()
	var got rollout.Copies
	var err error
	if !await(func() bool { got, err = s.c.Observe(s.Context(), cart); return err == nil && ok(got) }) {
		s.Fatalf("Observe = %+v, %v; want %s", got, err, what)
	}
	return got
}

func (s stand) refused(err error, words ...string) {
	s.Helper()
	if !errors.Is(err, runner.ErrRefused) {
		s.Fatalf("error = %v, want a refusal", err)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			s.Errorf("refusal %q does not say %q", err, w)
		}
	}
}

func (s stand) exists() {
	s.Helper()
	_, err := s.admin.Typed.CoreV1().Namespaces().Create(s.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.namespace}}, metav1.CreateOptions{})
	if err != nil {
		s.Fatal(err)
	}
}

func TestAFieldThatAKindDoesNotHaveIsRefused(t *testing.T) {
	s := newStand(t)
	objects := deployment(s.namespace, "cart", s.image, 1)
	objects[1] = []byte(strings.Replace(string(objects[1]), `"replicas"`, `"replicaz"`, 1))
	s.refused(s.c.Apply(t.Context(), cart, objects, -1), "replicaz")
}

func TestWhatTheServerFindsInvalidIsRefusedInItsWords(t *testing.T) {
	s := newStand(t)
	objects := deployment(s.namespace, "cart", s.image, 1, func(d *appsv1.Deployment) { d.Spec.Template.Labels = map[string]string{"other": "label"} })
	s.refused(s.c.Apply(t.Context(), cart, objects, -1), "selector")
}

func TestAKindThatIsNotInstalledIsRefusedAndRoutesAreLeftOut(t *testing.T) {
	s := newStand(t)
	other := []byte("apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: {name: x, namespace: " + s.namespace + "}\n")
	s.refused(s.c.Apply(t.Context(), cart, [][]byte{other}, -1), "ExternalSecret", "CRD")
	if _, err := s.admin.Dynamic.Resource(routeResource).List(t.Context(), metav1.ListOptions{}); err == nil {
		return // this cluster has Gateway API
	}
	route := []byte("apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: x, namespace: " + s.namespace + "}\n")
	s.apply(-1, append(deployment(s.namespace, "cart", s.image, 0), route)...)
	if got := s.c.Skipped(cart); len(got) != 1 || !strings.Contains(got[0], "HTTPRoute") {
		t.Errorf("Skipped = %v, want the HTTPRoute", got)
	}
	gateway := kube.NewCluster(s.admin, time.Now, kube.ClusterOptions{Gateway: true})
	s.refused(gateway.Apply(t.Context(), cart, [][]byte{route}, -1), "HTTPRoute")
}

func TestASecretsValuesAreNeverOverwritten(t *testing.T) {
	s := newStand(t)
	s.exists()
	secrets := s.admin.Typed.CoreV1().Secrets(s.namespace)
	_, err := secrets.Create(t.Context(), &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "login"}, StringData: map[string]string{"password": "canary"},
	}, metav1.CreateOptions{FieldManager: "a-person"})
	if err != nil {
		t.Fatal(err)
	}
	for _, data := range []string{"", "data: {password: ''}\n", "stringData: {password: ''}\n"} {
		stub := []byte("apiVersion: v1\nkind: Secret\nmetadata: {name: login, namespace: " + s.namespace + "}\ntype: Opaque\n" + data)
		s.apply(-1, append(deployment(s.namespace, "cart", s.image, 0), stub)...)
		got, err := secrets.Get(t.Context(), "login", metav1.GetOptions{})
		if err != nil || string(got.Data["password"]) != "canary" {
			t.Errorf("after a stub with %q the password is %q, %v", data, got.Data["password"], err)
		}
	}
}

func TestQuotaAndPolicyDoomACopy(t *testing.T) {
	s := newStand(t)
	s.exists()
	_, err := s.admin.Typed.CoreV1().ResourceQuotas(s.namespace).Create(t.Context(), &corev1.ResourceQuota{
		ObjectMeta: metav1.ObjectMeta{Name: "none"}, Spec: corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{"pods": resource.MustParse("0")}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	s.apply(-1, deployment(s.namespace, "cart", s.image, 1)...)
	s.until("a refusal by quota", func(c rollout.Copies) bool { return c.Doomed && strings.Contains(c.Failing, "exceeded quota") })
}

func TestEachWayToFailIsToldByItsReason(t *testing.T) {
	for name, x := range map[string]struct {
		edit   func(*appsv1.Deployment)
		says   string
		doomed bool
	}{
		"no such image here": {func(d *appsv1.Deployment) {
			d.Spec.Template.Spec.Containers[0].Image, d.Spec.Template.Spec.Containers[0].ImagePullPolicy = "lab.local/nowhere:1", corev1.PullNever
		}, "ErrImageNeverPull", true},
		"no image's name":                 {func(d *appsv1.Deployment) { d.Spec.Template.Spec.Containers[0].Image = "UPPER:case:1" }, "InvalidImageName", true},
		"a registry that does not answer": {func(d *appsv1.Deployment) { d.Spec.Template.Spec.Containers[0].Image = "registry.invalid/x:1" }, "Image", false},
		"a process that ends":             {func(d *appsv1.Deployment) { d.Spec.Template.Spec.Containers[0].Command = []string{"/nowhere"} }, "", false},
		"no node is large enough": {func(d *appsv1.Deployment) {
			d.Spec.Template.Spec.Containers[0].Resources.Requests = corev1.ResourceList{"cpu": resource.MustParse("5000")}
		}, "Unschedulable", false},
		"a claim that nobody fills": {func(d *appsv1.Deployment) {
			d.Spec.Template.Spec.Volumes = []corev1.Volume{{Name: "data", VolumeSource: corev1.VolumeSource{
				PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data"},
			}}}
		}, "claim data is pending", false},
		"a secret that is missing": {func(d *appsv1.Deployment) {
			d.Spec.Template.Spec.Containers[0].EnvFrom = []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "gone"}}}}
		}, `secret "gone" not found`, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStand(t)
			claim := []byte("apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data, namespace: " + s.namespace + "}\nspec: {accessModes: [ReadWriteOnce], storageClassName: none, resources: {requests: {storage: 1Mi}}}\n")
			objects := deployment(s.namespace, "cart", s.image, 1, x.edit)
			s.apply(-1, objects[0], claim, objects[1])
			got := s.until(fmt.Sprintf("%q, doomed %t", x.says, x.doomed), func(c rollout.Copies) bool {
				return c.Failing != "" && strings.Contains(c.Failing, x.says) && c.Doomed == x.doomed
			})
			if got.Ready != 0 || got.Running != 1 {
				t.Errorf("Observe = %+v, want one copy that is not ready", got)
			}
		})
	}
}

func TestANewDefinitionIsNotReadyByTheCopiesOfTheOld(t *testing.T) {
	s := newStand(t)
	s.apply(-1, deployment(s.namespace, "cart", s.image, 2)...)
	s.until("2 ready", func(c rollout.Copies) bool { return c.Ready == 2 })
	s.apply(-1, deployment(s.namespace, "cart", s.image, 2, func(d *appsv1.Deployment) {
		d.Spec.Template.Spec.Containers[0].Image, d.Spec.Template.Spec.Containers[0].ImagePullPolicy = "lab.local/nowhere:1", corev1.PullNever
	})...)
	got, err := s.c.Observe(t.Context(), cart)
	if err != nil || got.Ready != 0 {
		t.Errorf("Observe right after = %+v, %v; want none ready", got, err)
	}
	s.until("doomed with none ready", func(c rollout.Copies) bool { return c.Doomed && c.Ready == 0 })
}

func TestRestartsAreCounted(t *testing.T) {
	s := newStand(t)
	s.apply(-1, deployment(s.namespace, "cart", s.image, 1, func(d *appsv1.Deployment) {
		d.Spec.Template.Spec.Containers[0].Command = []string{"/nowhere"}
	})...)
	s.until("restarts and a crash loop", func(c rollout.Copies) bool { return c.Restarts > 1 && strings.Contains(c.Failing, "CrashLoopBackOff") })
}

func autoscaler(namespace string) []byte {
	return document(&autoscalingv2.HorizontalPodAutoscaler{
		TypeMeta: metav1.TypeMeta{APIVersion: "autoscaling/v2", Kind: "HorizontalPodAutoscaler"}, ObjectMeta: metav1.ObjectMeta{Name: "cart", Namespace: namespace},
		Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
			ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "cart"}, MinReplicas: new(int32(2)), MaxReplicas: 4,
		},
	})
}

func TestAnAutoscalersNumberIsLeftAloneUntilNothingIsToRun(t *testing.T) {
	s := newStand(t)
	objects := append(deployment(s.namespace, "cart", s.image, 1, func(d *appsv1.Deployment) { d.Spec.Replicas = nil }), autoscaler(s.namespace))
	s.apply(-1, objects...)
	s.until("the autoscaler's least at once", func(c rollout.Copies) bool { return c.Wanted == 2 && c.Ready == 2 })
	// As the autoscaler does it: the subresource, under its own manager.
	scale := s.admin.Typed.AppsV1().Deployments(s.namespace)
	_, err := scale.Patch(t.Context(), "cart", types.MergePatchType, []byte(`{"spec":{"replicas":3}}`), metav1.PatchOptions{FieldManager: "kube-controller-manager"}, "scale")
	if err != nil {
		t.Fatal(err)
	}
	s.apply(-1, objects...)
	if got := s.until("3 copies", func(c rollout.Copies) bool { return c.Ready == 3 }); got.Wanted != 3 {
		t.Errorf("Apply set the autoscaler's 3 copies to %d", got.Wanted)
	}
	s.apply(0, objects...)
	s.until("nothing running", func(c rollout.Copies) bool { return c.Wanted == 0 && c.Running == 0 })
	s.apply(-1, objects...)
	s.until("the autoscaler's least again", func(c rollout.Copies) bool { return c.Wanted == 2 && c.Ready == 2 })
}

func TestStatefulSetsAndDaemonSetsAreCounted(t *testing.T) {
	s := newStand(t)
	labels := map[string]string{"app.kubernetes.io/name": "cart"}
	template := corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: labels},
		Spec:       corev1.PodSpec{TerminationGracePeriodSeconds: new(int64(1)), Containers: []corev1.Container{{Name: "main", Image: s.image}}},
	}
	namespace := deployment(s.namespace, "cart", s.image, 0)[0]
	s.apply(-1, namespace, document(&appsv1.StatefulSet{
		TypeMeta: metav1.TypeMeta{APIVersion: "apps/v1", Kind: "StatefulSet"}, ObjectMeta: metav1.ObjectMeta{Name: "cart", Namespace: s.namespace},
		Spec: appsv1.StatefulSetSpec{Replicas: new(int32(2)), Selector: &metav1.LabelSelector{MatchLabels: labels}, Template: template, ServiceName: "cart"},
	}))
	s.until("2 copies of the StatefulSet", func(c rollout.Copies) bool { return c.Ready == 2 && c.Wanted == 2 })
	nodes, err := s.admin.Typed.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	s.apply(-1, namespace, document(&appsv1.DaemonSet{
		TypeMeta: metav1.TypeMeta{APIVersion: "apps/v1", Kind: "DaemonSet"}, ObjectMeta: metav1.ObjectMeta{Name: "cart", Namespace: s.namespace},
		Spec: appsv1.DaemonSetSpec{Selector: &metav1.LabelSelector{MatchLabels: labels}, Template: template},
	}))
	n := len(nodes.Items)
	s.until("a copy on each node, and none of the StatefulSet", func(c rollout.Copies) bool { return c.Ready == n && c.Wanted == n && c.Running == n })
	s.apply(0, namespace)
	s.until("nothing", func(c rollout.Copies) bool { return c.Running == 0 && c.Wanted == 0 })
}

func TestDriftAtTheTargetIsNamed(t *testing.T) {
	s := newStand(t)
	config := []byte("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: " + s.namespace + "}\ndata: {a: b}\n")
	objects := append(deployment(s.namespace, "cart", s.image, 0), config)
	s.apply(-1, objects...)
	drift := func() []string {
		t.Helper()
		got, err := s.c.Drift(t.Context(), cart, objects, -1)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := drift(); len(got) != 0 {
		t.Fatalf("Drift right after Apply = %v", got)
	}
	s.set(t, s.namespace, "cart", "somebody", `{"spec":{"minReadySeconds":7,"template":{"spec":{"containers":[{"name":"main","image":"other:1"}]}}}}`)
	if err := s.admin.Typed.CoreV1().ConfigMaps(s.namespace).Delete(t.Context(), "settings", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"Deployment " + s.namespace + "/cart .spec.template.spec.containers[0].image",
		"ConfigMap " + s.namespace + "/settings is gone",
	}
	if got := drift(); !slices.Equal(got, want) {
		t.Errorf("Drift = %v, want %v: minReadySeconds is not ours", got, want)
	}
}

func TestAnotherManagersFieldsStay(t *testing.T) {
	s := newStand(t)
	s.apply(-1, deployment(s.namespace, "cart", s.image, 0)...)
	s.set(t, s.namespace, "cart", "somebody", `{"spec":{"minReadySeconds":7}}`)
	s.apply(-1, deployment(s.namespace, "cart", s.image, 0)...)
	d, err := s.admin.Typed.AppsV1().Deployments(s.namespace).Get(t.Context(), "cart", metav1.GetOptions{})
	if err != nil || d.Spec.MinReadySeconds != 7 {
		t.Errorf("minReadySeconds = %d, %v; want somebody's 7", d.Spec.MinReadySeconds, err)
	}
}

func TestABridgeLeadsToTheCopies(t *testing.T) {
	s := newStand(t)
	s.place(t, s.c, cart, deployment(s.namespace, "cart", s.image, 2), 2)
	e := kube.NewExposer(s.admin, false)
	addresses, err := e.Expose(t.Context(), cart, 8080)
	if err != nil {
		t.Fatal(err)
	}
	services, err := s.admin.Typed.CoreV1().Services(s.namespace).Get(t.Context(), "cart-bridge", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if services.Spec.ExternalTrafficPolicy != corev1.ServiceExternalTrafficPolicyCluster || services.Spec.Ports[0].TargetPort.IntVal != 8080 {
		t.Errorf("bridge = %+v", services.Spec)
	}
	nodes, err := s.admin.Typed.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
	if err != nil || len(addresses) != len(nodes.Items) {
		t.Errorf("%v for %d nodes, %v", addresses, len(nodes.Items), err)
	}
	for _, a := range addresses {
		if !strings.HasSuffix(a, fmt.Sprintf(":%d", services.Spec.Ports[0].NodePort)) {
			t.Errorf("%s is not at port %d", a, services.Spec.Ports[0].NodePort)
		}
	}
	// An Apply after it does not take the bridge away.
	s.apply(-1, deployment(s.namespace, "cart", s.image, 2)...)
	if _, err := s.admin.Typed.CoreV1().Services(s.namespace).Get(t.Context(), "cart-bridge", metav1.GetOptions{}); err != nil {
		t.Errorf("the bridge after another Apply: %v", err)
	}
	if err := e.Hide(t.Context(), cart); err != nil {
		t.Fatal(err)
	}
	if _, err := s.admin.Typed.CoreV1().Services(s.namespace).Get(t.Context(), "cart-bridge", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("the bridge after Hide: %v", err)
	}
}

func TestWhatIsMissingOfTheMoversRightsIsNamed(t *testing.T) {
	l := open(t)
	namespace := l.space(t)
	w := &wire{user: l.mover(t, namespace)}
	missing, err := kube.Missing(t.Context(), l.connect(t, w.around), namespace)
	if err != nil || len(missing) != 0 {
		t.Errorf("Missing for who has the printed role = %v, %v", missing, err)
	}
	nobody := roundTrip(nil)
	missing, err = kube.Missing(t.Context(), l.connect(t, func(next http.RoundTripper) http.RoundTripper {
		nobody = func(r *http.Request) (*http.Response, error) {
			r = r.Clone(r.Context())
			r.Header.Set("Impersonate-User", "nobody")
			r.Header.Set("Impersonate-Group", "system:authenticated")
			return next.RoundTrip(r)
		}
		return nobody
	}), namespace)
	if err != nil || !slices.Contains(missing, "patch deployments.apps") || !slices.Contains(missing, "update leases.coordination.k8s.io in namespace "+namespace) {
		t.Errorf("Missing for nobody = %v, %v", missing, err)
	}
}

func TestTheConnectionSaysWhichClusterItTouches(t *testing.T) {
	l := open(t)
	if got := l.admin.Where(); !strings.Contains(got, "https://") || !strings.Contains(got, "context ") {
		t.Errorf("Where() = %q, want context and server", got)
	}
	if _, err := kube.Connect(kube.Config{Kubeconfig: l.kubeconfig, Context: "nowhere"}); err == nil || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("Connect(context nowhere) = %v", err)
	}
}
