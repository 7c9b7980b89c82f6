package swarm

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/discover"
)

func itoa(i int) string { return strconv.Itoa(i) }

// A handler enters what becomes of one key of a service.
type handler func(*service, *jsonpos.Value)

// all rules all leaves of a key alike.
func all(r discover.Ruling) handler {
	return func(s *service, v *jsonpos.Value) {
		if v.IsLeaf() && v.Kind() != jsonpos.String && v.Kind() != jsonpos.Number && v.Kind() != jsonpos.Bool {
			s.put(v, empty)
			return
		}
		s.put(v, r)
	}
}

// serviceKeys are the keys of a service, of today's specification and of the
// versions before it, with what becomes of each.
var serviceKeys = map[string]handler{
	"image":             noteImage,
	"build":             noteBuild,
	"dockerfile":        noteBuild,
	"pull_policy":       notePull,
	"command":           noteCommand,
	"entrypoint":        noteCommand,
	"working_dir":       all(exact(Setting, "container#workingDir", "the same folder")),
	"tty":               all(exact(Setting, "container#tty", "the same")),
	"stdin_open":        all(exact(Setting, "container#stdin", "the same")),
	"user":              noteUser,
	"group_add":         noteGroups,
	"environment":       noteEnvironment,
	"env_file":          noteEnvFile,
	"ports":             notePorts,
	"expose":            noteExpose,
	"networks":          noteNetworks,
	"network_mode":      noteNetworkMode,
	"net":               noteNetworkMode,
	"links":             all(approximate(StartOrder, "workload#wave", "Kubernetes starts in no order; the service is moved after what it links to, whose alias is kept as a name")),
	"external_links":    all(decision(StartOrder, "service#metadata.name", "leads to a container outside of the file; proposed is to leave it out, and to use that workload's name")),
	"depends_on":        noteDependsOn,
	"volumes":           noteMounts,
	"volumes_from":      all(decision(MountedVolume, "pod#spec.volumes", "shares the volumes of another service; proposed are shared claims")),
	"tmpfs":             noteTmpfs,
	"configs":           noteGrants,
	"secrets":           noteGrants,
	"healthcheck":       noteHealth,
	"deploy":            noteDeploy,
	"scale":             noteScale,
	"restart":           noteRestart,
	"stop_grace_period": all(exact(Setting, "pod#spec.terminationGracePeriodSeconds", "the same time")),
	"stop_signal":       all(dropped(NotCarried, "Kubernetes sends the signal that the image names; build it into the image (STOPSIGNAL)")),
	"extra_hosts":       noteHosts,
	"dns":               all(decision(Setting, "pod#spec.dnsConfig.nameservers", "servers of the old network may not answer; proposed are the same servers")),
	"dns_search":        all(decision(Setting, "pod#spec.dnsConfig.searches", "domains of the old network may not be there; proposed are the same ones besides the cluster's")),
	"dns_opt":           all(decision(Setting, "pod#spec.dnsConfig.options", "proposed are the same options")),
	"hostname":          all(exact(Setting, "pod#spec.hostname", "the same name")),
	"domainname":        all(approximate(Setting, "pod#spec.subdomain", "a pod's domain is the cluster's")),
	"container_name":    all(decision(NetworkAlias, "service#metadata.name", "others may call the service so; proposed is an alias")),
	"sysctls":           all(equivalent(SecurityOption, "pod#spec.securityContext.sysctls", "the same, if the nodes allow it")),
	"ulimits":           all(dropped(Tuning, "Kubernetes has no such limit; nodes set it for all containers")),
	"cap_add":           all(exact(Setting, "container#securityContext.capabilities.add", "the same")),
	"cap_drop":          all(exact(Setting, "container#securityContext.capabilities.drop", "the same")),
	"security_opt":      noteSecurity,
	"privileged":        all(exact(Setting, "container#securityContext.privileged", "the same, in a namespace that allows it")),
	"read_only":         all(exact(Setting, "container#securityContext.readOnlyRootFilesystem", "the same")),
	"shm_size":          all(equivalent(MemoryVolume, "pod#spec.volumes.emptyDir.sizeLimit", "a memory volume of the same size at /dev/shm")),
	"init":              all(approximate(NotCarried, "", "an init process belongs into the image (tini)")),
	"pid":               noteNamespace,
	"ipc":               noteNamespace,
	"labels":            noteLabels,
	"annotations":       noteLabels,
	"label_file":        all(decision(NotCarried, "workload#metadata.annotations", "labels of a file; proposed is to leave them out")),
	"profiles":          all(decision(ProfileOnly, "workload", "runs only where a profile is chosen; proposed is to run it as the others")),
	"mem_limit":         all(equivalent(Memory, "container#resources.limits.memory", "the same limit, requested as a whole where nothing less is reserved")),
	"mem_reservation":   noteReservation,
	"cpus":              all(equivalent(Processor, "container#resources.limits.cpu", "the same limit")),
	"cpu_shares":        all(approximate(Processor, "container#resources.requests.cpu", "a share of 1024 is requested as one core")),
	"cpu_quota":         all(approximate(Processor, "container#resources.limits.cpu", "a limit of quota by period")),
	"cpu_period":        all(approximate(Processor, "container#resources.limits.cpu", "a limit of quota by period")),
	"pids_limit":        all(approximate(Tuning, "", "kubelet bounds processes for all pods of a node alike")),
	"gpus":              noteDevices,
	"devices":           all(decision(Device, "container#resources.limits", "a device of the machine; proposed is to leave it out, a device plugin offers it")),
	"platform":          all(equivalent(Placement, "pod#spec.affinity.nodeAffinity", "only on nodes of this system and architecture")),
	"extends":           noteExtends,
	"provider":          all(decision(NotCarried, "workload", "is run by an external provider; proposed is to leave it out")),
	"logging":           all(dropped(Logging, "logs go to the node, and an agent collects them")),
	"log_driver":        all(dropped(Logging, "logs go to the node, and an agent collects them")),
	"log_opt":           all(dropped(Logging, "logs go to the node, and an agent collects them")),
	"develop":           all(informational(NoBehaviour, "serves development alone")),
	"attach":            all(informational(NoBehaviour, "says what a terminal shows")),
	"post_start":        all(dropped(NotCarried, "runs beside the start; add it to the image or as a lifecycle hook")),
	"pre_start":         all(dropped(NotCarried, "runs before the start; add it as an init container")),
	"pre_stop":          all(dropped(NotCarried, "runs before the stop; add it as a lifecycle hook")),
	"models":            all(dropped(NotCarried, "a language model by Docker's own runner")),
	"blkio_config":      all(dropped(Tuning, "Kubernetes has no such setting")),
	"cgroup":            all(dropped(Tuning, "Kubernetes has no such setting")),
	"cgroup_parent":     all(dropped(Tuning, "kubelet chooses the group")),
	"cpu_count":         all(dropped(Tuning, "Windows only")),
	"cpu_percent":       all(dropped(Tuning, "Windows only")),
	"cpu_rt_period":     all(dropped(Tuning, "Kubernetes has no such setting")),
	"cpu_rt_runtime":    all(dropped(Tuning, "Kubernetes has no such setting")),
	"cpuset":            all(dropped(Tuning, "kubelet's CPU manager chooses processors")),
	"credential_spec":   all(dropped(NotCarried, "Windows only")),
	"device_cgroup_rules": all(dropped(Device,
		"Kubernetes has no such rule; a device plugin offers devices")),
	"isolation":          all(dropped(Tuning, "Windows only")),
	"mac_address":        all(dropped(NetworkDetail, "the pod network chooses addresses")),
	"mem_swappiness":     all(dropped(Tuning, "Kubernetes has no such setting")),
	"memswap_limit":      all(dropped(Tuning, "pods do not swap")),
	"oom_kill_disable":   all(dropped(Tuning, "Kubernetes has no such setting")),
	"oom_score_adj":      all(dropped(Tuning, "kubelet sets it by the class of the pod")),
	"pull_refresh_after": all(dropped(NotCarried, "Kubernetes pulls always or when missing")),
	"runtime":            all(dropped(NotCarried, "choose a runtime class at the target")),
	"storage_opt":        all(dropped(Tuning, "Kubernetes has no such setting")),
	"use_api_socket":     all(dropped(NotCarried, "the target has no Docker")),
	"userns_mode":        all(dropped(Tuning, "the pod's user namespace is the node's")),
	"uts":                all(dropped(Tuning, "a pod has a host name of its own")),
	"volume_driver":      all(dropped(VolumeDetail, "a storage class takes its place")),
}

