package pod

import (
	"maps"
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/render/manifest/cluster"
	"github.com/tranship/tranship/internal/render/manifest/naming"
)

// keptOnNode is where copies of a daemon keep what each node has of its own.
const keptOnNode = "/var/lib/tranship/"

func (b *builder) allVolumes() {
	names := naming.Set{}
	for i := range b.w.Volumes {
		v := &b.w.Volumes[i]
		name := names.Take(naming.DNS(v.Name, naming.Label), v.Name, naming.Label)
		b.volumes[v.Name] = name
		if v.Kind == estate.PersistentVolume && !v.Shared && cluster.IsStateful(b.w) {
			b.out.Claims = append(b.out.Claims, v)
			continue
		}
		src, ok := b.source(v)
		if !ok {
			b.dropped[v.Name] = true
			continue
		}
		b.spec.Volumes = append(b.spec.Volumes, corev1.Volume{Name: name, VolumeSource: src})
	}
	b.names = naming.Set{}
}

// VolumeName gives the name that a volume has in a pod.
func VolumeName(w *estate.Workload, v *estate.Volume) string {
	names := naming.Set{}
	for i := range w.Volumes {
		name := names.Take(naming.DNS(w.Volumes[i].Name, naming.Label), w.Volumes[i].Name, naming.Label)
		if &w.Volumes[i] == v {
			return name
		}
	}
	return naming.DNS(v.Name, naming.Label)
}

func (b *builder) source(v *estate.Volume) (corev1.VolumeSource, bool) {
	var out corev1.VolumeSource
	switch v.Kind {
	case estate.HostVolume:
		return b.hostPath(v)
	case estate.SecretVolume:
		out.Secret = b.secretVolume(v)
	case estate.ConfigVolume:
		out.ConfigMap = &corev1.ConfigMapVolumeSource{
			LocalObjectReference: corev1.LocalObjectReference{Name: b.configName(v.Config)}, Items: items(v.Items), DefaultMode: mode(v),
		}
	case estate.PersistentVolume, estate.ExternalVolume, estate.NFSVolume:
		if o, ok := b.c.Owned(cluster.Claim, b.w.ID, v.Name); ok {
			out.PersistentVolumeClaim = &corev1.PersistentVolumeClaimVolumeSource{ClaimName: o.Name}
			return out, true
		}
		p := b.c.Place(b.w.ID)
		kind := corev1.HostPathDirectoryOrCreate
		out.HostPath = &corev1.HostPathVolumeSource{Path: keptOnNode + p.Namespace + "/" + p.Name + "/" + naming.DNS(v.Name, naming.Label), Type: &kind}
		b.out.Privileged = true
	default:
		out.EmptyDir = &corev1.EmptyDirVolumeSource{}
		if v.Medium == "memory" {
			out.EmptyDir.Medium = corev1.StorageMediumMemory
		}
		if v.Size > 0 {
			size := Bytes(v.Size)
			out.EmptyDir.SizeLimit = &size
		}
	}
	return out, true
}

func (b *builder) hostPath(v *estate.Volume) (corev1.VolumeSource, bool) {
	var out corev1.VolumeSource
	if b.c.Policy.Spec.Storage.HostPath == "none" {
		b.out.Facts.add("left-out", v.Name, v.HostPath)
		return out, false
	}
	clean := path.Clean("/" + v.HostPath)
	if clean != v.HostPath {
		b.out.Facts.add("host-paths", v.Name, v.HostPath)
	}
	out.HostPath = &corev1.HostPathVolumeSource{Path: clean}
	b.out.Privileged = true
	b.c.Note(b.w, cluster.HostPath, "keeps "+clean+" of its node: what lay there on the old machines does not come along",
		"put the files into the image or a ConfigMap, or set spec.storage.hostPath: none")
	return out, true
}

func (b *builder) secretVolume(v *estate.Volume) *corev1.SecretVolumeSource {
	out := &corev1.SecretVolumeSource{Items: items(v.Items), DefaultMode: mode(v)}
	if v.Secret == nil {
		out.SecretName = b.secretName(v.Name)
		return out
	}
	out.SecretName = b.secretName(v.Secret.Name)
	if len(out.Items) == 0 && v.Secret.Key != "" {
		for _, p := range b.subPaths(v.Name) {
			out.Items = append(out.Items, corev1.KeyToPath{Key: b.secretKey(v.Secret), Path: p})
		}
	}
	return out
}

