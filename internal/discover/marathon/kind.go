package marathon

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/discover/operator"
	"github.com/tranship/tranship/internal/estate"
)

const singleLabel = "MARATHON_SINGLE_INSTANCE_APP"

// triggers are the labels of marathon-autoscale and marathon-autoscaler.
var triggers = set(
	"use_marathon_autoscaler", "min_instances", "max_instances", "mode", "min_range", "max_range", "scale_up_factor",
	"scale_down_factor", "cool_down", "trigger_interval", "endpoint", "sqs_name", "region",
)

// Claims says whether the label is Marathon's own, DC/OS' package manager's or
// an autoscaler's.
func (Reader) Claims(key string) bool {
	return key == singleLabel || strings.HasPrefix(key, "DCOS_PACKAGE_") || triggers[key] || strings.HasPrefix(key, "mas_rule_")
}

// ReadLabels reads the claimed labels of one workload; all but the package's
// definition stay as annotations.
func (Reader) ReadLabels(w *estate.Workload, labels []discover.Label, b *discover.Builder) {
	scaled := slices.ContainsFunc(labels, func(l discover.Label) bool { return l.Key == "use_marathon_autoscaler" })
	var scale []discover.Label
	for _, l := range labels {
		switch {
		case l.At.Kind() == jsonpos.Object || l.At.Kind() == jsonpos.Array:
			delete(w.Labels, l.Key)
			note(b, w, l, ledger.Dropped, discover.WrongType, "", "a label is a string; this one is not, and is left out")
		case l.Key == singleLabel:
			w.Singleton = strings.EqualFold(strings.TrimSpace(l.Value), "true")
			note(b, w, l, ledger.Equivalent, Singleton, "workload#spec.strategy", "one copy at most: the old one ends before the new one starts")
		case slices.Contains(bulky, l.Key):
			delete(w.Labels, l.Key)
			note(b, w, l, ledger.Dropped, PackageRecord, "", "the package manager's own record of what it installed")
		case strings.HasPrefix(l.Key, "DCOS_PACKAGE_"):
			note(b, w, l, ledger.Decision, Package, "workload#metadata.annotations",
				"a package of DC/OS; proposed is what its product has for Kubernetes, else the workload as it is")
		case scaled:
			scale = append(scale, l)
		default:
			clean, found := discover.RedactURLs(l.Value)
			w.Labels[l.Key] = clean
			if found {
				note(b, w, l, ledger.Approximate, discover.CredentialInURL, "workload#metadata.annotations", "an annotation without the credential that the URL held")
				continue
			}
			note(b, w, l, ledger.Equivalent, discover.LabelKept, "workload#metadata.annotations",
				"an annotation; a label too where Kubernetes allows its key and value")
		}
	}
	if len(scale) > 0 {
		autoscale(w, scale, b)
	}
}

// bulky labels hold whole files of the package manager, secrets perhaps among
// them.
var bulky = []string{"DCOS_PACKAGE_METADATA", "DCOS_PACKAGE_DEFINITION", "DCOS_PACKAGE_OPTIONS", "DCOS_PACKAGE_COMMAND"}

func note(b *discover.Builder, w *estate.Workload, l discover.Label, v ledger.Verdict, code diag.Code, target, reason string) {
	b.Note(l.File, w.ID, l.At, discover.Ruling{Verdict: v, Code: code, Target: target, Reason: reason})
}

