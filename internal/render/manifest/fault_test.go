package manifest_test

import (
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
)

// The faults of the tool that did this before, by their number in the mapping,
// each a promise here.

const checked = `{"id": "/shop/cart", "cmd": "./cart", "cpus": 0.5, "mem": 64, "instances": 2,
 "container": {"type": "DOCKER", "docker": {"image": "cart"}, "portMappings": [{"containerPort": 80}]},
 "networks": [{"mode": "container/bridge"}], "healthChecks": [{"protocol": "HTTP", "path": "/ok",
 "gracePeriodSeconds": 300, "intervalSeconds": 30, "timeoutSeconds": 5, "maxConsecutiveFailures": FAILURES}]}`

func container(t testing.TB, r result, at string) corev1.Container {
	t.Helper()
	return get[*appsv1.Deployment](t, r, at).Spec.Template.Spec.Containers[0]
}

// TestFault5TrafficWaitsForReadiness: a check became a liveness probe only.
func TestFault5TrafficWaitsForReadiness(t *testing.T) {
	c := container(t, renderText(t, strings.Replace(checked, "FAILURES", "3", 1), ""), "shop/cart/deployment.yaml")
	if c.ReadinessProbe == nil || c.ReadinessProbe.HTTPGet.Path != "/ok" || c.LivenessProbe == nil || c.LivenessProbe.FailureThreshold != 3 {
		t.Errorf("readiness %v, liveness %v", c.ReadinessProbe, c.LivenessProbe)
	}
}

// TestFault6FastStartersDoNotWait: the grace period became a delay.
func TestFault6FastStartersDoNotWait(t *testing.T) {
	c := container(t, renderText(t, strings.Replace(checked, "FAILURES", "3", 1), ""), "shop/cart/deployment.yaml")
	if p := c.StartupProbe; p == nil || p.PeriodSeconds != 10 || p.FailureThreshold != 33 || p.InitialDelaySeconds != 0 {
		t.Errorf("startup probe = %+v, want 33 failures at every 10 s, from the start", p)
	}
	if c.LivenessProbe.InitialDelaySeconds != 0 || c.ReadinessProbe.InitialDelaySeconds != 0 {
		t.Error("a probe waits although the startup probe does")
	}
}

// TestFault7NoFailuresIsNoNumberOfThem: 0 meant never to kill.
func TestFault7NoFailuresIsNoNumberOfThem(t *testing.T) {
	c := container(t, renderText(t, strings.Replace(checked, "FAILURES", "0", 1), ""), "shop/cart/deployment.yaml")
	if c.LivenessProbe != nil || c.StartupProbe != nil {
		t.Error("something kills a copy that Marathon never killed")
	}
	if c.ReadinessProbe == nil || c.ReadinessProbe.FailureThreshold < 1 {
		t.Errorf("readiness probe = %+v", c.ReadinessProbe)
	}
	in := strings.NewReplacer("FAILURES", "0", `"HTTP"`, `"MESOS_HTTP"`).Replace(checked)
	if c := container(t, renderText(t, in, ""), "shop/cart/deployment.yaml"); c.LivenessProbe == nil || c.LivenessProbe.FailureThreshold != 1 {
		t.Errorf("Mesos' own checks killed at the first failure, and the probe is %+v", c.LivenessProbe)
	}
}

// TestFault8HostIsAnAddressThatOthersReach: HOST was 0.0.0.0.
func TestFault8HostIsAnAddressThatOthersReach(t *testing.T) {
	r := renderText(t, `{"id": "/shop/cart", "cmd": "./cart --advertise $HOST:$PORT0", "cpus": 1, "mem": 64, "portDefinitions": [{"port": 0}]}`, "")
	for _, e := range container(t, r, "shop/cart/deployment.yaml").Env {
		if e.Name == "HOST" && e.ValueFrom != nil && e.ValueFrom.FieldRef.FieldPath == "status.podIP" {
			return
		}
	}
	t.Error("HOST is not the pod's address")
}

