package field

import (
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/estate"
)

// Networks reads a list of networks, {"mode", "name", "labels"}, into w. With
// none at all the source used the host's own network.
func (s Scope) Networks(v *jsonpos.Value, w *estate.Workload) {
	w.Network = estate.HostNet
	if s.Empty(v) || !s.Is(v, jsonpos.Array) {
		return
	}
	for _, e := range v.Elems() {
		if s.Empty(e) || !s.Is(e, jsonpos.Object) {
			continue
		}
		s.network(e, w)
	}
}

func (s Scope) network(e *jsonpos.Value, w *estate.Workload) {
	mode := "container"
	if m := e.Get("mode"); m != nil {
		if word, ok := s.Choice(m, "host", "container", "container/bridge"); ok {
			mode = word
			s.networkMode(m, mode)
		}
	}
	name := e.Get("name")
	if mode == "host" {
		if name != nil && !s.Empty(name) {
			s.Note(name, ledger.Informational, NetworkUnused, "", "the host's network has no name")
		}
		if l := e.Get("labels"); l != nil && !s.Empty(l) {
			s.Note(l, ledger.Informational, NetworkUnused, "", "the host's network takes no labels")
		}
		return
	}
	w.Network = estate.Own
	var ref estate.NetworkRef
	if name != nil {
		if text, ok := s.String(name); ok && text != "" {
			ref.Name = text
			s.Note(name, ledger.Decision, NetworkName, "policy#metadata.name",
				"what the network kept apart; proposed is the pod network, with a policy that names it")
		} else if ok {
			s.Note(name, ledger.Decision, NetworkName, "pod#spec", "the source's default network; proposed is the pod network")
		}
	}
	s.networkLabels(e.Get("labels"), &ref)
	if ref.Name != "" {
		w.Networks = append(w.Networks, ref)
	}
}

func (s Scope) networkMode(m *jsonpos.Value, mode string) {
	switch mode {
	case "host":
		s.Note(m, ledger.Decision, HostNetwork, "pod#spec.hostNetwork",
			"whether the host's own network is needed; proposed is the pod network, with ports as the program has them")
	case "container":
		s.Note(m, ledger.Decision, NetworkName, "pod#spec", "an address for each copy, as on the pod network, which is proposed")
	default:
		s.Note(m, ledger.Approximate, BridgeNetwork, "pod#spec", "an address for each copy in place of ports mapped from the host's")
	}
}

func (s Scope) networkLabels(v *jsonpos.Value, ref *estate.NetworkRef) {
	if s.Empty(v) || !s.Is(v, jsonpos.Object) {
		return
	}
	for _, e := range v.Elems() {
		text, ok := s.String(e)
		if !ok {
			continue
		}
		if _, found := discover.RedactURLs(text); found || s.B.IsSecretName(e.Key()) {
			s.Note(e, ledger.Decision, discover.SecretValue, "policy#metadata.annotations", "a secret for the old network's plugin: it stays in the snapshot")
			continue
		}
		if ref.Labels == nil {
			ref.Labels = map[string]string{}
		}
		ref.Labels[e.Key()] = text
		s.Note(e, ledger.Decision, NetworkName, "policy#metadata.annotations", "an instruction to the old network's plugin; proposed is to keep it as a note")
	}
}

// Linux reads linuxInfo, {"seccomp", "ipcInfo"}, for container c of w. Inside
// tells that the setting stands at one container of several that live
// together, and not at the workload.
func (s Scope) Linux(v *jsonpos.Value, w *estate.Workload, c *estate.Container, inside bool) {
	if s.Empty(v) || !s.Is(v, jsonpos.Object) {
		return
	}
	if x := v.Get("seccomp"); !s.Empty(x) && s.Is(x, jsonpos.Object) {
		s.seccomp(x, c)
	}
	if x := v.Get("ipcInfo"); !s.Empty(x) && s.Is(x, jsonpos.Object) {
		s.ipc(x, w, c, inside)
	}
}

func (s Scope) seccomp(v *jsonpos.Value, c *estate.Container) {
	unconfined := false
	if x := v.Get("unconfined"); x != nil {
		if yes, ok := s.Bool(x); ok {
			unconfined = yes
			s.Note(x, ledger.Exact, Seccomp, "container#securityContext.seccompProfile", "filtered or not, the same")
		}
	}
	name := ""
	if x := v.Get("profileName"); x != nil {
		text, ok := s.String(x)
		switch {
		case ok && unconfined:
			s.Note(x, ledger.Informational, Seccomp, "", "not used: the container is unconfined")
		case ok:
			name = text
			s.Note(x, ledger.Equivalent, Seccomp, "container#securityContext.seccompProfile", "the same profile, once its file is on the nodes")
		}
	}
	c.Security.Seccomp = name
	if unconfined {
		c.Security.Seccomp = "unconfined"
	}
}

func (s Scope) ipc(v *jsonpos.Value, w *estate.Workload, c *estate.Container, inside bool) {
	if x := v.Get("mode"); x != nil {
		word, ok := s.Choice(x, "PRIVATE", "SHARE_PARENT")
		switch {
		case !ok:
		case inside:
			s.Note(x, ledger.Approximate, SharedMemory, "pod#spec", "containers of one pod always share it among them")
		case word == "SHARE_PARENT":
			if w.Host == nil {
				w.Host = &estate.HostView{}
			}
			w.Host.IPC = true
			s.Note(x, ledger.Decision, SharedMemory, "pod#spec.hostIPC", "whether the host's shared memory is needed; proposed is to ask for it")
		default:
			s.Note(x, ledger.Exact, SharedMemory, "pod#spec.hostIPC", "its own, not the host's")
		}
	}
	if x := v.Get("shmSize"); x != nil {
		if n, ok := s.mebibytes(x); ok {
			s.Shm(w, c, n)
			s.Note(x, ledger.Equivalent, SharedMemory, "pod#spec.volumes", "a memory volume of that size at /dev/shm; it counts as the container's memory")
		}
	}
}

// Unreachable reads unreachableStrategy: "disabled" or an object with
// inactiveAfterSeconds and expungeAfterSeconds.
func (s Scope) Unreachable(v *jsonpos.Value, w *estate.Workload) {
	if v.Kind() == jsonpos.String {
		if !strings.EqualFold(v.Text(), "disabled") {
			s.wrong(v, `"disabled" or an object`)
			return
		}
		w.Unreachable = &estate.Unreachable{Disabled: true}
		s.Note(v, ledger.Equivalent, LostHost, "pod#spec.tolerations", "a copy on a lost node is waited for, without end")
		return
	}
	if s.Empty(v) || !s.Is(v, jsonpos.Object) {
		return
	}
	u := estate.Unreachable{}
	if x := v.Get("inactiveAfterSeconds"); x != nil {
		if n, ok := s.Seconds(x); ok {
			u.Replace = n
			s.Note(x, ledger.Approximate, LostHost, "pod#spec.tolerations", "so long after the node was found lost; Mesos took a while to find out, too")
		}
	}
	if x := v.Get("expungeAfterSeconds"); x != nil {
		if n, ok := s.Seconds(x); ok {
			u.Expunge = n
			s.Note(x, ledger.Approximate, LostHost, "pod#spec.tolerations", "the lost copy is deleted when its node comes back")
		}
	}
	if u.Expunge < u.Replace && v.Has("expungeAfterSeconds") {
		s.Report(LostHost, diag.Warning, v, "forgets a lost copy before it replaces it", "Marathon refuses that; inactiveAfterSeconds is taken")
	}
	w.Unreachable = &u
}
