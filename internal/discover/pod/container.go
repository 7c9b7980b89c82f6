package pod

import (
	"strconv"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/discover/field"
	"github.com/tranship/tranship/internal/estate"
)

func (p *pod) containers() {
	p.w.Containers = make([]estate.Container, len(p.at))
	for i, v := range p.at {
		p.name(v, i)
	}
	p.endpoints()
	for i, v := range p.at {
		p.container(v, &p.w.Containers[i])
	}
	p.sharedEnv()
	p.killGrace()
}

// name names container i; every container has a name of its own.
func (p *pod) name(v *jsonpos.Value, i int) {
	c := &p.w.Containers[i]
	x := v.Get("name")
	text, ok := "", false
	if x != nil {
		text, ok = p.String(x)
	}
	taken := func(name string) bool {
		for k := range i {
			if p.w.Containers[k].Name == name {
				return true
			}
		}
		return false
	}
	if c.Name = text; text == "" || taken(text) {
		for n := i + 1; c.Name == "" || taken(c.Name); n++ {
			c.Name = "container-" + strconv.Itoa(n)
		}
		p.Report(ContainerName, diag.Warning, v, "has a container without a name of its own; it is called "+c.Name, "name it at the source")
		if ok {
			p.Note(x, ledger.Approximate, ContainerName, "container#name", "not its own alone; it is called "+c.Name)
		}
		return
	}
	if len(p.at) > 1 {
		p.Note(x, ledger.Approximate, SharedFate, "container#name",
			"the same name; but Mesos ended the whole copy when one of its containers ended, and the kubelet starts that one again")
		return
	}
	p.Note(x, ledger.Exact, ContainerName, "container#name", "the same name")
}

func (p *pod) container(v *jsonpos.Value, c *estate.Container) {
	p.image(v.Get("image"), c)
	p.exec(v.Get("exec"), c)
	if r := v.Get("resources"); r == nil || p.object(r) {
		p.Resources(r, c)
	} else {
		c.CPU, c.Memory = field.DefaultCPU, field.DefaultMemory
	}
	p.Limits(v.Get("resourceLimits"), c)
	p.mounts(v.Get("volumeMounts"), c)
	p.Artifacts(v.Get("artifacts"), p.w, c)
	p.Linux(v.Get("linuxInfo"), p.w, c, true)
	p.labels(v.Get("labels"), c)
	if x := v.Get("user"); x != nil {
		if text, ok := p.String(x); ok {
			c.Security.User = text
			p.user(x, true)
		}
	}
	if x := v.Get("tty"); x != nil {
		if yes, ok := p.Bool(x); ok {
			c.TTY = yes
			p.Note(x, ledger.Exact, Terminal, "container#tty", "the same")
		}
	}
	if x := v.Get("type"); !p.Empty(x) {
		p.Note(x, ledger.Informational, ImageKind, "", "pods have one kind of container")
	}
	p.healthCheck(v.Get("healthCheck"), c)
	p.check(v.Get("check"), c)
}

func (p *pod) image(v *jsonpos.Value, c *estate.Container) {
	if v == nil || !p.object(v) {
		return
	}
	if x := v.Get("id"); x != nil {
		if text, ok := p.String(x); ok {
			clean, found := discover.RedactURLs(text)
			c.Image = clean
			if found {
				p.Note(x, ledger.Decision, discover.CredentialInURL, "container#image", "the name held a credential, which was taken out")
			} else {
				p.Note(x, ledger.Exact, Image, "container#image", "the same image")
			}
		}
	}
	if x := v.Get("kind"); x != nil {
		if _, ok := p.Choice(x, "DOCKER"); ok {
			p.Note(x, ledger.Informational, ImageKind, "", "the one kind that pods have")
		}
	}
	if x := v.Get("forcePull"); x != nil {
		if yes, ok := p.Bool(x); ok {
			c.AlwaysPull = yes
			p.Note(x, ledger.Exact, PullPolicy, "container#imagePullPolicy", "pulled at each start or not, the same")
		}
	}
	p.PullConfig(v.Get("pullConfig"), p.w)
	if x := v.Get("labels"); x != nil && p.object(x) {
		for _, e := range x.Elems() {
			p.Note(e, ledger.Informational, ImageKind, "", "Mesos looked for no image by it")
		}
	}
}

func (p *pod) exec(v *jsonpos.Value, c *estate.Container) {
	if v == nil || !p.object(v) {
		return
	}
	cmd, override := v.Get("command"), v.Get("overrideEntrypoint")
	instead := false
	if override != nil {
		instead, _ = p.Bool(override)
	}
	shell := ""
	if cmd != nil && p.object(cmd) {
		if x := cmd.Get("shell"); x != nil && !p.Empty(x) {
			shell, _ = p.Words(x, p.w, c.Name, "shell", "", "container#command")
		}
		argv := cmd.Get("argv")
		switch {
		case shell != "" && !p.Empty(argv):
			p.Report(BothCommands, diag.Error, cmd, "has both shell and argv", "the shell command is taken; delete the other")
			p.Note(argv, ledger.Dropped, BothCommands, "", "beside a shell command, which is taken")
		case c.Image == "" || instead:
			c.Command = p.List(argv, p.w, c.Name, "command", "container#command")
		default:
			c.Args = p.List(argv, p.w, c.Name, "args", "container#args")
		}
	}
	c.Shell = shell
	if override == nil || p.B.Noted(override) {
		return
	}
	switch {
	case len(c.Command)+len(c.Args) > 0 && c.Image != "":
		p.Note(override, ledger.Exact, Entrypoint, "container#command", "in place of the image's entrypoint or behind it, the same")
	default:
		p.Note(override, ledger.Informational, Entrypoint, "", "a shell command always takes the entrypoint's place, and without an image there is none")
	}
}

// labels keeps a container's labels with the pod's, under the container's name.
func (p *pod) labels(v *jsonpos.Value, c *estate.Container) {
	if v == nil || !p.object(v) {
		return
	}
	for _, e := range v.Elems() {
		text, ok := p.String(e)
		if !ok {
			continue
		}
		clean, found := discover.RedactURLs(text)
		if p.w.Labels == nil {
			p.w.Labels = map[string]string{}
		}
		p.w.Labels[c.Name+"."+e.Key()] = clean
		if found {
			p.Note(e, ledger.Approximate, discover.CredentialInURL, "workload#metadata.annotations", "an annotation without the credential that the URL held")
			continue
		}
		p.Note(e, ledger.Approximate, ContainerLabel, "workload#metadata.annotations",
			"containers have no labels in Kubernetes: an annotation of the pod, under the container's name")
	}
}

// sharedEnv puts the pod's own variables before each container's.
func (p *pod) sharedEnv() {
	shared := p.def.Get("environment")
	for i, v := range p.at {
		c := &p.w.Containers[i]
		own := v.Get("environment")
		c.Env = append(p.EnvUnder(shared, own, p.w, c.Name), p.Env(own, p.w, c.Name)...)
	}
	for _, e := range shared.Elems() {
		e.Leaves(func(leaf *jsonpos.Value) {
			if !p.B.Noted(leaf) && (leaf == e || leaf.Key() == "secret") {
				p.Note(leaf, ledger.Informational, Overridden, "", "every container sets the variable itself")
			}
		})
	}
}