func noteImage(s *service, v *jsonpos.Value) {
	r := exact(Image, "container#image", "the same image")
	if s.text(v) == "" {
		r = empty
	}
	if s.unclean(v) {
		r = decision(Image, "container#image", "the image's name with a secret taken out")
	}
	s.put(v, r)
}

func noteBuild(s *service, v *jsonpos.Value) {
	r := decision(Build, "container#image", "the image must be built and pushed; proposed is a name in the registry of the policy")
	if s.c.Image != "" {
		r = informational(Build, "the image has a name; how it is built is not carried")
	}
	s.put(v, r)
}

func notePull(s *service, v *jsonpos.Value) {
	switch s.c.PullPolicy {
	case "always":
		s.put(v, exact(Image, "container#imagePullPolicy", "the same"))
	case "missing", "if_not_present":
		s.put(v, approximate(Image, "container#imagePullPolicy", "what Kubernetes does by itself, but for images tagged latest"))
	default:
		s.put(v, approximate(Image, "container#imagePullPolicy", "Kubernetes pulls always or when missing"))
	}
}

func noteCommand(s *service, v *jsonpos.Value) {
	r := exact(Command, "container#args", "the same words")
	if v.Key() == "entrypoint" {
		r.Target = "container#command"
	}
	if v.IsLeaf() && v.Kind() == jsonpos.Array || v.Kind() == jsonpos.String && strings.TrimSpace(s.text(v)) == "" {
		s.put(v, approximate(Command, r.Target, "takes the image's own words away, which Kubernetes cannot"))
		return
	}
	secret := decision(SecretInText, r.Target, "holds a secret, which is taken out; proposed is to hand it over in a variable")
	if v.Kind() != jsonpos.Array {
		if s.unclean(v) {
			s.warn(SecretInText, v, "has a secret in its "+v.Key(), "hand it over in a variable or a file")
			r = secret
		}
		s.put(v, r)
		return
	}
	for _, e := range v.Elems() {
		if s.unclean(e) {
			s.warn(SecretInText, real(e), "has a secret in its "+v.Key(), "hand it over in a variable or a file")
			s.put(e, secret)
			continue
		}
		s.put(e, r)
	}
}

