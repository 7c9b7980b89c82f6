package metronome

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/discover/field"
	"github.com/tranship/tranship/internal/estate"
)

// run reads what the job does when it runs.
func (j *reading) run(v *jsonpos.Value) {
	j.c.CPU, j.c.Memory = field.DefaultCPU, field.DefaultMemory
	if v == nil || !j.object(v) {
		j.noImage()
		return
	}
	j.Secrets(v.Get("secrets"), j.w) // before those who refer to them
	j.image(v)
	j.command(v)
	j.Resources(v, j.c)
	j.c.Env = j.Env(v.Get("env"), j.w, j.c.Name)
	j.Networks(v.Get("networks"), j.w)
	j.volumes(v.Get("volumes"))
	j.Artifacts(v.Get("artifacts"), j.w, j.c)
	j.restart(v.Get("restart"))
	if p := v.Get("placement"); p != nil && j.object(p) {
		j.w.Constraints = j.Constraints(p.Get("constraints"))
	}
	for _, key := range []string{"maxLaunchDelay", "maxLaunchDelaySeconds"} {
		if x := v.Get(key); x != nil {
			if _, ok := j.Number(x); ok {
				j.Note(x, ledger.Dropped, LaunchDelay, "", "Kubernetes has no limit to the time that a pod waits for a node; a pending job is an alert's business")
			}
		}
	}
	if x := v.Get("taskKillGracePeriodSeconds"); x != nil {
		if n, ok := j.Seconds(x); ok {
			j.w.KillGrace = &n
			verdict, reason := ledger.Equivalent, "the same, in whole seconds"
			if n < 1 {
				verdict, reason = ledger.Approximate, "a second: to Kubernetes 0 is to kill at once and to forget the pod"
			}
			j.Note(x, verdict, KillGrace, "pod#spec.terminationGracePeriodSeconds", reason)
		}
	}
	if x := v.Get("user"); x != nil {
		if text, ok := j.String(x); ok {
			j.c.Security.User = text
			j.Note(x, ledger.Decision, User, "container#securityContext.runAsUser",
				"which number the user has in the image; proposed is to look it up there, root is 0")
		}
	}
	// Last: a flag that says again what the job says is passed over.
	j.DockerParameters(v.At("docker", "parameters"), j.w, j.c)
}

func (j *reading) noImage() {
	j.Report(NoImage, diag.Warning, j.v, "has no image: it ran on the agent's own files",
		"name a base image for it in tranship.yaml (spec.images.base), or build one with what it fetches")
}

// image reads the container: docker, or ucr.
func (j *reading) image(v *jsonpos.Value) {
	docker, ucr := v.Get("docker"), v.Get("ucr")
	if docker != nil && j.object(docker) {
		j.docker(docker)
		if !j.Empty(ucr) {
			j.Report(BothContainers, diag.Error, ucr, "has both docker and ucr", "docker is taken; delete the other")
			j.Note(ucr, ledger.Dropped, BothContainers, "", "beside docker, which is taken")
		}
	} else if ucr != nil && j.object(ucr) {
		j.ucr(ucr)
	}
	if j.c.Image == "" {
		j.noImage()
	}
}

func (j *reading) docker(v *jsonpos.Value) {
	j.imageName(v.Get("image"))
	if x := v.Get("forcePullImage"); x != nil {
		j.forcePull(x)
	}
	if x := v.Get("privileged"); x != nil {
		j.privileged(x)
	}
	j.PullConfig(v.Get("pullConfig"), j.w)
}

func (j *reading) ucr(v *jsonpos.Value) {
	if img := v.Get("image"); img != nil && j.object(img) {
		if x := img.Get("kind"); x != nil {
			word, ok := j.Choice(x, "docker", "appc")
			switch {
			case !ok:
			case word == "appc":
				j.Report(NoImage, diag.Warning, x, "has an image in the format of appc, which no registry has any more", "build it as a Docker image")
				j.Note(x, ledger.Decision, ImageKind, "container#image", "an image in the format of appc; proposed is a Docker image of the same name")
			default:
				j.Note(x, ledger.Approximate, ImageKind, "container#image", "the kind that containerd reads; it takes OCI images, too")
			}
		}
		j.imageName(img.Get("id"))
		if x := img.Get("forcePull"); x != nil {
			j.forcePull(x)
		}
		j.PullConfig(img.Get("pullConfig"), j.w)
	}
	if x := v.Get("privileged"); x != nil {
		j.privileged(x)
	}
}

