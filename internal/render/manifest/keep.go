package manifest

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/render/manifest/cluster"
	"github.com/tranship/tranship/internal/render/manifest/naming"
	"github.com/tranship/tranship/internal/render/manifest/pod"
)

// legalAnnotation reports whether a source label's key can be an annotation's
// without taking one that means something.
func legalAnnotation(key string) bool { return naming.IsLabelKey(key) && !pod.Reserved(key) }

// account writes the identity of the copies.
func (k *work) account() {
	k.files.account = k.put("ServiceAccount", "serviceaccount", &corev1.ServiceAccount{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ServiceAccount"}, ObjectMeta: k.meta(k.place.Name),
		AutomountServiceAccountToken: new(false),
	})
}

// configs writes the configuration that the workload is the first to use.
func (k *work) configs() {
	done := map[string]bool{}
	for _, x := range k.w.Configs {
		o, ok := k.c.Owned(cluster.Config, k.w.ID, x.Name)
		if !ok || o.External || o.Owner != k.w.ID || done[o.Name] {
			continue
		}
		done[o.Name] = true
		m := &corev1.ConfigMap{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"}, ObjectMeta: k.meta(o.Name)}
		notes := map[string]string{}
		if o.Name != x.Name {
			notes[cluster.Prefix+"name"] = x.Name
		}
		for _, key := range slices.Sorted(maps.Keys(x.Data)) {
			if m.Data == nil {
				m.Data = map[string]string{}
			}
			clean, _ := naming.Key(key)
			m.Data[clean] = x.Data[key]
		}
		if x.File != "" {
			notes[cluster.Prefix+"value-at"] = x.File
			if len(x.Data) == 0 {
				k.c.Warn(k.w, cluster.ConfigFromFile, "uses configuration "+x.Name+", whose text is in "+x.File+": ConfigMap "+o.Name+" is empty",
					"fill it with a configMapGenerator in an overlay")
			}
		}
		if len(notes) > 0 {
			m.Annotations = notes
		}
		file := k.put("ConfigMap", "configmap-"+o.Name, m)
		k.files.thing("configs", x.Name, file)
		k.files.config = cmp.Or(k.files.config, file)
	}
}

// secrets writes what stands for the secrets that the workload is the first to
// use: names of keys, and where their values are.
func (k *work) secrets() {
	done := map[string]bool{}
	for i := range k.w.Secrets {
		x := &k.w.Secrets[i]
		o, ok := k.c.Owned(cluster.Secret, k.w.ID, x.Name)
		if !ok || o.External || o.Owner != k.w.ID || done[o.Name] {
			continue
		}
		done[o.Name] = true
		file := ""
		switch {
		case k.c.Policy.Spec.Secrets.Store == "external":
			file = k.put("ExternalSecret", "externalsecret-"+o.Name, k.external(x, o.Name))
		case x.Pull:
			// A stub of this type would have to hold a credential, and would
			// take the place of a real one each time it is applied.
			k.c.Warn(k.w, cluster.UnknownSecret, "pulls its image with secret "+x.Name+", which is not rendered",
				"create Secret "+o.Name+" of type kubernetes.io/dockerconfigjson in namespace "+k.place.Namespace+", or let nodes read the registry")
			continue
		default:
			file = k.put("Secret", "secret-"+o.Name, k.stub(x, o.Name))
		}
		k.files.thing("secrets", x.Name, file)
		k.files.secret = cmp.Or(k.files.secret, file)
	}
}

// secretNotes says where the values of a secret are.
func secretNotes(x *estate.Secret) map[string]string {
	at := map[string]string{}
	for i, key := range x.Keys {
		clean, _ := naming.Key(key)
		at[clean] = ""
		if i < len(x.At) {
			at[clean] = x.At[i].File + "#" + x.At[i].Pointer
		}
	}
	notes := map[string]string{cluster.Prefix + "secret": x.Name}
	if b, err := json.Marshal(at); err == nil && len(at) > 0 {
		notes[cluster.Prefix+"value-at"] = string(b)
	}
	if x.Source != "" {
		notes[cluster.Prefix+"source"] = x.Source
	}
	if x.File != "" {
		notes[cluster.Prefix+"file"] = x.File
	}
	return notes
}

// stub gives a Secret without values: a copy does not start before somebody
// has put them in.
func (k *work) stub(x *estate.Secret, name string) *corev1.Secret {
	s := &corev1.Secret{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"}, ObjectMeta: k.meta(name), Type: corev1.SecretTypeOpaque,
	}
	s.Annotations = secretNotes(x)
	return s
}

// ExternalSecret is one of external-secrets.io, as far as it is written here.
type ExternalSecret struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              ExternalSecretSpec `json:"spec"`
}

// ExternalSecretSpec says from which store which keys come.
type ExternalSecretSpec struct {
	RefreshInterval string       `json:"refreshInterval"`
	SecretStoreRef  StoreRef     `json:"secretStoreRef"`
	Target          SecretTarget `json:"target"`
	Data            []SecretData `json:"data"`
}

// StoreRef names a store.
type StoreRef struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
}

// SecretTarget is the Secret that is made.
type SecretTarget struct {
	Name     string          `json:"name"`
	Template *SecretTemplate `json:"template,omitempty"`
}

// SecretTemplate gives it a type.
type SecretTemplate struct {
	Type string `json:"type"`
}

// SecretData is one key.
type SecretData struct {
	SecretKey string    `json:"secretKey"`
	RemoteRef RemoteRef `json:"remoteRef"`
}

// RemoteRef is where its value is.
type RemoteRef struct {
	Key      string `json:"key"`
	Property string `json:"property,omitempty"`
}

// external gives what fetches the values out of the target's store: under the
// path that the source's store had, or under namespace and name.
func (k *work) external(x *estate.Secret, name string) *ExternalSecret {
	policy := &k.c.Policy.Spec.Secrets
	s := &ExternalSecret{
		TypeMeta: metav1.TypeMeta{APIVersion: "external-secrets.io/v1", Kind: "ExternalSecret"}, ObjectMeta: k.meta(name),
		Spec: ExternalSecretSpec{
			RefreshInterval: "1h0m0s",
			SecretStoreRef:  StoreRef{cmp.Or(policy.StoreName, "tranship"), cmp.Or(policy.StoreKind, "ClusterSecretStore")},
			Target:          SecretTarget{Name: name},
		},
	}
	s.Annotations = secretNotes(x)
	if x.Pull {
		s.Spec.Target.Template = &SecretTemplate{Type: string(corev1.SecretTypeDockerConfigJson)}
	}
	remote := policy.Prefix + cmp.Or(x.Source, k.place.Namespace+"/"+name)
	keys := x.Keys
	if len(keys) == 0 {
		keys = []string{"value"}
	}
	for _, key := range keys {
		clean, _ := naming.Key(key)
		d := SecretData{SecretKey: clean, RemoteRef: RemoteRef{Key: remote}}
		if x.Source == "" || len(keys) > 1 {
			d.RemoteRef.Property = clean
		}
		if !slices.Contains(s.Spec.Data, d) {
			s.Spec.Data = append(s.Spec.Data, d)
		}
	}
	return s
}