var numeric = regexp.MustCompile(`^\d+(:\d+)?$`)

func noteUser(s *service, v *jsonpos.Value) {
	if numeric.MatchString(s.text(v)) {
		s.put(v, equivalent(User, "container#securityContext.runAsUser", "the same numbers"))
		return
	}
	s.put(v, decision(User, "container#securityContext.runAsUser", "which number the name has in the image; proposed is the image's own user"))
}

func noteGroups(s *service, v *jsonpos.Value) {
	if v.IsLeaf() {
		s.put(v, empty)
		return
	}
	for _, e := range v.Elems() {
		if numeric.MatchString(s.text(e)) {
			s.put(e, equivalent(User, "pod#spec.securityContext.supplementalGroups", "the same number"))
			continue
		}
		s.put(e, decision(User, "pod#spec.securityContext.supplementalGroups", "which number the group has in the image"))
	}
}

func noteSecurity(s *service, v *jsonpos.Value) {
	if v.IsLeaf() {
		s.put(v, empty)
		return
	}
	for _, e := range v.Elems() {
		scratch := s.k.Security
		s.put(e, securityOption(s.text(e), &scratch))
	}
}

func noteNamespace(s *service, v *jsonpos.Value) {
	s.put(v, decision(HostNamespace, "pod#spec.host", "whose processes or memory it sees; proposed is the machine's where it says host, else its own"))
}

func noteLabels(s *service, v *jsonpos.Value) {
	if v.IsLeaf() {
		s.put(v, empty)
	}
}

func noteExtends(s *service, v *jsonpos.Value) {
	s.put(v, approximate(Merged, "workload", "its fields were merged in as Compose does"))
}