// TestFault9NoLimitOnProcessorsUnlessTheSourceHadOne: shares became a limit.
func TestFault9NoLimitOnProcessorsUnlessTheSourceHadOne(t *testing.T) {
	in := strings.Replace(checked, "FAILURES", "3", 1)
	c := container(t, renderText(t, in, ""), "shop/cart/deployment.yaml")
	if _, limited := c.Resources.Limits[corev1.ResourceCPU]; limited || c.Resources.Requests.Cpu().String() != "500m" {
		t.Errorf("resources = %+v", c.Resources)
	}
	if got := c.Resources.Limits.Memory().String(); got != "64Mi" || c.Resources.Requests.Memory().String() != got {
		t.Errorf("memory is limited to %s and asked for as %s", got, c.Resources.Requests.Memory())
	}
	c = container(t, renderText(t, in, "  cpuLimits: request\n"), "shop/cart/deployment.yaml")
	if c.Resources.Limits.Cpu().String() != "500m" {
		t.Errorf("policy asked for limits: %+v", c.Resources)
	}
}

// TestFault10LostNodesAreWaitedForAsLongAsReplacementsWere: expunge was taken.
func TestFault10LostNodesAreWaitedForAsLongAsReplacementsWere(t *testing.T) {
	r := renderText(t, `{"id": "/a/b", "cmd": "x", "cpus": 1, "mem": 64, "unreachableStrategy": {"inactiveAfterSeconds": 60, "expungeAfterSeconds": 600}}`, "")
	list := get[*appsv1.Deployment](t, r, "a/b/deployment.yaml").Spec.Template.Spec.Tolerations
	if len(list) != 2 || *list[0].TolerationSeconds != 60 || *list[1].TolerationSeconds != 60 || list[0].Key == list[1].Key {
		t.Errorf("tolerations = %+v", list)
	}
}

// TestFault11SomethingMayAlwaysMove: {1, 0} was rendered as no surge and none missing.
func TestFault11SomethingMayAlwaysMove(t *testing.T) {
	r := renderText(t, `{"id": "/a/b", "cmd": "x", "cpus": 1, "mem": 64, "instances": 3, "upgradeStrategy": {"minimumHealthCapacity": 1, "maximumOverCapacity": 0}}`, "")
	u := get[*appsv1.Deployment](t, r, "a/b/deployment.yaml").Spec.Strategy.RollingUpdate
	if u.MaxSurge.IntValue() != 1 || u.MaxUnavailable.IntValue() != 0 {
		t.Errorf("surge %v, unavailable %v, want 1 and 0, as Marathon did", u.MaxSurge, u.MaxUnavailable)
	}
}

// TestFault12EveryScheduleIsKept: only the first was, without its time zone,
// deadline and concurrency.
func TestFault12EveryScheduleIsKept(t *testing.T) {
	r := renderText(t, `{"id": "tills.report", "run": {"cmd": "true", "cpus": 1, "mem": 64, "disk": 0, "taskKillGracePeriodSeconds": 9,
	 "placement": {"constraints": [{"attribute": "rack", "operator": "IS", "value": "r1"}]}},
	 "schedules": [{"id": "early", "cron": "0 4 * * *", "timezone": "Europe/Paris", "startingDeadlineSeconds": 60, "concurrencyPolicy": "FORBID", "enabled": true},
	 {"id": "late", "cron": "0 22 * * *", "enabled": false}]}`, "")
	early := get[*batchv1.CronJob](t, r, "tills/report/cronjob-early.yaml")
	if s := early.Spec; s.Schedule != "0 4 * * *" || *s.TimeZone != "Europe/Paris" || *s.StartingDeadlineSeconds != 60 || s.ConcurrencyPolicy != "Forbid" || *s.Suspend {
		t.Errorf("early = %+v", s)
	}
	late := get[*batchv1.CronJob](t, r, "tills/report/cronjob-late.yaml")
	if s := late.Spec; s.Schedule != "0 22 * * *" || *s.TimeZone != "UTC" || !*s.Suspend {
		t.Errorf("late = %+v", s)
	}
	pod := early.Spec.JobTemplate.Spec.Template.Spec
	if *pod.TerminationGracePeriodSeconds != 9 || pod.Affinity == nil || pod.RestartPolicy != "Never" {
		t.Errorf("pod = %+v", pod)
	}
}

