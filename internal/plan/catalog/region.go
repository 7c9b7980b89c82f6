package catalog

import (
	"maps"
	"math"
	"slices"

	"github.com/tranship/tranship/internal/base/unit"
)

// factors are what a type costs in a region, for 1.000 in us-east-1, us-east-2
// and us-west-2: the median over types of reserved rates of 2021-09-27 in
// opencost's configuration (Apache-2.0), and for the two of the US government
// of on-demand prices of 2026-08-24. Single types are up to a third away.
func factors() map[string]float64 {
	return map[string]float64{
		"ap-northeast-1": 1.292, "ap-northeast-2": 1.229, "ap-northeast-3": 1.292, "ap-south-1": 1.043, "ap-southeast-1": 1.232,
		"ap-southeast-2": 1.262, "ca-central-1": 1.100, "eu-central-1": 1.206, "eu-north-1": 1.063, "eu-west-1": 1.123,
		"eu-west-2": 1.175, "eu-west-3": 1.174, "sa-east-1": 1.599, "us-east-1": 1, "us-east-2": 1, "us-west-1": 1.184,
		"us-west-2": 1, "us-gov-east-1": 1.204, "us-gov-west-1": 1.204,
	}
}

// Regions gives the regions that prices can be estimated for, by name.
func Regions() []string { return slices.Sorted(maps.Keys(factors())) }

// For gives the list of a region: c itself if it is that region's or none is
// asked for, else an estimate by the regions' factors, which says so. Spot
// shares stay those of c. It reports false where there is no factor.
func (c Catalog) For(region string) (Catalog, bool) {
	if region == "" || region == c.Region {
		return c, true
	}
	f := factors()
	from, to := f[c.Region], f[region]
	if from == 0 || to == 0 {
		return c, false
	}
	out := c
	out.Types = slices.Clone(c.Types)
	for i := range out.Types {
		p := &out.Types[i].Price
		*p = unit.Money(math.Round(float64(*p) * to / from))
	}
	out.Region, out.Estimated = region, true
	out.Source = c.Source + ", those of " + c.Region + " times " + decimal(math.Round(to/from*1e4)/1e4)
	return out, true
}

// Over gives the list of c with the prices of a later one over its own.
func (c Catalog) Over(later Catalog) Catalog {
	if len(later.Types) == 0 {
		return c
	}
	out := later
	out.Types = slices.Clone(later.Types)
	for i := range c.Types {
		if later.Find(c.Types[i].Name) == nil {
			out.Types = append(out.Types, c.Types[i])
		}
	}
	out.sort()
	return out
}
