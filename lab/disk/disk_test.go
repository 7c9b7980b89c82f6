package disk

import (
	"os"
	"path/filepath"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
)

func claim() *corev1.PersistentVolumeClaim {
	return &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "telemetry", Name: "data-0", UID: "1234",
			Annotations: map[string]string{provisioner: Driver, selectedNode: "node2"},
		},
		Spec: corev1.PersistentVolumeClaimSpec{StorageClassName: new("gp3"), AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}},
	}
}

// A claim is served once the scheduler has chosen a node, and not twice, nor another driver's.
func TestOnlyWaitingClaimsOfTheDriverAreServed(t *testing.T) {
	for name, x := range map[string]struct {
		change func(*corev1.PersistentVolumeClaim)
		want   bool
	}{
		"waits":          {func(*corev1.PersistentVolumeClaim) {}, true},
		"no node yet":    {func(c *corev1.PersistentVolumeClaim) { delete(c.Annotations, selectedNode) }, false},
		"another driver": {func(c *corev1.PersistentVolumeClaim) { c.Annotations[provisioner] = "efs.csi.aws.com" }, false},
		"has its volume": {func(c *corev1.PersistentVolumeClaim) { c.Spec.VolumeName = "pvc-1234" }, false},
	} {
		c := claim()
		x.change(c)
		if got := wanted(c); got != x.want {
			t.Errorf("%s: wanted = %v, want %v", name, got, x.want)
		}
	}
}

// A claim's directory stands on the chosen node, the volume is bound there, and both go with the claim.
func TestDirectoryComesAndGoesWithItsClaim(t *testing.T) {
	dir, ctx, client := t.TempDir(), t.Context(), fake.NewClientset()
	p := Places{Inside: "/var/lib/disks", Node: func(name string) string { return filepath.Join(dir, name) }}
	for range 2 { // the second time, as after a restart, changes nothing
		if err := p.provision(ctx, client, claim()); err != nil {
			t.Fatal(err)
		}
	}
	here := filepath.Join(dir, "node2", "pvc-1234")
	if info, err := os.Stat(here); err != nil || !info.IsDir() {
		t.Fatalf("directory: %v", err)
	}
	v, err := client.CoreV1().PersistentVolumes().Get(ctx, "pvc-1234", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	term := v.Spec.NodeAffinity.Required.NodeSelectorTerms[0].MatchExpressions[0]
	if v.Spec.Local.Path != "/var/lib/disks/pvc-1234" || term.Values[0] != "node2" || v.Spec.ClaimRef.UID != "1234" {
		t.Errorf("volume at %s on %v for claim %s", v.Spec.Local.Path, term.Values, v.Spec.ClaimRef.UID)
	}
	v.Status.Phase = corev1.VolumeReleased
	if !released(v) {
		t.Error("released = false for a volume whose claim is gone")
	}
	if err := p.remove(ctx, client, v); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(here); !os.IsNotExist(err) {
		t.Errorf("directory: %v, want it gone", err)
	}
	if _, err := client.CoreV1().PersistentVolumes().Get(ctx, "pvc-1234", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("volume: %v, want it gone", err)
	}
}

// A volume that says it stands elsewhere is not removed.
func TestForeignDirectoryIsNotRemoved(t *testing.T) {
	dir, client := t.TempDir(), fake.NewClientset()
	p := Places{Inside: "/var/lib/disks", Node: func(name string) string { return filepath.Join(dir, name) }}
	v := p.volume(claim())
	v.Spec.Local.Path = "/etc"
	if err := p.remove(t.Context(), client, v); err == nil {
		t.Error("remove = nil for a volume at /etc")
	}
}
