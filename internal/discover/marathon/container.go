package marathon

import (
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/discover/field"
	"github.com/tranship/tranship/internal/discover/marathon/normal"
	"github.com/tranship/tranship/internal/estate"
)

// container reads what the app's process runs in.
func (a *app) container() {
	box := a.v.Get("container")
	if box.Kind() != jsonpos.Object {
		return
	}
	if a.Empty(box) {
		return
	}
	if t := a.n.Container.Type; t.At != nil {
		a.Note(t.At, ledger.Approximate, Engine, "pod#spec", "the node's container runtime takes the place of either engine")
	}
	a.Linux(box.Get("linuxInfo"), a.w, a.c, false)
	if x := box.Get("appc"); x != nil && !a.Empty(x) {
		a.Report(AppC, diag.Error, x, "has an appc image, a format that no runtime of Kubernetes reads", "build an OCI image of it")
		a.Note(x, ledger.Dropped, AppC, "", "an appc image, which no runtime of Kubernetes reads")
	}
	if a.docker == nil {
		a.Empty(box.Get("docker"))
		return
	}
	if a.Empty(a.docker) {
		return
	}
	a.image(a.docker.Get("image"))
	if x := a.docker.Get("forcePullImage"); x != nil {
		if yes, ok := a.Bool(x); ok {
			a.c.AlwaysPull = yes
			a.Note(x, ledger.Exact, PullPolicy, "container#imagePullPolicy", "pulled at each start or not, the same")
		}
	}
	if x := a.docker.Get("privileged"); x != nil {
		if yes, ok := a.Bool(x); ok {
			a.c.Security.Privileged = yes
			a.Note(x, ledger.Equivalent, Privileged, "container#securityContext.privileged",
				"the same, in a namespace whose Pod Security level allows it")
		}
	}
	if x := a.docker.Get("pullConfig"); x != nil {
		a.PullConfig(x, a.w)
	}
	if x := a.docker.Get("credential"); x != nil && !a.Empty(x) && a.Is(x, jsonpos.Object) {
		a.credential(x)
	}
}

func (a *app) image(x *jsonpos.Value) {
	if x == nil {
		return
	}
	text, ok := a.String(x)
	if !ok {
		return
	}
	text = strings.TrimSpace(text)
	clean, found := discover.RedactURLs(text)
	// docker run itself knows no scheme; Marathon took one as a part of the name.
	for _, scheme := range []string{"docker://", "https://", "http://"} {
		clean = strings.TrimPrefix(clean, scheme)
	}
	a.c.Image = clean
	switch {
	case found:
		a.Note(x, ledger.Decision, discover.CredentialInURL, "container#image", "the name held a credential, which was taken out")
	case mutable(clean):
		a.Note(x, ledger.Equivalent, MutableTag, "container#image",
			"the same as long as nobody moves the tag: pin the digest that the running tasks have")
	default:
		a.Note(x, ledger.Equivalent, Image, "container#image", "the same image, if the nodes reach its registry")
	}
}

// mutable reports whether an image has no tag, or one that is meant to move.
func mutable(image string) bool {
	if strings.Contains(image, "@") {
		return false
	}
	_, tag, has := strings.Cut(image[strings.LastIndexByte(image, '/')+1:], ":")
	return !has || tag == "latest" || tag == ""
}

// credential reads the oldest form of a registry's credential: a name and
// either a reference or the password itself, which is not to be told.
func (a *app) credential(x *jsonpos.Value) {
	leaf := x.Get("secret")
	if leaf == nil || !leaf.IsLeaf() {
		leaf = x.Get("principal")
	}
	if leaf != nil {
		r := a.Keep(a.w, "pull", a.c.Name, field.PullKey, leaf)
		for i := range a.w.Secrets {
			if a.w.Secrets[i].Name == r.Name {
				a.w.Secrets[i].Pull = true
			}
		}
		a.w.PullSecrets = append(a.w.PullSecrets, estate.SecretRef{Name: r.Name})
	}
	a.Note(x, ledger.Decision, field.PullCredential, "pod#spec.imagePullSecrets",
		"which credential pulls the image; proposed is a pull secret, unneeded with a registry that nodes may read")
}

