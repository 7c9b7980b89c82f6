package field

import (
	"net"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/estate"
)

// A parameter is one flag of docker run as Mesos was told to add it.
type parameter struct {
	key, value *jsonpos.Value
	name, text string
}

// DockerParameters reads a list of {"key", "value"}: flags of docker run for
// container c of w. Read everything else of c before: a flag that says the
// same again is passed over.
func (s Scope) DockerParameters(v *jsonpos.Value, w *estate.Workload, c *estate.Container) {
	if v == nil || s.Empty(v) || !s.Is(v, jsonpos.Array) {
		return
	}
	for _, e := range v.Elems() {
		if s.Empty(e) || !s.Is(e, jsonpos.Object) {
			continue
		}
		p := parameter{key: e.Get("key"), value: e.Get("value")}
		text, ok := s.String(p.key)
		if !ok || p.key == nil {
			s.Note(e, ledger.Dropped, BadParameter, "", "a parameter without a key")
			continue
		}
		p.name = strings.ToLower(strings.TrimLeft(strings.TrimSpace(text), "-"))
		if p.value != nil {
			if p.text, ok = s.String(p.value); !ok && !p.value.IsNull() {
				s.Note(p.key, ledger.Dropped, BadParameter, "", "a parameter whose value is no string")
				continue
			}
		}
		s.parameter(p, w, c)
	}
}

// noted enters both leaves of p that have no entry yet.
func (s Scope) noted(p parameter, verdict ledger.Verdict, code diag.Code, target, reason string) {
	for _, v := range []*jsonpos.Value{p.key, p.value} {
		if v != nil && !s.B.Noted(v) {
			s.Note(v, verdict, code, target, reason)
		}
	}
}

func (s Scope) badParameter(p parameter, want string) {
	s.Report(BadParameter, diag.Error, p.value, "docker parameter "+p.name+" is not "+want,
		"the parameter was left out and the rest was read; correct it at the source")
	s.noted(p, ledger.Dropped, BadParameter, "", "is not "+want+", and was left out")
}

// harmless are flags that mean nothing once the kubelet starts containers.
var harmless = strings.Fields("name restart publish p expose rm d detach i interactive t tty cidfile pull sig-proxy publish-all mac-address ip ip6 network-alias net-alias")

// lost are flags for which a pod has no field.
var lost = strings.Fields("ulimit memory-swap memory-swappiness memory memory-reservation m kernel-memory cpu-shares cpu-period cpu-quota cpu-rt-period " +
	"cpu-rt-runtime cpuset-cpus cpuset-mems cpus c blkio-weight blkio-weight-device device-read-bps device-write-bps device-read-iops device-write-iops " +
	"oom-score-adj oom-kill-disable pids-limit cgroup-parent cgroupns stop-signal stop-timeout userns uts isolation storage-opt platform")

// choices are flags that a person must carry over.
var choices = map[string]string{
	"log-driver": "where logs go; proposed is the node's log agent", "log-opt": "how logs go; proposed is the node's log agent",
	"log": "where logs go; proposed is the node's log agent", "volume-driver": "who provides its volumes; proposed is none",
	"volumes-from": "another container's volumes; proposed is none: name the volumes", "link": "another container's address; proposed is that one's Service",
	"device": "a device of the machine; proposed is none: a device plugin gives it out", "gpus": "graphics processors; proposed is none: ask by gpus",
	"runtime": "another runtime; proposed is the node's own", "mount": "a mount in docker's newer form; proposed is none: list it as a volume",
	"device-cgroup-rule": "rights to devices; proposed is none", "env-file": "a file of the old host with variables; proposed is none: list them",
	"label-file": "a file of the old host with labels; proposed is none: list them",
}

