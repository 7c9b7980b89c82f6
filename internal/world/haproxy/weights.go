package haproxy

// A server takes weights from 0 to this.
const maxWeight = 256

// shares gives each source server its weight and the target's servers theirs,
// so that percent of new requests go to the target as nearly as whole weights
// can. base are the source's own weights, sourceUp and targetUp tell which
// servers are up; those that are not get no share of the target's, and of the
// source's what they would have.
func shares(base []int, sourceUp, targetUp []bool, percent int) (source, target []int) {
	source, target = make([]int, len(base)), make([]int, len(targetUp))
	switch percent {
	case 0:
		copy(source, base)
		return source, target
	case 100:
		for i := range target {
			target[i] = maxWeight / 2
		}
		return source, target
	}
	up := count(targetUp)
	least := reduced(base)
	total, most := 0, 0
	for i, b := range least {
		most = max(most, b)
		if sourceUp[i] || count(sourceUp) == 0 {
			total += b
		}
	}
	if total == 0 || up == 0 {
		// Nothing on one side can be weighed against the other.
		copy(source, base)
		return source, target
	}
	a, w := nearest(total, maxWeight/max(most, 1), up*maxWeight, percent)
	for i, b := range least {
		source[i] = a * b
	}
	spread(target, targetUp, up, w)
	return source, target
}

// nearest gives the multiple a of the source's total, and the target's total w,
// for which w of a·total+w is nearest to percent. Of those that are as near it
// takes the greatest, so that as many target servers as can be have a share.
func nearest(total, mostA, mostW, percent int) (a, w int) {
	best := -1.0
	for tryA := max(mostA, 1); tryA >= 1; tryA-- {
		ideal := float64(tryA*total) * float64(percent) / float64(100-percent)
		for _, tryW := range []int{int(ideal), int(ideal) + 1} {
			tryW = min(max(tryW, 1), mostW)
			off := float64(tryW)/float64(tryA*total+tryW) - float64(percent)/100
			if off = max(off, -off); best < 0 || off < best-1e-12 {
				best, a, w = off, tryA, tryW
			}
		}
	}
	return a, w
}

// spread deals w out to the servers that are up, as evenly as can be.
func spread(target []int, up []bool, n, w int) {
	dealt := 0
	for i := range target {
		if !up[i] {
			continue
		}
		target[i] = w*(dealt+1)/n - w*dealt/n
		dealt++
	}
}

// reduced divides weights by what they have in common, so that multiples of
// them are fine.
func reduced(base []int) []int {
	common := 0
	for _, b := range base {
		for b != 0 {
			common, b = b, common%b
		}
	}
	out := make([]int, len(base))
	for i, b := range base {
		out[i] = b / max(common, 1)
	}
	return out
}

func count(up []bool) int {
	n := 0
	for _, u := range up {
		if u {
			n++
		}
	}
	return n
}

// percentOf gives the target's share in whole percent: 0 and 100 only where they
// are exact.
func percentOf(source, target int) int {
	switch {
	case target == 0:
		return 0
	case source == 0:
		return 100
	}
	total := source + target
	return min(max((200*target+total)/(2*total), 1), 99)
}