// subPaths gives the files of a volume that mounts ask for.
func (b *builder) subPaths(volume string) []string {
	var out []string
	for i := range b.w.Containers {
		for _, m := range b.w.Containers[i].Mounts {
			if p := inside(m.SubPath); m.Volume == volume && p != "" && !slices.Contains(out, p) {
				out = append(out, p)
			}
		}
	}
	return out
}

// inside gives a path below a volume, empty if it leads out of it or nowhere.
func inside(p string) string {
	clean := strings.TrimPrefix(path.Clean("/"+p), "/")
	if slices.Contains(strings.Split(p, "/"), "..") {
		return ""
	}
	return clean
}

func items(m map[string]string) []corev1.KeyToPath {
	var out []corev1.KeyToPath
	for _, k := range slices.Sorted(maps.Keys(m)) {
		key, _ := naming.Key(k)
		if p := inside(m[k]); p != "" {
			out = append(out, corev1.KeyToPath{Key: key, Path: p})
		}
	}
	return out
}

func mode(v *estate.Volume) *int32 {
	if v.Mode == nil || *v.Mode < 0 || *v.Mode > 0o777 {
		return nil
	}
	m := int32(*v.Mode)
	return &m
}

func (b *builder) mounts(k *estate.Container, out *corev1.Container) {
	taken := map[string]bool{}
	for _, m := range k.Mounts {
		name, ok := b.volumes[m.Volume]
		at := path.Clean(m.Path)
		switch {
		case !ok || b.dropped[m.Volume]:
			continue
		case strings.Contains(at, ":"):
			b.c.Warn(b.w, cluster.UnfitValue, "mounts a volume at "+at+": Kubernetes takes no colon there", "mount it elsewhere")
			continue
		case taken[at]:
			b.c.Warn(b.w, cluster.RepeatedMount, "mounts two volumes at "+at+": the first counts", "delete one of them")
			continue
		}
		taken[at] = true
		if v := b.volume(m.Volume); v != nil && v.Block && b.claimed(v, name) {
			out.VolumeDevices = append(out.VolumeDevices, corev1.VolumeDevice{Name: name, DevicePath: at})
			continue
		}
		x := corev1.VolumeMount{Name: name, MountPath: at, ReadOnly: m.ReadOnly, SubPath: inside(m.SubPath)}
		switch {
		case m.Propagation == "to-container":
			x.MountPropagation = new(corev1.MountPropagationHostToContainer)
		case m.Propagation == "both" && k.Security.Privileged:
			x.MountPropagation = new(corev1.MountPropagationBidirectional)
		case m.Propagation == "both":
			x.MountPropagation = new(corev1.MountPropagationHostToContainer)
			b.c.Warn(b.w, cluster.UnfitValue, "mounts "+at+" so that its own mounts are seen outside: only privileged containers may", "see whether it needs that")
		}
		out.VolumeMounts = append(out.VolumeMounts, x)
	}
	if k.Sandbox != "" && !taken[path.Clean(k.Sandbox)] {
		out.VolumeMounts = append(out.VolumeMounts, corev1.VolumeMount{Name: b.sandbox(k), MountPath: path.Clean(k.Sandbox)})
	}
	// A volume below another must come after it.
	slices.SortStableFunc(out.VolumeMounts, func(x, y corev1.VolumeMount) int { return strings.Compare(x.MountPath, y.MountPath) })
}

// claimed reports whether a claim is behind a volume: nothing else can be a
// device.
func (b *builder) claimed(v *estate.Volume, name string) bool {
	return slices.Contains(b.out.Claims, v) || slices.ContainsFunc(b.spec.Volumes, func(x corev1.Volume) bool {
		return x.Name == name && x.PersistentVolumeClaim != nil
	})
}

func (b *builder) volume(name string) *estate.Volume {
	for i := range b.w.Volumes {
		if b.w.Volumes[i].Name == name {
			return &b.w.Volumes[i]
		}
	}
	return nil
}

// sandbox gives the volume of a container's working folder, making it once.
func (b *builder) sandbox(k *estate.Container) string {
	name := "sandbox"
	if len(b.w.Containers) > 1 {
		name = naming.Join(naming.Label, "sandbox", k.Name)
	}
	for _, v := range b.spec.Volumes {
		if v.Name == name && v.EmptyDir != nil {
			return name
		}
	}
	if slices.ContainsFunc(b.spec.Volumes, func(v corev1.Volume) bool { return v.Name == name }) {
		name = naming.Join(naming.Label, name, naming.Hash(k.Name))
	}
	b.spec.Volumes = append(b.spec.Volumes, corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}})
	return name
}
