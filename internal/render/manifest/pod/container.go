package pod

import (
	"cmp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/render/manifest/cluster"
	"github.com/tranship/tranship/internal/render/manifest/naming"
)

// DefaultBase is the image for a program that ran on the machine's own files
// while tranship.yaml names none.
const DefaultBase = "docker.io/library/debian:12-slim"

func (b *builder) containers() {
	for i := range b.w.InitContainers {
		k := &b.w.InitContainers[i]
		b.fetch(k)
		b.spec.InitContainers = append(b.spec.InitContainers, b.container(k))
	}
	for i := range b.w.Containers {
		k := &b.w.Containers[i]
		b.fetch(k)
		out := b.container(k)
		b.probes(k, &out)
		b.spec.Containers = append(b.spec.Containers, out)
	}
	for _, s := range b.w.PullSecrets {
		ref := corev1.LocalObjectReference{Name: b.secretName(s.Name)}
		if !slices.Contains(b.spec.ImagePullSecrets, ref) {
			b.spec.ImagePullSecrets = append(b.spec.ImagePullSecrets, ref)
		}
	}
}

func (b *builder) container(k *estate.Container) corev1.Container {
	out := corev1.Container{
		Name:       b.names.Take(b.containerName(k), k.Name, naming.Label),
		Image:      b.image(k),
		WorkingDir: k.WorkingDir,
		TTY:        k.TTY, Stdin: k.Stdin,
		ImagePullPolicy: corev1.PullIfNotPresent,
	}
	if k.AlwaysPull {
		out.ImagePullPolicy = corev1.PullAlways
	}
	if k.Image == "" && out.WorkingDir == "" && k.Sandbox != "" {
		out.WorkingDir = k.Sandbox // where Mesos started what had no image
	}
	if k.Build != "" {
		b.out.Facts.add("build", out.Name, k.Build)
	}
	b.start(k, &out)
	b.env(k, &out)
	b.resources(k, &out)
	b.portsOf(k, &out)
	b.mounts(k, &out)
	b.protect(k, &out)
	return out
}

// containerName gives the container's name; a single one has the workload's.
func (b *builder) containerName(k *estate.Container) string {
	return naming.DNS(k.Name, naming.Label)
}

// start sets what is run.
func (b *builder) start(k *estate.Container, out *corev1.Container) {
	if k.Shell != "" {
		out.Command = []string{"/bin/sh", "-c", Escape(b.renaming.InAny(k.Name, "shell", k.Shell))}
	} else {
		out.Command = b.words(k, "command", k.Command)
	}
	out.Args = b.words(k, "args", k.Args)
}

func (b *builder) words(k *estate.Container, field string, list []string) []string {
	var out []string
	for i, text := range list {
		out = append(out, Escape(b.renaming.In(k.Name, field, itoa(i), text)))
	}
	return out
}

// image gives the container's image, from where policy has it.
func (b *builder) image(k *estate.Container) string {
	said := b.c.Policy.For(b.w.ID).Image
	image := strings.TrimSpace(k.Image)
	if said != "" && (image == "" || len(b.w.Containers) == 1) {
		return said
	}
	switch {
	case image != "":
	case k.Build != "":
		p := b.c.Place(b.w.ID)
		image = p.Namespace + "-" + p.Name + ":latest"
		b.c.Warn(b.w, cluster.NoImage, "is built from "+k.Build+": build it and push it as "+image,
			"or name an image in spec.workloads."+string(b.w.ID)+".image")
	case b.c.Policy.Spec.Images.Base != "":
		return b.c.Policy.Spec.Images.Base
	default:
		b.c.Warn(b.w, cluster.NoImage, "ran on the machine's own files: "+DefaultBase+" is put in",
			"build an image with what the program needs and name it in spec.workloads."+string(b.w.ID)+".image")
		return DefaultBase
	}
	return Rewrite(b.c.Policy.Spec.Images.Registries, image)
}

// Rewrite puts the registry of the target in the place of the source's; the
// longest prefix that fits counts. An image of no registry is of docker.io.
func Rewrite(registries map[string]string, image string) string {
	best, rest := "", ""
	for _, name := range []string{image, full(image)} {
		for from := range registries {
			tail, ok := strings.CutPrefix(name, strings.TrimSuffix(from, "/"))
			if ok && (tail == "" || strings.ContainsRune("/:@", rune(tail[0]))) && len(from) > len(best) {
				best, rest = from, tail
			}
		}
		if best != "" {
			return strings.TrimSuffix(registries[best], "/") + rest
		}
	}
	return image
}

func full(image string) string {
	host, _, found := strings.Cut(image, "/")
	switch {
	case !found:
		return "docker.io/library/" + image
	case !strings.ContainsAny(host, ".:") && host != "localhost":
		return "docker.io/" + image
	}
	return image
}

// secretName gives the Secret behind a name that the workload uses.
func (b *builder) secretName(name string) string {
	if o, ok := b.c.Owned(cluster.Secret, b.w.ID, name); ok {
		return o.Name
	}
	made := naming.DNS(name, naming.Label)
	b.c.Warn(b.w, cluster.UnknownSecret, "uses secret "+name+", which it does not declare",
		"create Secret "+made+" in namespace "+b.c.Place(b.w.ID).Namespace)
	return made
}

func (b *builder) configName(name string) string {
	if o, ok := b.c.Owned(cluster.Config, b.w.ID, name); ok {
		return o.Name
	}
	return naming.DNS(name, naming.Label)
}

// secretKey gives the key that a reference means.
func (b *builder) secretKey(r *estate.SecretRef) string {
	key := r.Key
	if key == "" {
		for _, s := range b.w.Secrets {
			if s.Name == r.Name && len(s.Keys) > 0 {
				key = s.Keys[0]
			}
		}
	}
	clean, _ := naming.Key(cmp.Or(key, "value"))
	return clean
}
