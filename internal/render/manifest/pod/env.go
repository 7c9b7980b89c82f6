package pod

import (
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/render/manifest/cluster"
)

var fields = map[estate.Fact]string{
	estate.Address: "status.podIP", estate.CopyName: "metadata.name",
	estate.HostAddress: "status.hostIP", estate.HostName: "spec.nodeName",
}

// env sets the variables. Of two with one name the later counts, as it did.
func (b *builder) env(k *estate.Container, out *corev1.Container) {
	for _, name := range k.EnvConfigs {
		out.EnvFrom = append(out.EnvFrom, corev1.EnvFromSource{ConfigMapRef: &corev1.ConfigMapEnvSource{
			LocalObjectReference: corev1.LocalObjectReference{Name: b.configName(name)},
		}})
	}
	for _, v := range k.Env {
		b.variable(k, v, out)
	}
}

func (b *builder) variable(k *estate.Container, v estate.EnvVar, out *corev1.Container) {
	x := corev1.EnvVar{Name: b.variableName(v.Name)}
	switch {
	case v.Secret != nil:
		x.ValueFrom = &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
			LocalObjectReference: corev1.LocalObjectReference{Name: b.secretName(v.Secret.Name)}, Key: b.secretKey(v.Secret),
		}}
	case fields[v.Fact] != "":
		x.ValueFrom = &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: fields[v.Fact]}}
	default:
		x.Value = Escape(b.renaming.In(k.Name, "env", v.Name, v.Value))
	}
	if i := slices.IndexFunc(out.Env, func(e corev1.EnvVar) bool { return e.Name == x.Name }); i >= 0 {
		out.Env = slices.Delete(out.Env, i, i+1)
	}
	out.Env = append(out.Env, x)
}

var (
	strictName  = regexp.MustCompile(`^[-._a-zA-Z][-._a-zA-Z0-9]*$`)
	relaxedName = regexp.MustCompile(`^[ -<>-~]+$`)
	notStrict   = regexp.MustCompile(`[^-._a-zA-Z0-9]`)
)

// variableName gives a name that the target's version takes.
func (b *builder) variableName(name string) string {
	if strictName.MatchString(name) && name != "." && !strings.HasPrefix(name, "..") {
		return name
	}
	if b.c.Version.RelaxedEnv() && relaxedName.MatchString(name) {
		return name
	}
	clean := "_" + strings.TrimLeft(notStrict.ReplaceAllString(name, "_"), ".")
	b.c.Warn(b.w, cluster.UnfitVariable, "sets variable "+name+", a name that the target does not take: it is "+clean+" now",
		"have the program read the new name")
	return clean
}
