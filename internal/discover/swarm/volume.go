package swarm

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/docker/go-units"

	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/estate"
)

// mounts sets the volumes of the service and where they are seen.
func (s *service) mounts() {
	for i, v := range s.c.Volumes {
		s.mount(i, v)
	}
	for _, t := range s.c.Tmpfs {
		target, options, _ := strings.Cut(t, ":")
		vol := estate.Volume{Kind: estate.EphemeralVolume, Medium: "memory"}
		readOnly := false
		for o := range strings.SplitSeq(options, ",") {
			k, value, _ := strings.Cut(o, "=")
			switch k {
			case "size":
				if n, err := units.RAMInBytes(value); err == nil && n > 0 {
					vol.Size = unit.Bytes(n)
				}
			case "mode":
				if n, err := strconv.ParseUint(value, 8, 12); err == nil {
					mode := int(n)
					vol.Mode = &mode
				}
			case "ro":
				readOnly = true
			}
		}
		s.addMount(at(s.raw, "tmpfs"), "tmpfs", vol, estate.Mount{Path: target, ReadOnly: readOnly})
	}
	if s.c.ShmSize > 0 {
		s.addMount(nil, "shm", estate.Volume{Kind: estate.EphemeralVolume, Medium: "memory", Size: unit.Bytes(s.c.ShmSize)}, estate.Mount{Path: "/dev/shm"})
	}
	for _, from := range s.c.VolumesFrom {
		s.borrow(from, 0)
	}
}

// borrow adds the mounts of another service.
func (s *service) borrow(from string, depth int) {
	name, mode, _ := strings.Cut(from, ":")
	other := s.services[serviceKey(name)]
	if other == nil || other == s || depth > maxIncludes {
		if name != "container" {
			s.warn(UnknownService, at(s.raw, "volumes_from"), "takes the volumes of service "+name+", which is not there", "read the file together with the one that has it")
		}
		return
	}
	for i, v := range other.c.Volumes {
		v.ReadOnly = v.ReadOnly || mode == "ro"
		if !slices.ContainsFunc(s.c.Volumes, func(x types.ServiceVolumeConfig) bool { return x.Target == v.Target }) {
			s.mount(i, v)
		}
	}
	for _, next := range other.c.VolumesFrom {
		s.borrow(next, depth+1)
	}
	s.dependOn(name)
}

// maxIncludes bounds how far services take volumes from each other.
const maxIncludes = 10

// addMount adds a volume under a name of its own, and its mount.
func (s *service) addMount(v *jsonpos.Value, name string, vol estate.Volume, m estate.Mount) {
	if !strings.HasPrefix(m.Path, "/") {
		s.fail(RefusedValue, v, "mounts a volume at a path that is not absolute", "write a path from the root; the mount was left out")
		return
	}
	m.Path = path.Clean(m.Path)
	if slices.ContainsFunc(s.k.Mounts, func(x estate.Mount) bool { return x.Path == m.Path }) {
		s.warn(RefusedValue, v, "mounts two volumes at "+m.Path, "the first was taken; delete the other")
		return
	}
	for _, have := range s.w.Volumes {
		if vol.Kind == estate.PersistentVolume && have.Name == name && have.Kind == vol.Kind {
			m.Volume = name // one volume, shown twice
			s.k.Mounts = append(s.k.Mounts, m)
			return
		}
	}
	vol.Name = name
	for i := 2; slices.ContainsFunc(s.w.Volumes, func(x estate.Volume) bool { return x.Name == vol.Name }); i++ {
		vol.Name = name + "-" + strconv.Itoa(i)
	}
	m.Volume = vol.Name
	s.w.Volumes = append(s.w.Volumes, vol)
	s.k.Mounts = append(s.k.Mounts, m)
}