// TestFault13ArchivesAreUnpackedWithTheirOwnTool: .zip went to gunzip, in an
// image without wget, into a folder that nothing mounted.
func TestFault13ArchivesAreUnpackedWithTheirOwnTool(t *testing.T) {
	r := renderText(t, `{"id": "/a/b", "cmd": "./run", "cpus": 1, "mem": 64, "fetch": [{"uri": "https://e.example/x.zip"}, {"uri": "https://e.example/y.tar.bz2"},
	 {"uri": "https://e.example/run", "executable": true}]}`, "")
	p := get[*appsv1.Deployment](t, r, "a/b/deployment.yaml").Spec.Template.Spec
	script := p.InitContainers[0].Command[2]
	for _, line := range []string{"unzip -o -q './x.zip' -d './.'", "tar -xjf './y.tar.bz2' -C './.'", "chmod +x './run'"} {
		if !strings.Contains(script, line+"\n") {
			t.Errorf("the script lacks %s:\n%s", line, script)
		}
	}
	from, to := p.InitContainers[0].VolumeMounts[0], p.Containers[0].VolumeMounts[0]
	if from != to || !strings.Contains(script, "cd '"+to.MountPath+"'\n") || to.MountPath == "/" {
		t.Errorf("files are put into %+v and looked for in %+v", from, to)
	}
}

// TestFault14ObjectsAreOfVersionsThatAreServed: they were of removed ones.
func TestFault14ObjectsAreOfVersionsThatAreServed(t *testing.T) {
	for _, said := range []string{"", "  edge: {kind: ingress}\n"} {
		r := renderText(t, `[{"id": "/a/b", "cmd": "x", "cpus": 1, "mem": 64, "instances": 2, "portDefinitions": [{"port": 10001}],
		 "labels": {"HAPROXY_GROUP": "external", "HAPROXY_0_VHOST": "a.example.com"}},
		 {"id": "job", "run": {"cmd": "true", "cpus": 1, "mem": 64, "disk": 0}, "schedules": [{"id": "s", "cron": "0 0 * * *"}]}]`, said)
		for name, text := range r.files {
			if isObject(name) {
				judged(t, name, text)
			}
			if strings.Contains(text, "beta") && !strings.Contains(text, "ReferenceGrant") && !strings.Contains(text, "Kustomization") {
				t.Errorf("%s is of a beta version:\n%s", name, text)
			}
		}
	}
}

// TestFault15PatternsOfHostsAskForALabelThatNodesHave: LIKE on hostname asked
// for one that nobody set.
func TestFault15PatternsOfHostsAskForALabelThatNodesHave(t *testing.T) {
	r := renderFiles(t, map[string]string{
		"app.json":   `{"id": "/a/b", "cmd": "x", "cpus": 1, "mem": 64, "constraints": [["hostname", "LIKE", "node-[12]"]]}`,
		"state.json": `{"version": "1.11.0", "frameworks": [], "slaves": [{"id": "S0", "hostname": "node-1", "active": true}, {"id": "S1", "hostname": "node-3", "active": true}]}`,
	}, "")
	d := get[*appsv1.Deployment](t, r, "a/b/deployment.yaml")
	a := d.Spec.Template.Spec.Affinity
	if a == nil {
		t.Fatalf("there is no affinity; annotations are %v", d.Annotations)
	}
	x := a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms[0].MatchExpressions[0]
	if x.Key != corev1.LabelHostname || len(x.Values) != 1 || x.Values[0] != "node-1" {
		t.Errorf("expression = %+v", x)
	}
}

// TestFault16NoTwoWorkloadsShareASelector: /a/b and /a-b did.
func TestFault16NoTwoWorkloadsShareASelector(t *testing.T) {
	for _, said := range []string{"", "  namespaces: {by: one}\n", "  namespaces: {by: group}\n"} {
		r := renderText(t, `[{"id": "/x/a/b", "cmd": "x", "cpus": 1, "mem": 64}, {"id": "/x/a-b", "cmd": "x", "cpus": 1, "mem": 64}]`, said)
		seen := map[string]string{}
		for name, text := range r.files {
			if !strings.HasSuffix(name, "/deployment.yaml") {
				continue
			}
			d := judged(t, name, text).(*appsv1.Deployment)
			key := d.Namespace + "/" + d.Spec.Selector.MatchLabels["app.kubernetes.io/name"]
			if seen[key] != "" {
				t.Errorf("%s and %s both select %s", seen[key], name, key)
			}
			seen[key] = name
		}
		if len(seen) != 2 {
			t.Errorf("%d workloads, want 2", len(seen))
		}
	}
}
