package gate

import "math"

// alpha is the chance, at each look, that a target which is no worse than its
// source looks so much worse. A watch of five minutes with a look a second has
// 300 of them, which bounds it by 0.3 % a watch; docs/gates.md has what is measured.
const alpha = 1e-5

// early is how many bad answers there have to be before a gate fails on fewer
// than the smallest sample: one broken connection takes some requests with it.
const early = 5

// more gives the chance that at least a of n requests are among the bad ones, if
// the bad (a+b of them) fall on n+m requests without regard to their side:
// Fisher's exact test, one-sided. a and b are of n and m requests.
func more(a, n, b, m int64) float64 {
	if a <= 0 || n <= 0 {
		return 1
	}
	k, total := a+b, n+m
	// The largest terms come first from a upwards once a is at or above the mode;
	// below it the tail is no evidence, and its sum is near one.
	mode := (float64(n) + 1) * (float64(k) + 1) / (float64(total) + 2)
	if float64(a) < math.Floor(mode) {
		return 1
	}
	p := math.Exp(choose(n, a) + choose(m, k-a) - choose(total, k))
	sum := p
	for x := a; x < min(k, n); x++ {
		p *= float64(n-x) / float64(x+1) * float64(k-x) / float64(m-k+x+1)
		sum += p
		if p < sum*1e-12 {
			break
		}
	}
	return min(sum, 1)
}

// above gives the chance of at least a of n, each with chance q: the binomial tail.
func above(a, n int64, q float64) float64 {
	switch {
	case a <= 0:
		return 1
	case q <= 0:
		return 0
	case q >= 1 || float64(a) < float64(n)*q:
		return 1
	}
	p := math.Exp(choose(n, a) + float64(a)*math.Log(q) + float64(n-a)*math.Log1p(-q))
	sum := p
	for x := a; x < n; x++ {
		p *= float64(n-x) / float64(x+1) * q / (1 - q)
		sum += p
		if p < sum*1e-12 {
			break
		}
	}
	return min(sum, 1)
}

// choose is the logarithm of n over k.
func choose(n, k int64) float64 { return lgamma(n+1) - lgamma(k+1) - lgamma(n-k+1) }

func lgamma(n int64) float64 {
	g, _ := math.Lgamma(float64(n))
	return g
}
