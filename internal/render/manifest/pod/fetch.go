package pod

import (
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/render/manifest/cluster"
	"github.com/tranship/tranship/internal/render/manifest/naming"
)

// DefaultFetch is the image that downloads artifacts: it has curl, tar with
// gzip, bzip2 and xz, and unzip.
const DefaultFetch = "docker.io/curlimages/curl:8.11.1"

// schemes are those that curl downloads.
var schemes = []string{"http", "https", "ftp", "ftps"}

// extractors are the commands that unpack an archive into the folder behind
// it, by the end of its name. Mesos left the archive beside its content.
var extractors = []struct{ end, command string }{
	{".zip", "unzip -o -q %s -d %s"},
	{".jar", "unzip -o -q %s -d %s"},
	{".tar.gz", "tar -xzf %s -C %s"},
	{".tgz", "tar -xzf %s -C %s"},
	{".tar.bz2", "tar -xjf %s -C %s"},
	{".tbz2", "tar -xjf %s -C %s"},
	{".tar.xz", "tar -xJf %s -C %s"},
	{".txz", "tar -xJf %s -C %s"},
	{".tar", "tar -xf %s -C %s"},
	{".gz", "gunzip -kf %s # %s"},
}

// An artifactFact is what of an artifact the script does not show.
type artifactFact struct {
	estate.Artifact
	NotFetched bool `json:"notFetched,omitempty"`
}

// fetch makes the init container that downloads what a container wants to find
// in its sandbox.
func (b *builder) fetch(k *estate.Container) {
	if len(k.Artifacts) == 0 {
		return
	}
	folder := path.Clean(k.Sandbox)
	if k.Sandbox == "" {
		folder = "/mnt/mesos/sandbox"
	}
	out := corev1.Container{
		Name: b.names.Take(b.fetchName(k), "fetch "+k.Name, naming.Label), Image: b.fetchImage(),
		ImagePullPolicy: corev1.PullIfNotPresent, WorkingDir: folder,
		VolumeMounts: []corev1.VolumeMount{{Name: b.sandbox(k), MountPath: folder}},
		// A namespace with a quota takes no container that asks for nothing.
		Resources: corev1.ResourceRequirements{
			Requests: corev1.ResourceList{corev1.ResourceCPU: CPU(10), corev1.ResourceMemory: Bytes(64 * unit.MiB)},
			Limits:   corev1.ResourceList{corev1.ResourceMemory: Bytes(64 * unit.MiB)},
		},
	}
	script := []string{"set -eu", "cd " + Quote(folder)}
	var facts []artifactFact
	for i := range k.Artifacts {
		a := &k.Artifacts[i]
		uri := b.renaming.In(k.Name, "artifact", itoa(i), a.URI)
		if scheme, _, _ := strings.Cut(uri, "://"); !slices.Contains(schemes, strings.ToLower(scheme)) && a.Secret == nil {
			b.c.Warn(b.w, cluster.NotDownloadable, "fetches "+uri+": the init container cannot, and leaves it out",
				"put the file into the image, or write an init container with the tool and rights for it")
			facts = append(facts, artifactFact{*a, true})
			continue
		}
		if a.Cache {
			facts = append(facts, artifactFact{Artifact: *a})
		}
		word := Quote(uri)
		if a.Secret != nil {
			name := "ARTIFACT_" + itoa(i)
			out.Env = append(out.Env, corev1.EnvVar{Name: name, ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
				LocalObjectReference: corev1.LocalObjectReference{Name: b.secretName(a.Secret.Name)}, Key: b.secretKey(a.Secret),
			}}})
			word = `"$` + name + `"`
		}
		script = append(script, steps(a, uri, word)...)
	}
	b.out.Facts.JSON("artifacts", facts)
	if len(script) == 2 {
		return
	}
	out.Command = []string{"/bin/sh", "-c", Escape(strings.Join(script, "\n") + "\n")}
	b.spec.InitContainers = append(b.spec.InitContainers, out)
}

func (b *builder) fetchName(k *estate.Container) string {
	if len(b.w.Containers)+len(b.w.InitContainers) == 1 {
		return "fetch"
	}
	return naming.Join(naming.Label, "fetch", k.Name)
}

func (b *builder) fetchImage() string {
	if said := b.c.Policy.Spec.Images.Fetch; said != "" {
		return said
	}
	return Rewrite(b.c.Policy.Spec.Images.Registries, DefaultFetch)
}

// steps gives the lines of the script for one artifact; word is its URI as the
// shell is to see it.
func steps(a *estate.Artifact, uri, word string) []string {
	file := inside(a.Path)
	if file == "" || strings.HasSuffix(a.Path, "/") {
		file = path.Join(file, base(uri))
	}
	// "./" keeps a name that begins with a dash from being an option.
	quoted, folder := Quote("./"+file), Quote("./"+path.Dir(file))
	var out []string
	if path.Dir(file) != "." {
		out = append(out, "mkdir -p "+folder)
	}
	out = append(out, "curl -fsSL --retry 5 -o "+quoted+" "+word)
	if a.Extract {
		name := strings.ToLower(base(uri))
		for _, x := range extractors {
			if strings.HasSuffix(name, x.end) {
				out = append(out, strings.Replace(strings.Replace(x.command, "%s", quoted, 1), "%s", folder, 1))
				break
			}
		}
	}
	if a.Executable {
		out = append(out, "chmod +x "+quoted)
	}
	return out
}

// base gives a URI's last segment.
func base(uri string) string {
	if i := strings.IndexAny(uri, "?#"); i >= 0 {
		uri = uri[:i]
	}
	name := uri[strings.LastIndexByte(uri, '/')+1:]
	if name == "" || name == "." || name == ".." {
		return "artifact-" + naming.Hash(uri)
	}
	return name
}
