package field

import (
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/estate"
)

// Persistent reads what persistent storage a volume asks for: {"size": MiB,
// "type", "maxSize", "profileName", "constraints"}. Name and mount are the
// caller's. It reports whether v is such an object.
func (s Scope) Persistent(v *jsonpos.Value, vol *estate.Volume) bool {
	if v.Kind() != jsonpos.Object {
		s.wrong(v, jsonpos.Object.String())
		return false
	}
	vol.Kind, vol.Medium = estate.PersistentVolume, "root"
	if v.IsLeaf() {
		s.Note(v, ledger.Decision, VolumeClass, "volume#spec", "persistent storage of no size; proposed is the smallest claim")
		return true
	}
	if x := v.Get("size"); x != nil {
		if n, ok := s.mebibytes(x); ok {
			vol.Size = n
			s.Note(x, ledger.Exact, VolumeSize, "volume#spec.resources.requests.storage", "a claim of the same size for each copy")
		}
	}
	profile := v.Get("profileName")
	if text, ok := "", false; profile != nil {
		if text, ok = s.String(profile); ok {
			vol.Profile, vol.Medium = text, "mount"
			s.Note(profile, ledger.Decision, VolumeClass, "volume#spec.storageClassName", "which storage class serves this profile; proposed is the default one")
		}
	}
	if x := v.Get("type"); x != nil {
		if text, ok := s.String(x); ok {
			s.medium(x, text, vol)
		}
	}
	if x := v.Get("maxSize"); x != nil {
		if n, ok := s.mebibytes(x); ok {
			vol.MaxSize = n
			s.Note(x, ledger.Approximate, VolumeClass, "volume#spec.resources", "a claim gets what it asks for, never a larger disk")
		}
	}
	if x := v.Get("constraints"); !s.Empty(x) {
		s.Note(x, ledger.Dropped, VolumeDisk, "", "chose a disk of the host by its path; a storage class chooses instead")
	}
	return true
}

func (s Scope) medium(v *jsonpos.Value, text string, vol *estate.Volume) {
	switch m := strings.ToLower(text); m {
	case "root", "path", "mount":
		vol.Medium = m
		s.Note(v, ledger.Decision, VolumeClass, "volume#spec.storageClassName", "which storage class takes the place of a "+m+" disk; proposed is the default one")
	default:
		s.Report(discover.WrongType, diag.Error, v, "field "+v.Pointer()+" is no type of disk", "the types are root, path and mount; root was taken")
		s.Note(v, ledger.Decision, VolumeClass, "volume#spec.storageClassName", "no type of disk that Mesos has; proposed is the default storage class")
	}
}

// External reads a storage provider's volume (dvdi or csi): {"name", "size":
// GiB, "provider", "options", "shared"}. It reports whether v is such an object.
func (s Scope) External(v *jsonpos.Value, w *estate.Workload, vol *estate.Volume) bool {
	if v.Kind() != jsonpos.Object {
		s.wrong(v, jsonpos.Object.String())
		return false
	}
	vol.Kind, vol.External = estate.ExternalVolume, true
	csi := strings.EqualFold(v.Get("provider").Text(), "csi")
	if x := v.Get("provider"); x != nil {
		if text, ok := s.String(x); ok {
			vol.Driver = text
			s.Note(x, ledger.Decision, ExternalVolume, "volume#spec", "who provides the volume; proposed is the driver that its options name")
		}
	}
	verdict, code, reason := ledger.Decision, ExternalVolume, "which volume of the target holds the data; proposed is a static volume of this name"
	if csi {
		verdict, code, reason = ledger.Equivalent, CSIVolume, "the same volume by the same driver, if the cluster has it and reaches it"
	}
	if x := v.Get("name"); x != nil {
		if text, ok := s.String(x); ok {
			vol.Handle = text
			s.Note(x, verdict, code, "volume#spec.csi.volumeHandle", reason)
		}
	}
	if x := v.Get("size"); x != nil {
		if n, ok := s.Int(x, 0, 1<<30); ok {
			vol.Size = unit.Bytes(n) * unit.GiB
			s.Note(x, ledger.Exact, VolumeSize, "volume#spec.capacity.storage", "the same size")
		}
	}
	if x := v.Get("shared"); x != nil {
		if yes, ok := s.Bool(x); ok {
			vol.Shared = yes
			s.Note(x, ledger.Approximate, ExternalVolume, "volume#spec.accessModes", "several workloads may name the volume; its driver decides who may write")
		}
	}
	opts := v.Get("options")
	if s.Empty(opts) || !s.Is(opts, jsonpos.Object) {
		return true
	}
	if csi {
		s.csi(opts, w, vol)
		return true
	}
	for _, o := range opts.Elems() {
		if o.Key() == "dvdi/driver" && o.Kind() == jsonpos.String {
			vol.Driver = o.Text()
			s.Note(o, ledger.Decision, ExternalVolume, "volume#spec", "which driver of the target reaches the volume; proposed is one static volume to be filled in")
			continue
		}
		s.attribute(o, w, vol, ledger.Decision, ExternalVolume, "an option of the old driver; proposed is to keep it as a note")
	}
	return true
}