func (s *service) mount(i int, v types.ServiceVolumeConfig) {
	m := estate.Mount{Path: v.Target, ReadOnly: v.ReadOnly}
	place := s.raw
	if e := at(s.raw, "volumes", strconv.Itoa(i)); e != nil {
		place = e
	}
	if v.Bind != nil {
		switch v.Bind.Propagation {
		case types.PropagationRShared, types.PropagationShared:
			m.Propagation = "both"
		case types.PropagationRSlave, types.PropagationSlave:
			m.Propagation = "to-container"
		}
	}
	if v.Volume != nil {
		m.SubPath = v.Volume.Subpath
	}
	switch v.Type {
	case types.VolumeTypeBind:
		s.bind(place, v.Source, m)
	case types.VolumeTypeTmpfs:
		vol := estate.Volume{Kind: estate.EphemeralVolume, Medium: "memory"}
		if v.Tmpfs != nil {
			vol.Size = unit.Bytes(max(v.Tmpfs.Size, 0))
			if v.Tmpfs.Mode != 0 {
				mode := int(v.Tmpfs.Mode)
				vol.Mode = &mode
			}
		}
		s.addMount(place, "tmpfs", vol, m)
	case types.VolumeTypeVolume:
		if v.Source == "" {
			s.addMount(place, "anonymous", estate.Volume{Kind: estate.EphemeralVolume}, m)
			return
		}
		s.w.Stateful = true
		s.addMount(place, v.Source, s.namedVolume(v.Source), m)
	case types.VolumeTypeCluster:
		s.w.Stateful = true
		s.addMount(place, strings.TrimPrefix(v.Source, "group:"), estate.Volume{Kind: estate.ExternalVolume, Handle: v.Source, External: true}, m)
	default:
		s.warn(NotCarried, place, "mounts what Kubernetes cannot mount ("+v.Type+")", "the mount was left out; build what it shows into the image")
	}
}

// bind shows a path of the machine, or one beside the definition.
func (s *service) bind(place *jsonpos.Value, source string, m estate.Mount) {
	if path.IsAbs(source) {
		if strings.HasSuffix(source, "docker.sock") {
			s.warn(DockerSocket, place, "uses Docker's socket, which the target does not have", "use the Kubernetes API or the operator of the tool")
		}
		s.addMount(place, "host", estate.Volume{Kind: estate.HostVolume, HostPath: path.Clean(source)}, m)
		return
	}
	file, _, isFile := s.beside(source)
	if s.c.Build != nil && !isFile && s.underBuild(source) {
		s.report(FileBeside, "note", s.subject(), place, "shows the source code from which it is built", "the image holds it; the mount was left out")
		return
	}
	if isFile || path.Ext(strings.TrimSuffix(source, "/")) != "" && path.Ext(path.Base(source)) != path.Base(source) {
		name := configName(path.Base(source))
		s.config(estate.ConfigRef{Name: name, File: file})
		m.SubPath = path.Base(source)
		s.addMount(place, name, estate.Volume{Kind: estate.ConfigVolume, Config: name, Items: map[string]string{path.Base(source): path.Base(source)}}, m)
		s.warn(FileBeside, place, "shows a file that lies beside the definition", "put it into a ConfigMap, or into a Secret if it is one")
		return
	}
	s.w.Stateful = true
	s.warn(FileBeside, place, "shows a folder that lies beside the definition", "copy it to the volume that is claimed for it, or build it into the image")
	s.addMount(place, configName(path.Base(path.Clean(source))), estate.Volume{Kind: estate.PersistentVolume}, m)
}

func configName(s string) string {
	s = strings.Trim(notInProject.ReplaceAllString(strings.ToLower(s), "-"), "-_")
	if s == "" {
		return "files"
	}
	return s
}

func (s *service) underBuild(source string) bool {
	context := path.Clean(s.c.Build.Context)
	return path.Clean(source) == context || strings.HasPrefix(path.Clean(source), context+"/") || context == "."
}

// namedVolume gives a volume of the file by its name.
func (s *scope) namedVolume(name string) estate.Volume {
	vol := estate.Volume{Kind: estate.PersistentVolume, Shared: s.users(name) > 1}
	v, ok := s.l.Project.Volumes[name]
	if !ok {
		return vol
	}
	vol.External = bool(v.External)
	if v.Name != "" && v.Name != name {
		vol.Handle = v.Name
	}
	opts := v.DriverOpts
	if strings.HasPrefix(opts["type"], "nfs") {
		vol.Kind, vol.Shared = estate.NFSVolume, true
		vol.Export = strings.TrimPrefix(opts["device"], ":")
		for o := range strings.SplitSeq(opts["o"], ",") {
			if server, ok := strings.CutPrefix(o, "addr="); ok {
				vol.Server = server
			} else if o != "" {
				vol.MountFlags = append(vol.MountFlags, o)
			}
		}
		return vol
	}
	if opts["type"] == "none" && strings.Contains(opts["o"], "bind") && path.IsAbs(opts["device"]) {
		return estate.Volume{Kind: estate.HostVolume, HostPath: path.Clean(opts["device"])}
	}
	if opts["type"] == "tmpfs" {
		return estate.Volume{Kind: estate.EphemeralVolume, Medium: "memory"}
	}
	if v.Driver != "" && v.Driver != "local" {
		vol.Kind, vol.Driver, vol.External = estate.ExternalVolume, v.Driver, true
		if vol.Handle == "" {
			vol.Handle = name
		}
		for k, o := range opts {
			if k == "size" {
				vol.Size = sizeOf(o)
			}
			if s.b.IsSecretName(k) {
				continue
			}
			if vol.Attributes == nil {
				vol.Attributes = map[string]string{}
			}
			vol.Attributes[k] = s.plainOption(o)
		}
	}
	return vol
}