func (j *reading) imageName(v *jsonpos.Value) {
	if v == nil {
		return
	}
	text, ok := j.String(v)
	if !ok {
		return
	}
	clean, found := discover.RedactURLs(strings.TrimSpace(text))
	j.c.Image = clean
	if found {
		j.Note(v, ledger.Decision, discover.CredentialInURL, "container#image", "the name held a credential, which was taken out")
		return
	}
	j.Note(v, ledger.Exact, Image, "container#image", "the same image")
}

func (j *reading) forcePull(v *jsonpos.Value) {
	if yes, ok := j.Bool(v); ok {
		j.c.AlwaysPull = yes
		j.Note(v, ledger.Exact, PullPolicy, "container#imagePullPolicy", "pulled at each start or not, the same")
	}
}

func (j *reading) privileged(v *jsonpos.Value) {
	if yes, ok := j.Bool(v); ok {
		j.c.Security.Privileged = yes
		j.Note(v, ledger.Equivalent, Privileged, "container#securityContext.privileged", "the same, where the namespace admits it")
	}
}

func (j *reading) command(v *jsonpos.Value) {
	cmd, args := v.Get("cmd"), v.Get("args")
	if cmd != nil {
		j.c.Shell, _ = j.Words(cmd, j.w, j.c.Name, "shell", "", "container#command")
	}
	switch {
	case j.Empty(args):
	case j.c.Shell != "":
		j.Report(BothCommands, diag.Error, args, "has both cmd and args", "cmd is taken; delete the other")
		j.Note(args, ledger.Dropped, BothCommands, "", "beside cmd, which is taken")
	case j.c.Image == "":
		j.c.Command = j.List(args, j.w, j.c.Name, "command", "container#command")
	default:
		j.c.Args = j.List(args, j.w, j.c.Name, "args", "container#args")
	}
}

func (j *reading) restart(v *jsonpos.Value) {
	if v == nil || !j.object(v) {
		return
	}
	r := j.w.Run
	if x := v.Get("policy"); x != nil {
		word, ok := j.Choice(x, "NEVER", "ON_FAILURE")
		switch {
		case !ok:
		case word == "ON_FAILURE":
			r.Retry = true
			j.Note(x, ledger.Approximate, Restart, "job#spec.backoffLimit",
				"tried again in a new pod, with growing delays and an upper bound of attempts; Metronome had none")
		default:
			j.Note(x, ledger.Exact, Restart, "job#spec.backoffLimit", "one attempt: backoffLimit 0 and restartPolicy Never")
		}
	}
	if x := v.Get("activeDeadlineSeconds"); x != nil {
		n, ok := j.Seconds(x)
		switch {
		case ok && r.Retry:
			r.ActiveDeadline = n
			j.Note(x, ledger.Approximate, RetryTime, "job#spec.activeDeadlineSeconds",
				"no new attempt after it; Kubernetes also ends an attempt that is still running then")
		case ok:
			j.Note(x, ledger.Informational, RetryTime, "", "counts only where a failed run is tried again")
		}
	}
}

func (j *reading) volumes(v *jsonpos.Value) {
	if j.Empty(v) || !j.Is(v, jsonpos.Array) {
		return
	}
	for _, e := range v.Elems() {
		if !j.Empty(e) && j.Is(e, jsonpos.Object) {
			j.volume(e)
		}
	}
}

