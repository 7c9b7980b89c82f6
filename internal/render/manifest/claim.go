package manifest

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/render/manifest/cluster"
	"github.com/tranship/tranship/internal/render/manifest/naming"
	"github.com/tranship/tranship/internal/render/manifest/pod"
)

// defaultClass is the storage class while tranship.yaml names none.
const defaultClass = "gp3"

// defaultSize is that of a volume whose size nobody has said.
const defaultSize = unit.GiB

// claims writes the claims, and the volumes that exist already, that the
// workload is the first to use.
func (k *work) claims() {
	for i := range k.w.Volumes {
		v := &k.w.Volumes[i]
		o, ok := k.c.Owned(cluster.Claim, k.w.ID, v.Name)
		if !ok || o.Owner != k.w.ID {
			continue
		}
		c := &corev1.PersistentVolumeClaim{
			TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "PersistentVolumeClaim"},
			ObjectMeta: k.meta(o.Name), Spec: k.claim(v),
		}
		c.Annotations = volumeFacts(v)
		if source, ok := k.static(v); ok {
			name := k.place.Namespace + "-" + o.Name
			c.Spec.VolumeName, c.Spec.StorageClassName = naming.Cut(name, name, 253), new("")
			k.volume(v, c, source)
		}
		file := k.put("PersistentVolumeClaim", "persistentvolumeclaim-"+o.Name, c)
		k.files.thing("volumes", v.Name, file)
		k.files.volume = cmp.Or(k.files.volume, file)
	}
}

// volume writes a volume that exists already, bound to its claim. It is kept
// when the claim goes.
func (k *work) volume(v *estate.Volume, c *corev1.PersistentVolumeClaim, source corev1.PersistentVolumeSource) {
	meta := k.meta(c.Spec.VolumeName)
	meta.Namespace = ""
	meta.Annotations = c.Annotations
	k.put("PersistentVolume", "persistentvolume-"+c.Name, &corev1.PersistentVolume{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "PersistentVolume"}, ObjectMeta: meta,
		Spec: corev1.PersistentVolumeSpec{
			Capacity: c.Spec.Resources.Requests, PersistentVolumeSource: source, AccessModes: c.Spec.AccessModes,
			ClaimRef: &corev1.ObjectReference{
				APIVersion: "v1", Kind: "PersistentVolumeClaim", Namespace: k.place.Namespace, Name: c.Name,
			},
			PersistentVolumeReclaimPolicy: corev1.PersistentVolumeReclaimRetain,
			MountOptions:                  v.MountFlags, VolumeMode: c.Spec.VolumeMode,
		},
	})
}

// claim gives what is asked for.
func (k *work) claim(v *estate.Volume) corev1.PersistentVolumeClaimSpec {
	s := corev1.PersistentVolumeClaimSpec{
		AccessModes: []corev1.PersistentVolumeAccessMode{accessMode(v)},
		Resources:   corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: pod.Bytes(cmp.Or(v.Size, defaultSize))}},
	}
	if v.Block {
		s.VolumeMode = new(corev1.PersistentVolumeBlock)
	}
	policy := &k.c.Policy.Spec.Storage
	class := ""
	for _, key := range []string{v.Profile, v.Medium, v.Driver, v.Name} {
		if class == "" && key != "" {
			class = policy.Classes[key]
		}
	}
	if class == "" && s.AccessModes[0] == corev1.ReadWriteMany {
		class = policy.Shared
	}
	class = cmp.Or(class, policy.Class, defaultClass)
	s.StorageClassName = &class
	return s
}

func accessMode(v *estate.Volume) corev1.PersistentVolumeAccessMode {
	switch v.Access {
	case estate.OneWriter:
		return corev1.ReadWriteOnce
	case estate.OneReader, estate.ManyReaders:
		return corev1.ReadOnlyMany
	case estate.ManyWriters:
		return corev1.ReadWriteMany
	}
	if v.Shared || v.Kind == estate.NFSVolume {
		return corev1.ReadWriteMany
	}
	return corev1.ReadWriteOnce
}

// static gives the source of a volume that exists already.
func (k *work) static(v *estate.Volume) (corev1.PersistentVolumeSource, bool) {
	var out corev1.PersistentVolumeSource
	switch v.Kind {
	case estate.NFSVolume:
		if v.Server == "" || !strings.HasPrefix(v.Export, "/") {
			return out, false
		}
		out.NFS = &corev1.NFSVolumeSource{Server: v.Server, Path: v.Export, ReadOnly: v.Access == estate.ManyReaders}
		return out, true
	case estate.ExternalVolume:
	default:
		return out, false
	}
	policy := &k.c.Policy.Spec.Storage
	handle := cmp.Or(policy.Handles[v.Handle], policy.Handles[v.Name])
	driver, known := csiDriver(v)
	if handle == "" {
		handle = cmp.Or(v.Handle, v.Name)
		if !known {
			k.c.Warn(k.w, cluster.StaticVolume, "uses volume "+handle+" of "+cmp.Or(v.Driver, "a driver that nobody names")+": its handle in the target is not known",
				"put it into spec.storage.handles in tranship.yaml")
		}
	}
	out.CSI = &corev1.CSIPersistentVolumeSource{
		Driver: driver, VolumeHandle: handle, FSType: v.FSType,
		NodeStageSecretRef: k.driverSecret(v.StageSecret), NodePublishSecretRef: k.driverSecret(v.PublishSecret),
	}
	if known {
		out.CSI.VolumeAttributes = v.Attributes
	}
	if v.Access == estate.ManyReaders || v.Access == estate.OneReader {
		out.CSI.ReadOnly = true
	}
	return out, true
}

// csiDriver gives the driver that reaches the volume, and whether the volume
// is a CSI volume already, whose handle stays.
func csiDriver(v *estate.Volume) (string, bool) {
	name := strings.ToLower(v.Driver)
	switch {
	case slices.Contains([]string{"rexray", "rexray/ebs", "ebs", "dvdi", "", "rexray/ebs:latest", "cloudstor:aws"}, name):
		return "ebs.csi.aws.com", false
	case strings.Contains(name, "efs"):
		return "efs.csi.aws.com", false
	case strings.Contains(name, ".") && naming.IsSubdomain(name) && len(name) <= naming.Label:
		return name, true
	}
	d := naming.DNS(name, naming.Label)
	return d, d == v.Driver && !v.Shared && strings.Contains(name, "csi")
}

func (k *work) driverSecret(r *estate.SecretRef) *corev1.SecretReference {
	if r == nil {
		return nil
	}
	name := naming.DNS(r.Name, naming.Label)
	if o, ok := k.c.Owned(cluster.Secret, k.w.ID, r.Name); ok {
		name = o.Name
	}
	return &corev1.SecretReference{Name: name, Namespace: k.place.Namespace}
}

// volumeFacts keeps what a claim does not say.
func volumeFacts(v *estate.Volume) map[string]string {
	x := *v
	x.Items, x.Secret, x.StageSecret, x.PublishSecret, x.Mode = nil, nil, nil, nil, nil
	b, err := json.Marshal(x)
	if err != nil {
		return nil
	}
	return map[string]string{cluster.Prefix + "volume": string(b)}
}