// command reads what is run.
func (a *app) command() {
	cmd, args := a.v.Get("cmd"), a.v.Get("args")
	hasArgs := args.Kind() == jsonpos.Array && !args.IsLeaf()
	if cmd != nil && !a.Empty(cmd) {
		if text, ok := a.Words(cmd, a.w, a.c.Name, "shell", "", "container#command"); ok {
			a.c.Shell = text
			a.exposed(cmd)
		}
	}
	switch {
	case a.c.Shell != "" && hasArgs:
		a.Report(BothCommands, diag.Error, args, "has both cmd and args", "cmd is taken; delete one of the two")
		a.Note(args, ledger.Dropped, BothCommands, "", "beside cmd, which is taken")
	case args != nil:
		list := a.List(args, a.w, a.c.Name, "args", "container#args")
		for _, e := range args.Elems() {
			a.exposed(e)
		}
		if a.c.Image == "" {
			a.c.Command = list // without an image there is no entrypoint before them
		} else {
			a.c.Args = list
		}
	}
	if x := a.v.Get("executor"); x != nil {
		if text, ok := a.String(x); ok {
			if text == "" || text == "//cmd" {
				a.Note(x, ledger.Informational, Executor, "", "Mesos' own executor, as the kubelet is")
			} else {
				a.Report(Executor, diag.Warning, x, "runs by an executor of its own", "find out what the executor does beside running the command; none is used here")
				a.Note(x, ledger.Dropped, Executor, "", "an executor of its own: the kubelet runs the command")
			}
		}
	}
	if x := a.v.Get("executorResources"); x != nil && !a.Empty(x) {
		a.Note(x, ledger.Informational, Executor, "", "the executor's share: the kubelet's is in the node's own reserve")
	}
	if x := a.v.Get("tty"); x != nil {
		if yes, ok := a.Bool(x); ok {
			a.c.TTY = yes
			a.Note(x, ledger.Exact, Terminal, "container#tty", "the same")
		}
	}
	if x := a.v.Get("user"); x != nil {
		if text, ok := a.String(x); ok {
			a.c.Security.User = text
			a.Note(x, ledger.Decision, User, "container#securityContext.runAsUser",
				"a user of the agent: which number it has in the image; proposed is the image's own user, 0 for root")
		}
	}
}

// exposed reports a command whose URL holds a credential. It is left out, so
// that the command cannot do what it did until the secret comes back another way.
func (a *app) exposed(v *jsonpos.Value) {
	if _, found := discover.RedactURLs(v.Text()); found {
		a.Report(discover.CredentialInURL, diag.Warning, v, "has a URL with a credential in its command, which was left out",
			"hand it over in a variable that is a secret, and let the command read that")
	}
}

// fetch reads fetch, else uris.
func (a *app) fetch() {
	fetch, uris := a.v.Get("fetch"), a.v.Get("uris")
	if fetch != nil {
		a.Artifacts(fetch, a.w, a.c)
	}
	if uris == nil || fetch.Kind() == jsonpos.Array && !fetch.IsLeaf() && uris.Kind() == jsonpos.Array && !uris.IsLeaf() {
		return // normalisation has reported both
	}
	a.Artifacts(uris, a.w, a.c)
}

// volumes reads container.volumes. A host volume whose path is relative shows
// a persistent volume of that name, or a folder of the sandbox.
func (a *app) volumes() {
	list := a.v.At("container", "volumes")
	if list == nil || a.Empty(list) || !a.Is(list, jsonpos.Array) {
		return
	}
	var rest []*jsonpos.Value
	shown := map[string]bool{}
	for _, e := range list.Elems() {
		if h := e.Get("hostPath"); h.Kind() == jsonpos.String {
			shown[h.Text()] = true
		}
	}
	named := map[string]string{} // persistent volumes by the path that names them
	for _, e := range list.Elems() {
		switch {
		case a.Empty(e):
		case !a.Is(e, jsonpos.Object):
		case !e.Get("persistent").IsNull():
			a.persistent(e, shown, named)
		default:
			rest = append(rest, e)
		}
	}
	for _, e := range rest {
		a.volume(e, named)
	}
}

