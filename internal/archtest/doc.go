// Package archtest holds the tests on the shape of the code. It takes the
// source tree and gives failures that name the mending. It never runs the go
// command: the test cache could not see what such a child reads.
package archtest