func (s Scope) parameter(p parameter, w *estate.Workload, c *estate.Container) {
	switch {
	case slices.Contains(harmless, p.name):
		s.noted(p, ledger.Dropped, ParameterHarmless, "", "docker run's own business: nothing of the program depends on it")
		return
	case slices.Contains(lost, p.name):
		s.noted(p, ledger.Dropped, ParameterLost, "", "a pod has no field for it: the node's default holds")
		return
	case choices[p.name] != "":
		s.noted(p, ledger.Decision, ParameterChoice, "pod#spec", choices[p.name])
		return
	}
	if s.process(p, w, c) || s.view(p, w) || s.rights(p, c) || s.storage(p, w, c) {
		return
	}
	s.Report(ParameterUnknown, diag.Warning, p.key, "has docker parameter "+p.name+", which tranship does not know",
		"look up what docker run does with it, and set the pod's field by an overlay")
	s.noted(p, ledger.Dropped, ParameterUnknown, "", "no flag of docker run that tranship knows; it goes nowhere")
}

// process reads what the program is started with.
func (s Scope) process(p parameter, w *estate.Workload, c *estate.Container) bool {
	switch p.name {
	case "env", "e":
		name, value, has := strings.Cut(p.text, "=")
		if !has {
			s.noted(p, ledger.Dropped, ParameterLost, "", "takes the variable from the old host's own environment")
			return true
		}
		if slices.ContainsFunc(c.Env, func(x estate.EnvVar) bool { return x.Name == name }) {
			s.noted(p, ledger.Dropped, ParameterTwice, "", "the variable is set by env as well, which is taken")
			return true
		}
		if x, ok := s.Variable(name, value, p.value, w, c.Name); ok {
			c.Env = append(c.Env, x)
		}
		s.noted(p, ledger.Equivalent, ParameterCarried, "container#env", "a variable, as env sets them")
	case "label", "l":
		name, value, _ := strings.Cut(p.text, "=")
		if _, have := w.Labels[name]; have || name == "" {
			s.noted(p, ledger.Dropped, ParameterTwice, "", "the label is set by labels as well, which is taken")
			return true
		}
		clean, found := discover.RedactURLs(value)
		if found || s.B.IsSecretName(name) {
			s.noted(p, ledger.Decision, discover.SecretValue, "workload#metadata.annotations", "holds a secret, and is left out of the annotations")
			return true
		}
		if w.Labels == nil {
			w.Labels = map[string]string{}
		}
		w.Labels[name] = clean
		s.noted(p, ledger.Equivalent, ParameterCarried, "workload#metadata.annotations", "an annotation")
	case "entrypoint":
		if c.Shell != "" || len(c.Command) > 0 {
			s.noted(p, ledger.Dropped, ParameterTwice, "", "the definition's own command takes the entrypoint's place")
			return true
		}
		if clean, found := discover.RedactURLs(p.text); found {
			c.Command = []string{clean}
			s.noted(p, ledger.Decision, discover.CredentialInURL, "container#command", "a URL in it held a credential, which was taken out")
		} else if clean != "" {
			c.Command = []string{clean}
		}
		s.noted(p, ledger.Exact, ParameterCarried, "container#command", "the same entrypoint")
	case "workdir", "w":
		c.WorkingDir = p.text
		s.noted(p, ledger.Exact, ParameterCarried, "container#workingDir", "the same folder")
	case "init":
		s.noted(p, ledger.Approximate, ParameterChoice, "container#command", "no init process is added: put one (tini) into the image if it leaves zombies")
	default:
		return false
	}
	return true
}