func (a *app) persistent(e *jsonpos.Value, shown map[string]bool, named map[string]string) {
	at := e.Get("containerPath")
	vol := estate.Volume{Name: baseName(at.Text())}
	if !a.Persistent(e.Get("persistent"), &vol) {
		return
	}
	a.w.Stateful = true
	rel := at.Text()
	if at.Kind() == jsonpos.String && rel != "" && !strings.HasPrefix(rel, "/") && shown[rel] {
		// another volume shows it at its real place
		vol.Name = a.freeName(vol.Name)
		a.w.Volumes = append(a.w.Volumes, vol)
		named[rel] = vol.Name
		a.Note(at, ledger.Equivalent, VolumePath, "workload#spec.volumeClaimTemplates", "the name that ties it to where it is mounted")
		a.mode(e)
		a.Note(e.Get("mode"), ledger.Informational, VolumeMode, "", "the volume that shows it at its real place says whether it is written to")
		return
	}
	a.mount(e, vol)
}

func baseName(p string) string {
	p = strings.Trim(p, "/")
	return p[strings.LastIndexByte(p, '/')+1:]
}

func (a *app) freeName(stem string) string {
	probe := estate.Container{}
	w := estate.Workload{Volumes: a.w.Volumes}
	if !a.AddMount(&w, &probe, estate.Volume{Name: stem}, estate.Mount{Path: "/volume"}) {
		return "volume"
	}
	return probe.Mounts[0].Volume
}

// mode reads whether a mount may be written to.
func (a *app) mode(e *jsonpos.Value) (readOnly bool) {
	x := e.Get("mode")
	if x == nil {
		return false
	}
	word, ok := a.Choice(x, "RW", "RO")
	if !ok {
		return false
	}
	a.Note(x, ledger.Exact, VolumeMode, "container#volumeMounts.readOnly", "written to or not, the same")
	return word == "RO"
}

// mount adds vol where e says, and enters where that is.
func (a *app) mount(e *jsonpos.Value, vol estate.Volume) {
	at := e.Get("containerPath")
	where := at.Text()
	if where != "" && !strings.HasPrefix(where, "/") {
		where = field.Sandbox + "/" + where
	}
	m := estate.Mount{Path: where, ReadOnly: a.mode(e)}
	if vol.Kind == estate.SecretVolume {
		m.SubPath, m.ReadOnly = field.SecretKey, true
	}
	if at.Kind() != jsonpos.String || !a.AddMount(a.w, a.c, vol, m) {
		a.Report(BadMount, diag.Error, e, "has a volume at a path that Kubernetes refuses, or at which another one is mounted",
			"the volume was left out and the rest was read; correct its containerPath")
		for _, x := range e.Elems() {
			x.Leaves(func(leaf *jsonpos.Value) {
				a.Note(leaf, ledger.Dropped, BadMount, "", "of a volume without a place of its own, which was left out")
			})
		}
		return
	}
	if where != at.Text() {
		a.c.Sandbox = field.Sandbox
	}
	a.Note(at, ledger.Exact, VolumePath, "container#volumeMounts.mountPath", "the same path; a relative one is below "+field.Sandbox)
}

