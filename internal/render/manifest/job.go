package manifest

import (
	"cmp"
	"math"
	"regexp"
	"strings"

	"github.com/robfig/cron/v3"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/render/manifest/cluster"
	"github.com/tranship/tranship/internal/render/manifest/naming"
	"github.com/tranship/tranship/internal/render/manifest/pod"
)

// never is a day that does not come: the schedule of a job that has none.
const never = "0 0 30 2 *"

// jobs writes a CronJob for each schedule. A job without one runs when it is
// asked to: it is a CronJob that starts nothing by itself, or a Job where the
// source started it at once.
func (k *work) jobs(meta metav1.ObjectMeta) {
	run := k.w.Run
	switch {
	case len(run.Schedules) == 0 && k.w.Kind == estate.Job && !run.Suspended:
		k.files.template = "spec.template"
		k.files.workload = k.put("Job", "job", &batchv1.Job{
			TypeMeta: metav1.TypeMeta{APIVersion: "batch/v1", Kind: "Job"}, ObjectMeta: meta, Spec: k.job(),
		})
		return
	case len(run.Schedules) == 0:
		k.cron(meta, estate.Times{Cron: never}, "cronjob")
	case len(run.Schedules) == 1:
		k.cron(meta, run.Schedules[0], "cronjob")
	default:
		names := naming.Set{}
		for i, t := range run.Schedules {
			id := cmp.Or(t.ID, string(rune('a'+i%26)))
			name := names.Take(naming.Join(naming.Short, k.place.Name, id), id, naming.Short)
			m := *meta.DeepCopy()
			m.Name = name
			k.cron(m, t, "cronjob-"+strings.TrimPrefix(name, k.place.Name+"-"))
		}
	}
	k.files.template = "spec.jobTemplate.spec.template"
}

func (k *work) cron(meta metav1.ObjectMeta, t estate.Times, file string) {
	c := &batchv1.CronJob{
		TypeMeta: metav1.TypeMeta{APIVersion: "batch/v1", Kind: "CronJob"}, ObjectMeta: meta,
		Spec: batchv1.CronJobSpec{
			Schedule: t.Cron, ConcurrencyPolicy: batchv1.AllowConcurrent, Suspend: new(!t.Enabled || k.w.Run.Suspended),
			JobTemplate: batchv1.JobTemplateSpec{Spec: k.job()},
		},
	}
	if t.Forbid {
		c.Spec.ConcurrencyPolicy = batchv1.ForbidConcurrent
	}
	if t.StartDeadline > 0 {
		c.Spec.StartingDeadlineSeconds = new(pod.Seconds(t.StartDeadline))
	}
	if t.ID != "" {
		c.Annotations[cluster.Prefix+"schedule"] = t.ID
	}
	if _, err := cron.ParseStandard(t.Cron); err != nil || strings.Contains(t.Cron, "TZ") {
		c.Annotations[cluster.Prefix+"source-schedule"] = t.Cron
		c.Spec.Schedule, c.Spec.Suspend = never, new(true)
		k.c.Warn(k.w, cluster.UnfitSchedule, "has schedule "+t.Cron+", which Kubernetes does not read: the job is suspended",
			"write the schedule in an overlay")
	}
	k.zone(c, t.Zone)
	if k.files.workload == "" {
		k.files.workload = k.path(file)
	}
	k.put("CronJob", file, c)
}

func (f *folder) path(file string) string { return f.dir + "/" + file + ".yaml" }

var zoneName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$`)

func (k *work) zone(c *batchv1.CronJob, zone string) {
	switch {
	case zone == "":
	case k.c.Version.TimeZones() && zoneName.MatchString(zone) && !strings.EqualFold(zone, "local"):
		c.Spec.TimeZone = &zone
	default:
		c.Annotations[cluster.Prefix+"time-zone"] = zone
		if zone != "UTC" && zone != "Etc/UTC" {
			k.c.Warn(k.w, cluster.NoTimeZone, "runs by the clock of "+zone+", and CronJobs of the target have no time zone: it goes by the control plane's clock",
				"render for 1.27 or later, or shift the schedule")
		}
	}
}

// job gives what one run is. A pod that fails stays, so that its log can be read.
func (k *work) job() batchv1.JobSpec {
	run := k.w.Run
	template := *k.pod.Spec.DeepCopy()
	template.Spec.RestartPolicy = corev1.RestartPolicyNever
	s := batchv1.JobSpec{Template: template, BackoffLimit: new(int32(0))}
	switch {
	case run.Retry && run.Retries != nil:
		s.BackoffLimit = new(int32(min(max(*run.Retries, 0), math.MaxInt32)))
	case run.Retry:
		s.BackoffLimit = new(int32(math.MaxInt32))
	}
	if run.ActiveDeadline > 0 {
		s.ActiveDeadlineSeconds = new(pod.Seconds(run.ActiveDeadline))
	}
	if run.Completions > 0 {
		s.Completions = new(int32(min(run.Completions, math.MaxInt32)))
	}
	if run.Parallelism > 0 {
		s.Parallelism = new(int32(min(run.Parallelism, math.MaxInt32)))
	}
	return s
}