func (j *reading) volume(e *jsonpos.Value) {
	at := e.Get("containerPath")
	where := mountPath(at.Text())
	problem := ""
	switch {
	case at.Kind() != jsonpos.String || where == "":
		problem = "has a volume that is shown nowhere"
	case where == "/" || strings.Contains(where, ":"):
		problem = "has a volume at a path that Kubernetes refuses"
	}
	verdict, reason := ledger.Dropped, problem+"; it was left out"
	if slices.ContainsFunc(j.c.Mounts, func(m estate.Mount) bool { return m.Path == where }) {
		problem = "has two volumes at " + where
		verdict, reason = ledger.Decision, "which of two volumes is shown at one path; proposed is the first"
	}
	if problem != "" {
		j.Report(BadVolume, diag.Error, e, problem, "the volume was left out; correct it at the source")
		for _, key := range []string{"containerPath", "hostPath", "mode", "secret"} {
			j.Note(e.Get(key), verdict, BadVolume, "container#volumeMounts", reason)
		}
		return
	}
	vol := estate.Volume{Kind: estate.EphemeralVolume}
	m := estate.Mount{Path: where}
	host, secret := e.Get("hostPath"), e.Get("secret")
	if secret != nil && !j.Empty(secret) {
		if text, ok := j.String(secret); ok && text != "" {
			r := j.SecretRef(secret, j.w)
			vol.Kind, vol.Secret = estate.SecretVolume, &r
			m.SubPath, m.ReadOnly = field.SecretKey, true
			j.Note(secret, ledger.Equivalent, SecretFile, "pod#spec.volumes", "the same file, once secret "+r.Name+" exists")
		}
	}
	j.hostPath(host, &vol)
	if x := e.Get("persistent"); x != nil && vol.Kind == estate.EphemeralVolume && !j.Empty(x) {
		j.Persistent(x, &vol)
	}
	if x := e.Get("external"); x != nil && vol.Kind == estate.EphemeralVolume && !j.Empty(x) {
		j.External(x, j.w, &vol)
	}
	j.mode(e.Get("mode"), vol.Kind, &m)
	j.Note(at, ledger.Exact, VolumeMount, "container#volumeMounts", "the same path; a relative one is below "+field.Sandbox)
	if !strings.HasPrefix(at.Text(), "/") {
		j.c.Sandbox = field.Sandbox
	}
	vol.Name = j.volumeName(where)
	m.Volume = vol.Name
	j.w.Volumes = append(j.w.Volumes, vol)
	j.c.Mounts = append(j.c.Mounts, m)
}

func (j *reading) hostPath(v *jsonpos.Value, vol *estate.Volume) {
	if v == nil || j.Empty(v) {
		return
	}
	text, ok := j.String(v)
	switch {
	case !ok:
	case vol.Kind == estate.SecretVolume:
		j.Note(v, ledger.Informational, HostPath, "", "beside a secret, which is shown")
	case strings.HasPrefix(text, "/"):
		vol.Kind, vol.HostPath, vol.Shared = estate.HostVolume, path.Clean(text), true
		j.Note(v, ledger.Decision, HostPath, "pod#spec.volumes", "how what lies there comes to the nodes; proposed is the same path of the node")
	default:
		j.Note(v, ledger.Approximate, HostPath, "pod#spec.volumes", "a folder of the run's sandbox: an empty volume")
	}
}

func (j *reading) mode(v *jsonpos.Value, kind estate.VolumeKind, m *estate.Mount) {
	if v == nil {
		return
	}
	word, ok := j.Choice(v, "RO", "RW")
	switch {
	case !ok:
	case kind == estate.SecretVolume:
		j.Note(v, ledger.Informational, VolumeMount, "", "a secret is never written to")
	default:
		m.ReadOnly = word == "RO"
		j.Note(v, ledger.Exact, VolumeMount, "container#volumeMounts", "written to or not, the same")
	}
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

var notInVolume = regexp.MustCompile(`[^a-z0-9]+`)

// volumeName names a volume after the path at which it is shown.
func (j *reading) volumeName(where string) string {
	name := strings.Trim(notInVolume.ReplaceAllString(strings.ToLower(strings.TrimPrefix(where, field.Sandbox)), "-"), "-")
	if name == "" {
		name = "volume"
	}
	for {
		free := true
		for i := range j.w.Volumes {
			free = free && j.w.Volumes[i].Name != name
		}
		if free {
			return name
		}
		name += "-2"
	}
}
