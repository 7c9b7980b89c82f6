package cluster

import (
	"strconv"
	"strings"
)

// Newest is the newest minor version of Kubernetes that is known here.
const Newest = 35

// A Version is the minor version of the target: 35 of "1.35".
type Version int

// ParseVersion reads "1.35", "v1.35.4" or "1.35+"; ok is false for anything
// else, and the newest version is given.
func ParseVersion(text string) (v Version, ok bool) {
	if text == "" {
		return Newest, true
	}
	rest, found := strings.CutPrefix(strings.TrimPrefix(text, "v"), "1.")
	minor, _, _ := strings.Cut(strings.TrimSuffix(rest, "+"), ".")
	n, err := strconv.Atoi(minor)
	if !found || err != nil || n < 0 || n > 999 {
		return Newest, false
	}
	return Version(n), true
}

// Sleeps reports whether a container can be made to sleep before it is
// stopped without a program of its own.
func (v Version) Sleeps() bool { return v >= 30 }

// TimeZones reports whether a CronJob has a time zone.
func (v Version) TimeZones() bool { return v >= 27 }

// EvictsUnhealthy reports whether a disruption budget can let go of copies
// that are not ready.
func (v Version) EvictsUnhealthy() bool { return v >= 27 }

// RelaxedEnv reports whether a variable's name may have any printable
// character but "=".
func (v Version) RelaxedEnv() bool { return v >= 32 }

// SpreadsVersions reports whether a spread can count the copies of one version
// of a workload apart from those of another.
func (v Version) SpreadsVersions() bool { return v >= 27 }

// AppArmorField reports whether a profile is a field and not an annotation.
func (v Version) AppArmorField() bool { return v >= 30 }

// MinDomains reports whether a spread may ask for a number of places.
func (v Version) MinDomains() bool { return v >= 25 }