// plainOption takes credentials out of a driver's option: "addr=x,password=y".
func (s *scope) plainOption(text string) string {
	text, _ = discover.RedactURLs(text)
	parts := strings.Split(text, ",")
	return strings.Join(slices.DeleteFunc(parts, func(p string) bool {
		k, _, ok := strings.Cut(p, "=")
		return ok && s.b.IsSecretName(k)
	}), ",")
}

// sizeOf reads a volume driver's size: a number is GiB.
func sizeOf(s string) unit.Bytes {
	if n, err := strconv.Atoi(s); err == nil && n > 0 && n < 1<<20 {
		return unit.Bytes(n) * unit.GiB
	}
	n, err := units.RAMInBytes(s)
	if err != nil || n < 0 {
		return 0
	}
	return unit.Bytes(n)
}

// users counts the services that mount a volume.
func (s *scope) users(name string) int {
	n := 0
	for _, x := range s.list {
		if slices.ContainsFunc(x.c.Volumes, func(v types.ServiceVolumeConfig) bool { return v.Source == name && v.Type == types.VolumeTypeVolume }) {
			n++
		}
	}
	return n
}

func noteMounts(s *service, v *jsonpos.Value) {
	if v.IsLeaf() {
		s.put(v, empty)
		return
	}
	choose := decision(MountedVolume, "pod#spec.volumes", "where its data will be, and how it gets there; proposed is a claim for a volume, a path of the node for a path")
	for _, e := range v.Elems() {
		e = real(e)
		if e.Kind() != jsonpos.Object {
			s.put(e, choose)
			continue
		}
		for _, m := range s.mapping(e) {
			switch m.key {
			case "type", "source", "target", "read_only":
				s.put(m.v, choose)
			case "bind", "volume", "tmpfs", "image":
				s.put(m.v, approximate(VolumeDetail, "container#volumeMounts", "as far as Kubernetes mounts so"))
			case "consistency":
				s.put(m.v, informational(VolumeDetail, "of Docker Desktop alone"))
			}
		}
	}
}

func noteTmpfs(s *service, v *jsonpos.Value) {
	if v.IsLeaf() && v.Kind() != jsonpos.String {
		s.put(v, empty)
		return
	}
	list := []*jsonpos.Value{v}
	if v.Kind() == jsonpos.Array {
		list = v.Elems()
	}
	for _, e := range list {
		if strings.Contains(s.text(e), ":") {
			s.put(e, approximate(MemoryVolume, "pod#spec.volumes.emptyDir", "a memory volume of the same size, without the other options; it counts as the pod's memory"))
			continue
		}
		s.put(e, equivalent(MemoryVolume, "pod#spec.volumes.emptyDir", "a memory volume; it counts as the pod's memory"))
	}
}

// topVolume enters one volume of the file.
func (s *scope) topVolume(name string, v *jsonpos.Value) {
	if v.IsLeaf() {
		s.note("", v, empty)
		return
	}
	used := s.users(name) > 0
	for _, m := range s.mapping(v) {
		r := informational(VolumeDetail, "of a volume that no service mounts")
		switch {
		case m.key == "labels":
			r = dropped(VolumeDetail, "a claim gets the labels of its workload")
		case !used:
		case m.key == "driver" && s.text(m.v) == "local":
			r = approximate(VolumeClass, "volume#spec.storageClassName", "a storage class takes the place of the machine's disk")
		case m.key == "driver" || m.key == "driver_opts":
			r = decision(VolumeClass, "volume#spec", "which storage of the target takes its place; proposed is the like of it")
		case m.key == "external" || m.key == "name":
			r = decision(VolumeClass, "volume#spec.volumeName", "which volume holds the data already; proposed is a new claim")
		default:
			continue
		}
		s.note("", m.v, r)
	}
}
