package capture

import "net/http"

// NewGuard gives tests the transport that stands below every client.
func NewGuard(next http.RoundTripper, source Source) (http.RoundTripper, error) {
	addresses, err := checkSources([]Source{source})
	if err != nil {
		return nil, err
	}
	return newGuard(next, addresses[0]), nil
}

// WholeJSON is the check that every body passes.
var WholeJSON = wholeJSON

// Calls lists the calls that the guard lets through.
func Calls() []string { return readCalls }