// attribute reads one option of a driver. One that is a secret is kept apart.
func (s Scope) attribute(v *jsonpos.Value, w *estate.Workload, vol *estate.Volume, verdict ledger.Verdict, code diag.Code, reason string) {
	text, ok := s.String(v)
	if !ok {
		return
	}
	if _, inURL := discover.RedactURLs(text); inURL || s.B.IsSecretName(v.Key()) {
		r := s.keep(w, "volume", vol.Name, v.Key(), v)
		s.Note(v, ledger.Decision, VolumeSecret, "secret#stringData."+r.Key, "a secret: it stays in the snapshot, and secret "+r.Name+" is declared for it")
		return
	}
	if vol.Attributes == nil {
		vol.Attributes = map[string]string{}
	}
	vol.Attributes[v.Key()] = text
	s.Note(v, verdict, code, "volume#spec.csi.volumeAttributes", reason)
}

const csiReason = "the same, by the same driver"

func (s Scope) csi(opts *jsonpos.Value, w *estate.Workload, vol *estate.Volume) {
	if x := opts.Get("pluginName"); x != nil {
		if text, ok := s.String(x); ok {
			vol.Driver = text
			s.Note(x, ledger.Equivalent, CSIVolume, "volume#spec.csi.driver", "the same driver, if the cluster has it under this name")
		}
	}
	if c := opts.Get("capability"); !s.Empty(c) && s.Is(c, jsonpos.Object) {
		s.capability(c, vol)
	}
	vol.StageSecret = s.volumeSecret(opts.Get("nodeStageSecret"), w, vol, "stage")
	vol.PublishSecret = s.volumeSecret(opts.Get("nodePublishSecret"), w, vol, "publish")
	if x := opts.Get("volumeContext"); !s.Empty(x) && s.Is(x, jsonpos.Object) {
		for _, o := range x.Elems() {
			s.attribute(o, w, vol, ledger.Equivalent, CSIVolume, csiReason)
		}
	}
}

var accessModes = map[string]estate.Access{
	"SINGLE_NODE_WRITER":       estate.OneWriter,
	"SINGLE_NODE_READER_ONLY":  estate.OneReader,
	"MULTI_NODE_READER_ONLY":   estate.ManyReaders,
	"MULTI_NODE_SINGLE_WRITER": estate.ManyWriters,
	"MULTI_NODE_MULTI_WRITER":  estate.ManyWriters,
}

func (s Scope) capability(v *jsonpos.Value, vol *estate.Volume) {
	if x := v.Get("accessMode"); x != nil {
		mode, known := accessModes[strings.ToUpper(x.Text())]
		switch {
		case !known:
			s.wrong(x, "an access mode of CSI")
		case strings.EqualFold(x.Text(), "SINGLE_NODE_WRITER") || mode == estate.ManyReaders:
			vol.Access = mode
			s.Note(x, ledger.Equivalent, CSIVolume, "volume#spec.accessModes", csiReason)
		default:
			vol.Access = mode
			s.Note(x, ledger.Approximate, CSIVolume, "volume#spec.accessModes", "the nearest access mode that Kubernetes has: "+string(mode))
		}
	}
	if x := v.Get("accessType"); x != nil {
		switch strings.ToLower(x.Text()) {
		case "block", "mount":
			vol.Block = strings.EqualFold(x.Text(), "block")
			s.Note(x, ledger.Equivalent, CSIVolume, "volume#spec.volumeMode", csiReason)
		default:
			s.wrong(x, "block or mount")
		}
	}
	if x := v.Get("fsType"); x != nil {
		if text, ok := s.String(x); ok {
			vol.FSType = text
			s.Note(x, ledger.Equivalent, CSIVolume, "volume#spec.csi.fsType", csiReason)
		}
	}
	if x := v.Get("mountFlags"); !s.Empty(x) && s.Is(x, jsonpos.Array) {
		for _, e := range x.Elems() {
			if text, ok := s.String(e); ok {
				vol.MountFlags = append(vol.MountFlags, text)
				s.Note(e, ledger.Equivalent, CSIVolume, "volume#spec.mountOptions", csiReason)
			}
		}
	}
}

// volumeSecret reads {"username": "name of a declared secret"}: a secret of
// its own for the driver, with a key for each.
func (s Scope) volumeSecret(v *jsonpos.Value, w *estate.Workload, vol *estate.Volume, use string) *estate.SecretRef {
	if s.Empty(v) || !s.Is(v, jsonpos.Object) {
		return nil
	}
	d := secret(w, Short(w.ID)+"-"+vol.Name+"-"+use)
	for _, e := range v.Elems() {
		if _, ok := s.String(e); !ok {
			continue
		}
		d.Keys = append(d.Keys, notInKey.ReplaceAllString(e.Key(), "_"))
		s.Note(e, ledger.Decision, VolumeSecret, "secret#stringData",
			"which secret the driver is given; proposed is a new one, "+d.Name+", filled from the one named here")
	}
	return &estate.SecretRef{Name: d.Name}
}
