package pod

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/render/manifest/cluster"
	"github.com/tranship/tranship/internal/render/manifest/naming"
)

var sysctlName = regexp.MustCompile(`^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$`)

// machine sets what the pod sees and shares of its node.
func (b *builder) machine() {
	b.spec.AutomountServiceAccountToken = new(false) // nothing of the old world knows it
	b.spec.ServiceAccountName = b.c.Place(b.w.ID).Name
	if b.c.HostNetwork(b.w) {
		b.spec.HostNetwork = true
		b.spec.DNSPolicy = corev1.DNSClusterFirstWithHostNet
		b.out.Privileged = true
	}
	if b.w.Network == estate.Isolated {
		b.out.Facts.Set("network", "none")
	}
	h := b.w.Host
	if h == nil {
		return
	}
	if h.PIDs {
		b.spec.HostPID = true
		b.out.Privileged = true
	} else if h.ShareProcesses {
		b.spec.ShareProcessNamespace = new(true)
	}
	if h.IPC {
		b.spec.HostIPC = true
		b.out.Privileged = true
	}
	b.hostname(h)
	b.aliases(h)
	b.dns(h)
	b.sysctls(h)
}

func (b *builder) hostname(h *estate.HostView) {
	b.spec.Hostname = b.label("hostname", h.Name)
	b.spec.Subdomain = b.label("domain", h.Domain)
}

// label gives a name that a pod can have; another becomes a fact.
func (b *builder) label(fact, name string) string {
	if name == "" || naming.IsSubdomain(name) && !strings.Contains(name, ".") && len(name) <= naming.Label {
		return name
	}
	b.out.Facts.Set(fact, name)
	return ""
}

func (b *builder) aliases(h *estate.HostView) {
	for _, a := range h.Aliases {
		_, err := netip.ParseAddr(a.Address)
		if err != nil || !naming.IsSubdomain(a.Name) {
			b.out.Facts.add("host-aliases", a.Name, a.Address)
			b.c.Warn(b.w, cluster.UnfitValue, "has a line of /etc/hosts that Kubernetes does not take: "+a.Name+" "+a.Address, "name an address, or a Service")
			continue
		}
		i := slices.IndexFunc(b.spec.HostAliases, func(x corev1.HostAlias) bool { return x.IP == a.Address })
		if i < 0 {
			b.spec.HostAliases = append(b.spec.HostAliases, corev1.HostAlias{IP: a.Address})
			i = len(b.spec.HostAliases) - 1
		}
		if !slices.Contains(b.spec.HostAliases[i].Hostnames, a.Name) {
			b.spec.HostAliases[i].Hostnames = append(b.spec.HostAliases[i].Hostnames, a.Name)
		}
	}
}

// The lengths that Kubernetes allows.
const (
	nameservers = 3
	searches    = 32
	searchChars = 2048
)

func (b *builder) dns(h *estate.HostView) {
	var d corev1.PodDNSConfig
	var left []string
	for _, s := range h.DNS {
		if _, err := netip.ParseAddr(s); err != nil || len(d.Nameservers) == nameservers || slices.Contains(d.Nameservers, s) {
			left = append(left, s)
			continue
		}
		d.Nameservers = append(d.Nameservers, s)
	}
	chars := 0
	for _, s := range h.Search {
		if !naming.IsSubdomain(strings.TrimSuffix(s, ".")) || len(d.Searches) == searches || chars+len(s)+1 > searchChars {
			left = append(left, s)
			continue
		}
		chars += len(s) + 1
		d.Searches = append(d.Searches, s)
	}
	for _, s := range h.DNSOptions {
		name, value, found := strings.Cut(s, ":")
		if name == "" {
			left = append(left, s)
			continue
		}
		o := corev1.PodDNSConfigOption{Name: name}
		if found {
			o.Value = &value
		}
		d.Options = append(d.Options, o)
	}
	if len(left) > 0 {
		b.out.Facts.JSON("dns-left-out", left)
		b.c.Warn(b.w, cluster.UnfitValue, "asks for name servers or domains that a pod cannot have: "+strings.Join(left, ", "), "see what it needs them for")
	}
	if len(d.Nameservers)+len(d.Searches)+len(d.Options) > 0 {
		b.spec.DNSConfig = &d
	}
}