// view reads what the container sees of its machine and of the network.
func (s Scope) view(p parameter, w *estate.Workload) bool {
	host := w.Host
	if host == nil {
		host = &estate.HostView{}
	}
	switch p.name {
	case "pid", "ipc":
		if p.text != "host" {
			s.noted(p, ledger.Dropped, ParameterLost, "", "each pod has its own, or its containers share one")
			return true
		}
		host.PIDs = host.PIDs || p.name == "pid"
		host.IPC = host.IPC || p.name == "ipc"
	case "hostname", "h":
		host.Name = p.text
	case "domainname":
		host.Domain = p.text
	case "dns":
		host.DNS = append(host.DNS, p.text)
	case "dns-search":
		host.Search = append(host.Search, p.text)
	case "dns-opt", "dns-option":
		host.DNSOptions = append(host.DNSOptions, p.text)
	case "add-host":
		name, address, ok := strings.Cut(p.text, ":")
		if !ok {
			name, address, ok = strings.Cut(p.text, "=")
		}
		address = strings.Trim(address, "[]")
		if !ok || net.ParseIP(address) == nil {
			s.badParameter(p, "a name and an address")
			return true
		}
		host.Aliases = append(host.Aliases, estate.HostAlias{Name: name, Address: address})
	case "sysctl":
		name, value, ok := strings.Cut(p.text, "=")
		if !ok || name == "" {
			s.badParameter(p, "a name and a value")
			return true
		}
		if host.Sysctls == nil {
			host.Sysctls = map[string]string{}
		}
		host.Sysctls[name] = value
		s.noted(p, ledger.Equivalent, ParameterCarried, "pod#spec.securityContext.sysctls", "the same, where the node's kubelet allows it")
	case "net", "network":
		s.noted(p, ledger.Decision, ParameterChoice, "pod#spec.hostNetwork", "which network it joins; proposed is the pod network")
		if p.text == "host" {
			w.Network = estate.HostNet
		}
		return true
	default:
		return false
	}
	w.Host = host
	s.noted(p, ledger.Equivalent, ParameterCarried, "pod#spec", "the pod's own field for it")
	return true
}

// rights reads what the container may do.
func (s Scope) rights(p parameter, c *estate.Container) bool {
	yes := p.text == "" || strings.EqualFold(p.text, "true") || p.text == "1"
	capability := strings.TrimPrefix(strings.ToUpper(p.text), "CAP_")
	switch p.name {
	case "cap-add":
		c.Security.Add = append(c.Security.Add, capability)
	case "cap-drop":
		c.Security.Drop = append(c.Security.Drop, capability)
	case "group-add":
		c.Security.Groups = append(c.Security.Groups, p.text)
		s.noted(p, ledger.Decision, ParameterChoice, "pod#spec.securityContext.supplementalGroups", "which number the group has; proposed is the number as written")
	case "privileged":
		c.Security.Privileged = c.Security.Privileged || yes
		s.noted(p, ledger.Decision, ParameterChoice, "container#securityContext.privileged", "whether it needs all rights of the machine; proposed is to ask for them")
	case "read-only":
		c.Security.ReadOnlyRoot = yes
		if !yes {
			s.noted(p, ledger.Approximate, ParameterCarried, "container#securityContext.readOnlyRootFilesystem", "its files can be written to, as by default")
		}
		s.noted(p, ledger.Equivalent, ParameterCarried, "container#securityContext.readOnlyRootFilesystem", "the same")
	case "user", "u":
		if c.Security.User == "" {
			c.Security.User = p.text
		}
		s.noted(p, ledger.Decision, ParameterChoice, "container#securityContext.runAsUser", "which number the user has; proposed is the number as written, or the image's own user")
	case "security-opt":
		s.securityOption(p, c)
	default:
		return false
	}
	s.noted(p, ledger.Exact, ParameterCarried, "container#securityContext.capabilities", "the same")
	return true
}

func (s Scope) securityOption(p parameter, c *estate.Container) {
	name, value, _ := strings.Cut(strings.Replace(p.text, ":", "=", 1), "=")
	switch name {
	case "no-new-privileges":
		c.Security.NoNewPrivs = value == "" || value == "true"
	case "seccomp":
		c.Security.Seccomp = value
	case "apparmor":
		c.Security.AppArmor = value
	default:
		s.noted(p, ledger.Decision, ParameterChoice, "container#securityContext", "a label of the host's security module; proposed is the node's default")
		return
	}
	s.noted(p, ledger.Equivalent, ParameterCarried, "container#securityContext", "the same, if the node has the profile")
}