func (a *app) volume(e *jsonpos.Value, named map[string]string) {
	vol := estate.Volume{}
	switch {
	case !e.Get("external").IsNull():
		vol.Name = baseName(e.At("external", "name").Text())
		if a.External(e.Get("external"), a.w, &vol) {
			a.mount(e, vol)
		}
	case !e.Get("secret").IsNull():
		x := e.Get("secret")
		if text, ok := a.String(x); ok && text != "" {
			r := a.SecretRef(x, a.w)
			vol = estate.Volume{Name: "secret-" + text, Kind: estate.SecretVolume, Secret: &r}
			a.Note(x, ledger.Equivalent, SecretFile, "pod#spec.volumes", "the same file, once secret "+r.Name+" exists; it does not change while the copy runs")
			a.mount(e, vol)
		}
	case !e.Get("hostPath").IsNull():
		a.hostVolume(e, e.Get("hostPath"), named)
	default:
		vol.Kind = estate.EphemeralVolume
		a.mount(e, vol)
	}
	for _, key := range []string{"hostPath", "persistent", "external", "secret"} {
		if x := e.Get(key); x.IsNull() {
			a.Empty(x)
		}
	}
}

func (a *app) hostVolume(e, x *jsonpos.Value, named map[string]string) {
	text, ok := a.String(x)
	if !ok {
		return
	}
	switch {
	case named[text] != "":
		a.Note(x, ledger.Equivalent, VolumePath, "container#volumeMounts.name", "the persistent volume of that name")
		a.alias(e, named[text])
	case !strings.HasPrefix(text, "/"):
		a.Note(x, ledger.Approximate, SandboxPath, "pod#spec.volumes",
			"a folder of the sandbox: an empty volume, which the sandbox's own files are not in")
		a.mount(e, estate.Volume{Name: baseName(text), Kind: estate.EphemeralVolume})
	default:
		code, reason := HostPath, "how what lies there comes to the nodes; proposed is the same path of the node"
		if strings.HasSuffix(text, "docker.sock") {
			a.Report(DockerSocket, diag.Warning, x, "uses the agent's Docker daemon", "nodes run containerd and have no such socket: find out what it does with it")
			code, reason = DockerSocket, "nodes have no Docker daemon: what it does with it must be done another way; proposed is the same path, which leads nowhere"
		}
		a.Note(x, ledger.Decision, code, "pod#spec.volumes", reason)
		a.mount(e, estate.Volume{Name: baseName(text), Kind: estate.HostVolume, HostPath: text, Shared: true})
	}
}

// alias mounts a volume that is there already.
func (a *app) alias(e *jsonpos.Value, volume string) {
	before := len(a.w.Volumes)
	a.mount(e, estate.Volume{Name: "alias"})
	if len(a.w.Volumes) == before {
		return
	}
	a.w.Volumes = a.w.Volumes[:before]
	a.c.Mounts[len(a.c.Mounts)-1].Volume = volume
}

// strategy reads how copies come and go.
func (a *app) strategy() {
	u := estate.Update{MinHealthy: 1, MaxOver: 1}
	if a.n.Resident {
		u.MinHealthy, u.MaxOver = 0.5, 0
	}
	if v := a.v.Get("upgradeStrategy"); v != nil {
		a.Upgrade(v, &u)
	}
	a.w.Update = &u
	if v := a.v.Get("unreachableStrategy"); v != nil {
		a.Unreachable(v, a.w)
	}
	if a.w.Unreachable == nil {
		a.w.Unreachable = unreachable(a.n.UnreachableStrategy)
	}
	if v := a.v.Get("killSelection"); v != nil {
		a.KillSelection(v)
	}
	a.Backoff(a.v, "backoffSeconds", "backoffFactor", "maxLaunchDelaySeconds")
	if v := a.v.Get("taskKillGracePeriodSeconds"); v != nil {
		if n, ok := a.Seconds(v); ok {
			a.w.KillGrace = &n
			a.Note(v, ledger.Equivalent, KillGrace, "pod#spec.terminationGracePeriodSeconds",
				"the same time; the shell form hands no signal on, here as there")
		}
	}
	if v := a.v.Get("residency"); v != nil && !a.Empty(v) {
		a.Note(v, ledger.Informational, Residency, "", "has had no effect since Marathon 1.5; persistent volumes decide")
	}
}

func unreachable(u normal.Unreachable) *estate.Unreachable {
	return &estate.Unreachable{Disabled: u.Disabled.Value, Default: true}
}
