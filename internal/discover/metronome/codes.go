package metronome

import "github.com/tranship/tranship/internal/base/diag"

// Codes of jobs.
const (
	// NoID is reported for a job without an id.
	//
	// Example:
	//	{"run": {"cmd": "true"}}
	NoID diag.Code = "J101"

	// Named is the ledger's code for a job's id.
	//
	// Example:
	//	{"id": "a", "run": {"cmd": "true"}}
	Named diag.Code = "J102"

	// SameAgain is the ledger's code for a definition that was read before.
	//
	// Example:
	//	[{"id": "a", "run": {"cmd": "true"}}, {"id": "a", "run": {"cmd": "true"}}]
	SameAgain diag.Code = "J103"

	// LoneSchedule is reported for a schedule without its job.
	//
	// Example:
	//	{"id": "nightly", "cron": "0 0 * * *"}
	LoneSchedule diag.Code = "J104"

	// Description is the ledger's code for a job's description.
	//
	// Example:
	//	{"id": "a", "description": "counts", "run": {"cmd": "true"}}
	Description diag.Code = "J105"

	// RunsAfter is the ledger's code for a job that runs after another.
	//
	// Example:
	//	{"id": "a", "dependencies": [{"id": "b"}], "run": {"cmd": "true"}}
	RunsAfter diag.Code = "J106"

	// NoImage is reported for a job without an image.
	//
	// Example:
	//	{"id": "a", "run": {"cmd": "true"}}
	NoImage diag.Code = "J107"

	// BothContainers is reported for a job with two kinds of container.
	//
	// Example:
	//	{"id": "a", "run": {"cmd": "true", "docker": {"image": "a:1"}, "ucr": {"image": {"id": "b:1"}}}}
	BothContainers diag.Code = "J108"

	// Image is the ledger's code for an image.
	//
	// Example:
	//	{"id": "a", "run": {"cmd": "true", "docker": {"image": "a:1"}}}
	Image diag.Code = "J109"

	// ImageKind is the ledger's code for the format of an image.
	//
	// Example:
	//	{"id": "a", "run": {"cmd": "true", "ucr": {"image": {"id": "a:1", "kind": "docker"}}}}
	ImageKind diag.Code = "J110"

	// PullPolicy is the ledger's code for when an image is pulled.
	//
	// Example:
	//	{"id": "a", "run": {"cmd": "true", "docker": {"image": "a:1", "forcePullImage": true}}}
	PullPolicy diag.Code = "J111"

	// Privileged is the ledger's code for a container with all rights.
	//
	// Example:
	//	{"id": "a", "run": {"cmd": "true", "docker": {"image": "a:1", "privileged": true}}}
	Privileged diag.Code = "J112"

	// BothCommands is reported for a job with both cmd and args.
	//
	// Example:
	//	{"id": "a", "run": {"cmd": "true", "args": ["false"]}}
	BothCommands diag.Code = "J113"

	// Restart is the ledger's code for what a failed run leads to.
	//
	// Example:
	//	{"id": "a", "run": {"cmd": "true", "restart": {"policy": "NEVER"}}}
	Restart diag.Code = "J114"

	// RetryTime is the ledger's code for how long a failed run is tried again.
	//
	// Example:
	//	{"id": "a", "run": {"cmd": "true", "restart": {"policy": "ON_FAILURE", "activeDeadlineSeconds": 120}}}
	RetryTime diag.Code = "J115"

	// LaunchDelay is the ledger's code for how long a run may wait for a host.
	//
	// Example:
	//	{"id": "a", "run": {"cmd": "true", "maxLaunchDelay": 3600}}
	LaunchDelay diag.Code = "J116"

	// KillGrace is the ledger's code for the time between asking to stop and killing.
	//
	// Example:
	//	{"id": "a", "run": {"cmd": "true", "taskKillGracePeriodSeconds": 5}}
	KillGrace diag.Code = "J117"

	// User is the ledger's code for the user that a job runs as.
	//
	// Example:
	//	{"id": "a", "run": {"cmd": "true", "user": "www-data"}}
	User diag.Code = "J118"

	// BadVolume is reported for a volume that cannot be shown.
	//
	// Example:
	//	{"id": "a", "run": {"cmd": "true", "volumes": [{"hostPath": "/data"}]}}
	BadVolume diag.Code = "J119"

	// VolumeMount is the ledger's code for where a volume is shown.
	//
	// Example:
	//	{"id": "a", "run": {"cmd": "true", "volumes": [{"containerPath": "/data", "hostPath": "/data", "mode": "RO"}]}}
	VolumeMount diag.Code = "J120"

	// HostPath is the ledger's code for a folder of the host.
	//
	// Example:
	//	{"id": "a", "run": {"cmd": "true", "volumes": [{"containerPath": "/data", "hostPath": "/data"}]}}
	HostPath diag.Code = "J121"

	// SecretFile is the ledger's code for a secret that is shown as a file.
	//
	// Example:
	//	{"id": "a", "run": {"cmd": "true", "secrets": {"k": {"source": "a/k"}}, "volumes": [{"containerPath": "k", "secret": "k"}]}}
	SecretFile diag.Code = "J122"

	// BadCron is reported for a schedule whose cron line Kubernetes refuses.
	//
	// Example:
	//	{"id": "a", "run": {"cmd": "true"}, "schedules": [{"id": "s", "cron": "every day"}]}
	BadCron diag.Code = "J123"

	// CronLine is the ledger's code for a cron line.
	//
	// Example:
	//	{"id": "a", "run": {"cmd": "true"}, "schedules": [{"id": "s", "cron": "0 0 * * *"}]}
	CronLine diag.Code = "J124"

	// ScheduleID is the ledger's code for a schedule's id.
	//
	// Example:
	//	{"id": "a", "run": {"cmd": "true"}, "schedules": [{"id": "s", "cron": "0 0 * * *"}]}
	ScheduleID diag.Code = "J125"

	// SameSchedule is reported for two schedules with one id.
	//
	// Example:
	//	{"id": "a", "run": {"cmd": "true"}, "schedules": [{"id": "s", "cron": "0 0 * * *"}, {"id": "s", "cron": "0 6 * * *"}]}
	SameSchedule diag.Code = "J126"

	// TimeZone is the ledger's code for the clock of a schedule.
	//
	// Example:
	//	{"id": "a", "run": {"cmd": "true"}, "schedules": [{"id": "s", "cron": "0 0 * * *", "timezone": "Europe/Paris"}]}
	TimeZone diag.Code = "J127"

	// BadZone is reported for a time zone that is not there.
	//
	// Example:
	//	{"id": "a", "run": {"cmd": "true"}, "schedules": [{"id": "s", "cron": "0 0 * * *", "timezone": "Mars/Olympus"}]}
	BadZone diag.Code = "J128"

	// ZoneKey is reported for a time zone under a key that Metronome passed over.
	//
	// Example:
	//	{"id": "a", "run": {"cmd": "true"}, "schedules": [{"id": "s", "cron": "0 0 * * *", "timeZone": "Europe/Paris"}]}
	ZoneKey diag.Code = "J129"

	// StartDeadline is the ledger's code for how late a run may start.
	//
	// Example:
	//	{"id": "a", "run": {"cmd": "true"}, "schedules": [{"id": "s", "cron": "0 0 * * *", "startingDeadlineSeconds": 60}]}
	StartDeadline diag.Code = "J130"

	// Concurrency is the ledger's code for a run beside another.
	//
	// Example:
	//	{"id": "a", "run": {"cmd": "true"}, "schedules": [{"id": "s", "cron": "0 0 * * *", "concurrencyPolicy": "FORBID"}]}
	Concurrency diag.Code = "J131"

	// Enabled is the ledger's code for a schedule that is on or off.
	//
	// Example:
	//	{"id": "a", "run": {"cmd": "true"}, "schedules": [{"id": "s", "cron": "0 0 * * *", "enabled": false}]}
	Enabled diag.Code = "J132"
)