// storage reads mounts that the definition's volumes do not list.
func (s Scope) storage(p parameter, w *estate.Workload, c *estate.Container) bool {
	switch p.name {
	case "shm-size":
		size, ok := dockerSize(p.text)
		if !ok {
			s.badParameter(p, "a size")
			return true
		}
		s.Shm(w, c, size)
		s.noted(p, ledger.Equivalent, SharedMemory, "pod#spec.volumes", "a memory volume of that size at /dev/shm; it counts as the container's memory")
	case "tmpfs":
		at, opts, _ := strings.Cut(p.text, ":")
		vol := estate.Volume{Kind: estate.EphemeralVolume, Medium: "memory"}
		for o := range strings.SplitSeq(opts, ",") {
			if size, ok := strings.CutPrefix(o, "size="); ok {
				vol.Size, _ = dockerSize(size)
			}
		}
		if !s.AddMount(w, c, vol, estate.Mount{Path: at}) {
			s.badParameter(p, "a path that is free")
			return true
		}
		s.noted(p, ledger.Approximate, ParameterCarried, "pod#spec.volumes", "a memory volume; its options but the size are left out")
	case "volume", "v":
		s.volumeFlag(p, w, c)
	default:
		return false
	}
	return true
}

func (s Scope) volumeFlag(p parameter, w *estate.Workload, c *estate.Container) {
	parts := strings.Split(p.text, ":")
	vol := estate.Volume{Kind: estate.HostVolume, HostPath: path.Clean(parts[0]), Shared: true}
	m := estate.Mount{}
	reason := "how what lies there comes to the nodes; proposed is the same path of the node"
	switch {
	case len(parts) == 1:
		vol, m.Path = estate.Volume{Kind: estate.EphemeralVolume}, parts[0]
		reason = "a volume that docker made up at each start; proposed is an empty one"
	case !strings.HasPrefix(parts[0], "/"):
		vol, m.Path = estate.Volume{Kind: estate.EphemeralVolume, Name: parts[0]}, parts[1]
		reason = "a named volume of the old host's docker; proposed is an empty one"
	default:
		m.Path = parts[1]
	}
	if len(parts) > 2 {
		m.ReadOnly = slices.Contains(strings.Split(parts[2], ","), "ro")
	}
	if !s.AddMount(w, c, vol, m) {
		s.badParameter(p, "a path and a place that is free")
		return
	}
	s.noted(p, ledger.Decision, ParameterVolume, "pod#spec.volumes", reason)
}

// AddMount adds volume and mount to w and c under a name of their own, made
// from the path. It reports whether the path is one that can be mounted at.
func (s Scope) AddMount(w *estate.Workload, c *estate.Container, vol estate.Volume, m estate.Mount) bool {
	if !strings.HasPrefix(m.Path, "/") || path.Clean(m.Path) == "/" || strings.Contains(m.Path, ":") {
		return false
	}
	m.Path = path.Clean(m.Path)
	if slices.ContainsFunc(c.Mounts, func(x estate.Mount) bool { return x.Path == m.Path }) {
		return false
	}
	stem := vol.Name
	if stem == "" {
		stem = path.Base(m.Path)
	}
	stem = volumeName(stem)
	vol.Name = stem
	for i := 2; hasVolume(w, vol.Name); i++ {
		vol.Name = stem + "-" + strconv.Itoa(i)
	}
	m.Volume = vol.Name
	w.Volumes = append(w.Volumes, vol)
	c.Mounts = append(c.Mounts, m)
	return true
}

// volumeName makes a name that Kubernetes takes for a volume.
func volumeName(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, s)
	if s = strings.Trim(s[:min(len(s), 50)], "-"); s == "" {
		return "volume"
	}
	return s
}

// dockerSize reads a size in docker's way: bytes, or a number with b, k, m or g.
func dockerSize(text string) (unit.Bytes, bool) {
	t := strings.TrimSuffix(strings.ToLower(strings.TrimSpace(text)), "b")
	size := unit.Bytes(1)
	for suffix, u := range map[string]unit.Bytes{"k": unit.KiB, "m": unit.MiB, "g": unit.GiB} {
		if n, ok := strings.CutSuffix(strings.TrimSuffix(t, "i"), suffix); ok {
			t, size = n, u
		}
	}
	n, err := strconv.ParseInt(t, 10, 64)
	if err != nil || n < 0 || n > 1<<50/int64(size) {
		return 0, false
	}
	return unit.Bytes(n) * size, true
}
