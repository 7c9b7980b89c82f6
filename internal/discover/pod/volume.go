package pod

import (
	"path"
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/discover/field"
	"github.com/tranship/tranship/internal/estate"
)

func (p *pod) volumes(v *jsonpos.Value) {
	if p.Empty(v) || !p.Is(v, jsonpos.Array) {
		return
	}
	for _, e := range v.Elems() {
		if p.Empty(e) || !p.Is(e, jsonpos.Object) {
			continue
		}
		p.volume(e)
	}
}

func (p *pod) volume(e *jsonpos.Value) {
	name := e.Get("name")
	if name.Kind() != jsonpos.String || name.Text() == "" {
		p.Report(BadVolume, diag.Error, e, "has a volume without a name, which was left out", "name it")
		p.Note(e, ledger.Dropped, BadVolume, "", "of a volume without a name, which was left out")
		return
	}
	if p.hasVolume(name.Text()) {
		p.Report(BadVolume, diag.Error, e, "has a second volume "+name.Text()+", which was left out", "give each volume a name of its own")
		p.Note(e, ledger.Dropped, BadVolume, "", "of a second volume of that name, which was left out")
		return
	}
	vol := estate.Volume{Name: name.Text(), Kind: estate.EphemeralVolume}
	switch {
	case !e.Get("host").IsNull():
		p.hostVolume(e.Get("host"), &vol)
	case !e.Get("persistent").IsNull():
		p.Persistent(e.Get("persistent"), &vol)
	case !e.Get("secret").IsNull():
		p.secretVolume(e.Get("secret"), &vol)
	case !e.Get("external").IsNull():
		p.External(e.Get("external"), p.w, &vol)
	}
	for _, key := range []string{"host", "persistent", "secret", "external"} {
		if x := e.Get(key); x != nil {
			p.Empty(x)
		}
	}
	if p.mounted(name.Text()) {
		p.Note(name, ledger.Equivalent, VolumeName, "pod#spec.volumes", "the name that ties it to its mounts")
	} else {
		p.Note(name, ledger.Approximate, VolumeName, "pod#spec.volumes", "no container mounts it")
	}
	p.w.Volumes = append(p.w.Volumes, vol)
}

func (p *pod) hasVolume(name string) bool {
	for i := range p.w.Volumes {
		if p.w.Volumes[i].Name == name {
			return true
		}
	}
	return false
}

// mounted reports whether a container mounts the volume.
func (p *pod) mounted(name string) bool {
	for _, c := range p.at {
		for _, m := range c.Get("volumeMounts").Elems() {
			if m.Get("name").Text() == name {
				return true
			}
		}
	}
	return false
}

func (p *pod) hostVolume(v *jsonpos.Value, vol *estate.Volume) {
	text, ok := p.String(v)
	switch {
	case !ok:
	case strings.HasPrefix(text, "/"):
		vol.Kind, vol.HostPath, vol.Shared = estate.HostVolume, path.Clean(text), true
		p.Note(v, ledger.Decision, HostPath, "pod#spec.volumes",
			"how what lies there comes to the nodes; proposed is the same path of the node")
	default:
		p.Note(v, ledger.Approximate, SandboxPath, "pod#spec.volumes",
			"a folder of the copy's sandbox: an empty volume that its containers share, under the volume's name")
	}
}

func (p *pod) secretVolume(v *jsonpos.Value, vol *estate.Volume) {
	text, ok := p.String(v)
	if !ok || text == "" {
		return
	}
	r := p.SecretRef(v, p.w)
	vol.Kind, vol.Secret = estate.SecretVolume, &r
	p.Note(v, ledger.Equivalent, SecretFile, "pod#spec.volumes", "the same file, once secret "+r.Name+" exists; it does not change while the copy runs")
}

func (p *pod) mounts(v *jsonpos.Value, c *estate.Container) {
	if p.Empty(v) || !p.Is(v, jsonpos.Array) {
		return
	}
	for _, e := range v.Elems() {
		if p.Empty(e) || !p.Is(e, jsonpos.Object) {
			continue
		}
		p.mount(e, c)
	}
}

func (p *pod) mount(e *jsonpos.Value, c *estate.Container) {
	name, at := e.Get("name"), e.Get("mountPath")
	if at == nil {
		at = e.Get("containerPath")
	}
	var vol *estate.Volume
	for i := range p.w.Volumes {
		if p.w.Volumes[i].Name == name.Text() {
			vol = &p.w.Volumes[i]
		}
	}
	problem := ""
	where := mountPath(at.Text())
	switch {
	case vol == nil:
		problem = "mounts volume " + name.Text() + ", which the pod does not have"
	case at.Kind() != jsonpos.String || where == "":
		problem = "mounts volume " + name.Text() + " nowhere"
	case strings.Contains(where, ":") || where == "/":
		problem = "mounts volume " + name.Text() + " at a path that Kubernetes refuses"
	case mounts(c, where):
		p.Report(BadMount, diag.Error, e, "mounts two volumes at "+where, "the first was taken; correct it at the source")
		for _, key := range []string{"name", "mountPath", "containerPath", "readOnly"} {
			p.Note(e.Get(key), ledger.Decision, BadMount, "container#volumeMounts", "which of two volumes is shown at one path; proposed is the first")
		}
		return
	}
	if problem != "" {
		p.Report(BadMount, diag.Error, e, problem, "the mount was left out; correct it at the source")
		p.Note(e, ledger.Dropped, BadMount, "", problem+"; it was left out")
		return
	}
	m := estate.Mount{Volume: vol.Name, Path: where}
	if vol.Kind == estate.SecretVolume {
		m.SubPath, m.ReadOnly = field.SecretKey, true
	}
	p.Note(name, ledger.Exact, VolumeMount, "container#volumeMounts", "the same volume")
	p.Note(at, ledger.Exact, VolumeMount, "container#volumeMounts", "the same path; a relative one is below "+field.Sandbox)
	if !strings.HasPrefix(at.Text(), "/") {
		c.Sandbox = field.Sandbox
	}
	if x := e.Get("readOnly"); x != nil {
		if yes, ok := p.Bool(x); ok && vol.Kind == estate.SecretVolume {
			p.Note(x, ledger.Informational, VolumeMount, "", "a secret is never written to")
		} else if ok {
			m.ReadOnly = yes
			p.Note(x, ledger.Exact, VolumeMount, "container#volumeMounts", "written to or not, the same")
		}
	}
	c.Mounts = append(c.Mounts, m)
}

// mountPath gives the absolute path of a mount; what is relative is below the
// sandbox.
func mountPath(text string) string {
	switch {
	case text == "":
		return ""
	case strings.HasPrefix(text, "/"):
		return path.Clean(text)
	}
	return path.Join(field.Sandbox, path.Clean("/"+text))
}