func autoscale(w *estate.Workload, labels []discover.Label, b *discover.Builder) {
	s := estate.Autoscale{Min: 1}
	mode := ""
	for _, l := range labels {
		note(b, w, l, ledger.Decision, Autoscaled, "autoscaler#spec",
			"the old autoscaler's rule; proposed is a HorizontalPodAutoscaler between the same bounds")
		n, err := strconv.Atoi(strings.TrimSpace(l.Value))
		switch l.Key {
		case "min_instances":
			if err == nil && n >= 0 {
				s.Min = n
			}
		case "max_instances":
			if err == nil && n > 0 {
				s.Max = n
			}
		case "mode":
			mode = strings.ToLower(strings.TrimSpace(l.Value))
		case "max_range":
			if err != nil || n < 1 || n > 100 {
				s.Other = append(s.Other, l.Key+"="+l.Value)
				continue
			}
			s.CPU = n
		case "use_marathon_autoscaler", "min_range", "scale_up_factor", "scale_down_factor", "cool_down", "trigger_interval":
		default:
			s.Other = append(s.Other, l.Key+"="+l.Value)
		}
	}
	switch mode {
	case "cpu", "":
	case "mem", "memory":
		s.CPU, s.Memory = 0, s.CPU
	default:
		s.CPU = 0
		s.Other = append(s.Other, "mode="+mode)
	}
	s.Max = max(s.Max, s.Min, 1)
	slices.Sort(s.Other)
	w.Autoscale = &s
}

// platform are packages and images that are a part of the old platform.
var platform = set(
	"marathon-lb", "edgelb", "edge-lb", "edgelb-pool", "dcos-edge-lb", "mesos-dns", "marathon", "metronome", "chronos", "bamboo",
	"marathon-autoscale", "marathon-autoscaler", "zdd", "mesos-master", "mesos-slave", "mesos-agent", "mesos-consul", "marathon-consul",
	"marathon-bigip-ctlr", "marathon-slack", "mesos-ui", "dcos-net", "spartan", "minuteman",
)

// kind tells schedulers and parts of the platform from what runs on it. What
// such an app says is its own product's business from now on.
func (a *app) kind() {
	l := a.w.Labels
	name := strings.TrimPrefix(l["DCOS_PACKAGE_NAME"], "beta-")
	image := a.c.Image[strings.LastIndexByte(a.c.Image, '/')+1:]
	image, _, _ = strings.Cut(image, "@")
	image, _, _ = strings.Cut(image, ":")
	switch {
	case platform[name] || name == "" && isPlatform(image, a.c.Image):
		a.w.Kind = estate.Infrastructure
		name = cmp.Or(name, image)
	case isScheduler(l):
		a.w.Kind = estate.Framework
		name = cmp.Or(name, l["DCOS_PACKAGE_FRAMEWORK_NAME"], a.c.Name)
	default:
		return
	}
	a.w.Operator = operator.For(name)
	what := "the scheduler of " + name
	if a.w.Kind == estate.Infrastructure {
		what = name + ", a part of the old platform"
	}
	a.Report(Replaced, diag.Note, a.v, "is "+what+"; what takes its place: "+a.w.Operator.Name, a.w.Operator.Advice)
	reason := "a setting of " + what + ", which is not rendered; instead: " + a.w.Operator.Name
	a.v.Leaves(func(leaf *jsonpos.Value) {
		a.B.Amend(leaf, func(e *ledger.Entry) {
			switch e.Verdict {
			case ledger.Exact, ledger.Equivalent, ledger.Decision:
				if e.Code != Identity && e.Code != Package {
					e.Verdict, e.Code, e.Target, e.Reason = ledger.Approximate, ReplacedSetting, "", reason
				}
			}
		})
	})
}

// isPlatform tells the old platform's own images. A name that others use too
// (a build server is called bamboo) must come from its makers.
func isPlatform(name, image string) bool {
	return platform[name] && (strings.Contains(name, "-") || strings.Contains(image, "mesos") || strings.Contains(image, "QubitProducts"))
}

// isScheduler reports whether the package manager says so. A plain "false"
// holds against the other signs, but for the SDK's own.
func isScheduler(l map[string]string) bool {
	switch said := strings.ToLower(strings.TrimSpace(l["DCOS_PACKAGE_IS_FRAMEWORK"])); {
	case said == "true", l["DCOS_COMMONS_API_VERSION"] != "":
		return true
	case said == "false":
		return false
	}
	return l["DCOS_PACKAGE_FRAMEWORK_NAME"] != ""
}
