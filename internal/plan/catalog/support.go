package catalog

import "github.com/tranship/tranship/internal/base/unit"

// What EKS takes for a cluster and an hour, list price of 2026-11.
const (
	ClusterFee  = 10 * unit.Cent // in standard support
	ExtendedFee = 60 * unit.Cent // in extended support, all in all
)

// Support gives the days on which standard and extended support of a
// Kubernetes version ("1.35") end on EKS, as 2006-01-02, by the release
// calendar of the EKS user guide (1.36 as endoflife.date copies it); ok is false
// for a version that is not in it.
func Support(version string) (standardUntil, extendedUntil string, ok bool) {
	days, ok := map[string][2]string{
		"1.29": {"2025-03-23", "2026-03-23"},
		"1.30": {"2025-07-23", "2026-07-23"},
		"1.31": {"2025-11-26", "2026-11-26"},
		"1.32": {"2026-03-23", "2027-03-23"},
		"1.33": {"2026-07-29", "2027-07-29"},
		"1.34": {"2026-12-02", "2027-12-02"},
		"1.35": {"2027-03-27", "2028-03-27"},
		"1.36": {"2027-08-02", "2028-08-02"},
	}[version]
	return days[0], days[1], ok
}
