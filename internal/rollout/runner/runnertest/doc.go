// Package runnertest has one suite for each edge of the runner: every promise
// in its comment is a test. It takes an edge, played or real, and the means to
// make its world go on and go wrong, and reports to the test. It never knows
// which of the two it has.
package runnertest
