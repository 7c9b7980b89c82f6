package pod

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/render/manifest/cluster"
)

// baseline are the capabilities that a namespace's baseline lets be added.
var baseline = []string{
	"AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE",
	"SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
}

// protect sets what the container may do.
func (b *builder) protect(k *estate.Container, out *corev1.Container) {
	s := &k.Security
	ctx := &corev1.SecurityContext{}
	b.user(k, out.Name, ctx)
	if s.Privileged {
		ctx.Privileged = new(true)
		b.out.Privileged = true
	}
	if s.ReadOnlyRoot {
		ctx.ReadOnlyRootFilesystem = new(true)
	}
	b.capabilities(s, ctx)
	if s.NoNewPrivs {
		admin := ctx.Capabilities != nil && slices.ContainsFunc(ctx.Capabilities.Add, func(c corev1.Capability) bool { return c == "SYS_ADMIN" || c == "ALL" })
		if s.Privileged || admin {
			b.out.Facts.add("no-new-privileges", out.Name, "not kept: the container is privileged")
		} else {
			ctx.AllowPrivilegeEscalation = new(false)
		}
	}
	b.profiles(s, out.Name, ctx)
	if len(s.SELinux) > 0 {
		ctx.SELinuxOptions = &corev1.SELinuxOptions{
			User: s.SELinux["user"], Role: s.SELinux["role"], Type: s.SELinux["type"], Level: s.SELinux["level"],
		}
		b.out.Privileged = true
	}
	if s.ProcessesLimit != 0 {
		b.out.Facts.add("processes-limit", out.Name, itoa(s.ProcessesLimit))
	}
	if *ctx != (corev1.SecurityContext{}) {
		out.SecurityContext = ctx
	}
}

// user sets who runs the container. A name is an account of an old machine or
// of the image; only policy knows its number.
func (b *builder) user(k *estate.Container, name string, ctx *corev1.SecurityContext) {
	if n := b.c.Policy.For(b.w.ID).User; n != nil {
		ctx.RunAsUser = new(*n)
	} else if k.Security.User != "" {
		user, group, _ := strings.Cut(k.Security.User, ":")
		ctx.RunAsUser = b.number(user)
		ctx.RunAsGroup = b.number(group)
		if ctx.RunAsUser == nil {
			ctx.RunAsGroup = nil
		}
		if ctx.RunAsUser == nil || group != "" && ctx.RunAsGroup == nil {
			b.c.Warn(b.w, cluster.UserByName, "runs container "+k.Name+" as "+k.Security.User+", and no number is known for it: the image's own user runs it",
				"put the number into spec.users in tranship.yaml")
		}
	}
	if u := k.Security.User; u != "" && (ctx.RunAsUser == nil || strconv.FormatInt(*ctx.RunAsUser, 10) != u) {
		b.out.Facts.add("user", name, u)
	}
	for _, g := range k.Security.Groups {
		if n := b.number(g); n != nil {
			b.groups = append(b.groups, *n)
			continue
		}
		b.out.Facts.add("group", name, strings.Join(k.Security.Groups, ","))
	}
}

// number gives the number of a user or group, nil if it is not known.
func (b *builder) number(name string) *int64 {
	if name == "" {
		return nil
	}
	if n, ok := b.c.Policy.Spec.Users[name]; ok && n >= 0 && n <= 1<<31-1 {
		return &n
	}
	switch name {
	case "root":
		return new(int64(0))
	case "nobody", "nogroup":
		return new(int64(65534))
	}
	n, err := strconv.ParseInt(name, 10, 64)
	if err != nil || n < 0 || n > 1<<31-1 {
		return nil
	}
	return &n
}

func (b *builder) capabilities(s *estate.Security, ctx *corev1.SecurityContext) {
	add, drop := capabilities(s.Add), capabilities(s.Drop)
	if len(add)+len(drop) == 0 {
		return
	}
	ctx.Capabilities = &corev1.Capabilities{Add: add, Drop: drop}
	for _, c := range add {
		if !slices.Contains(baseline, string(c)) {
			b.out.Privileged = true
		}
	}
}

func capabilities(list []string) []corev1.Capability {
	var out []corev1.Capability
	for _, s := range list {
		c := corev1.Capability(strings.TrimPrefix(strings.ToUpper(strings.TrimSpace(s)), "CAP_"))
		if c != "" && !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	return out
}

func (b *builder) profiles(s *estate.Security, name string, ctx *corev1.SecurityContext) {
	switch {
	case s.Seccomp == "":
	case s.Seccomp == "unconfined":
		ctx.SeccompProfile = &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeUnconfined}
		b.out.Privileged = true
	case inside(s.Seccomp) != "":
		ctx.SeccompProfile = &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeLocalhost, LocalhostProfile: new(inside(s.Seccomp))}
	}
	if s.Seccomp != "" && s.Seccomp != "unconfined" && inside(s.Seccomp) != s.Seccomp {
		b.out.Facts.add("seccomp", name, s.Seccomp)
	}
	if s.AppArmor == "" {
		return
	}
	p := &corev1.AppArmorProfile{}
	old := "localhost/" + s.AppArmor
	switch s.AppArmor {
	case "unconfined":
		p.Type, old = corev1.AppArmorProfileTypeUnconfined, "unconfined"
		b.out.Privileged = true
	case "docker-default", "runtime/default":
		p.Type, old = corev1.AppArmorProfileTypeRuntimeDefault, "runtime/default"
	default:
		p.Type, p.LocalhostProfile = corev1.AppArmorProfileTypeLocalhost, new(strings.TrimSpace(s.AppArmor))
	}
	if b.c.Version.AppArmorField() {
		ctx.AppArmorProfile = p
		return
	}
	if b.out.Spec.Annotations == nil {
		b.out.Spec.Annotations = map[string]string{}
	}
	b.out.Spec.Annotations["container.apparmor.security.beta.kubernetes.io/"+name] = old
}

// safeSysctls are those that every kubelet sets without being told to.
var safeSysctls = []string{
	"kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range",
	"net.ipv4.ip_unprivileged_port_start", "net.ipv4.ip_local_reserved_ports", "net.ipv4.tcp_keepalive_time",
	"net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem",
}

func (b *builder) sysctls(h *estate.HostView) {
	for _, name := range slices.Sorted(maps.Keys(h.Sysctls)) {
		value := h.Sysctls[name]
		switch {
		case !sysctlName.MatchString(name),
			b.spec.HostNetwork && strings.HasPrefix(name, "net."),
			h.IPC && (strings.HasPrefix(name, "kernel.shm") || strings.HasPrefix(name, "kernel.msg") || name == "kernel.sem" || strings.HasPrefix(name, "fs.mqueue.")):
			b.out.Facts.add("sysctls", name, value)
			b.c.Warn(b.w, cluster.UnfitValue, "sets "+name+", which a pod like this may not", "set it on the nodes")
			continue
		case !slices.Contains(safeSysctls, name):
			b.out.Privileged = true
			b.c.Note(b.w, cluster.NeedsPrivilege, "sets "+name+", which kubelet must be told to allow (--allowed-unsafe-sysctls)", "or set it on the nodes")
		}
		b.security().Sysctls = append(b.security().Sysctls, corev1.Sysctl{Name: name, Value: value})
	}
}
