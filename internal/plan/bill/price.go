package bill

import (
	"math"

	"github.com/tranship/tranship/internal/base/unit"
)

// List prices of us-east-1 beside the instances' and the control plane's (both
// in package catalog), as the AWS price pages and those who copy them had them
// in 2026. The pages themselves: aws.amazon.com/ebs, efs, elasticloadbalancing
// and vpc, each with /pricing/.
const (
	// loadBalancer is one load balancer an hour, ALB or NLB alike: 0.0225 $.
	// Each LCU-hour is 0.008 $ more and depends on traffic (known, read 2026-11).
	loadBalancer = 22_500 * micro

	// natHour and natGB are a NAT gateway an hour and what it carries: 0.045 $
	// each (VPC prices; read 2026-11 on pages of 2026-02).
	natHour = 45_000 * micro
	natGB   = 45_000 * micro

	// crossZone is a GB to another zone, in each direction: 0.01 $ (EC2 data
	// transfer within a region; read 2026-11).
	crossZone = 10_000 * micro

	// publicIPv4 is a public address an hour, used or idle: 0.005 $, since
	// 2024-02-01 (VPC prices; read 2026-11).
	publicIPv4 = 5_000 * micro

	// sharedGB is a GB-month in EFS Standard: 0.30 $ (EFS prices, known).
	sharedGB = 300_000 * micro

	micro unit.Money = 1

	// listRegion is the region of all of these.
	listRegion = "us-east-1"
)

// diskGB gives a GB-month by storage class (EBS prices, 2026: gp3 0.08, gp2
// 0.10, io1 and io2 0.125 without IOPS, st1 0.045, sc1 0.015 $). A class of
// another name is taken for gp3, which is what it most often is.
func diskGB(class string) (each unit.Money, known bool) {
	switch class {
	case "gp2":
		return 100_000, true
	case "io1", "io2":
		return 125_000, true
	case "st1":
		return 45_000, true
	case "sc1":
		return 15_000, true
	}
	return 80_000, class == "gp3"
}

// most is the largest amount that is counted: nine billion dollars. Beyond it
// sums would not hold.
const most unit.Money = 9e15

// times gives each × n exactly where that is whole, rounded to a millionth
// where it is not.
func times(each unit.Money, n float64) unit.Money {
	f := float64(each) * n
	switch {
	case math.IsNaN(f):
		return 0
	case math.Abs(f) >= float64(most):
		return unit.Money(math.Copysign(float64(most), f))
	case n == math.Trunc(n):
		return each * unit.Money(n)
	}
	return unit.Money(math.Round(f))
}

// day gives a day's part of what a month costs: 24 of its 730 hours.
func day(month unit.Money) unit.Money {
	n := month * 24
	if n < 0 {
		return (n - unit.HoursPerMonth/2) / unit.HoursPerMonth
	}
	return (n + unit.HoursPerMonth/2) / unit.HoursPerMonth
}
