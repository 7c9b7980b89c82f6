package capture

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// A fault is why an attempt gave no answer, and what may be done about it.
type fault struct {
	status  int
	problem string
	hint    string
	again   bool          // another attempt may do better
	wait    time.Duration // what the source asked to wait before it
	unknown bool          // the source does not know the path or the call
	instead bool          // another question may be answered where this is not
	stop    bool          // no other question to this source would do better
	local   error         // this side's disk or context: ends the run
}

// text is the fault in one line, as snapshot.json keeps it.
func (f *fault) text() string {
	if f.hint == "" {
		return f.problem
	}
	return f.problem + ": " + f.hint
}

// The reasons for which an answer's context is given up.
var (
	errIdle  = errors.New("nothing came for too long")
	errLarge = errors.New("larger than the cap")
	errCut   = errors.New("ends before the JSON does")
)

// Shorter than this, a source's own words stand in the problem.
const maxWords = 160

// connectFault tells why a request got no response at all.
func (a *asker) connectFault(err error) *fault {
	problem := "does not answer: " + err.Error()
	var op *net.OpError
	switch {
	case errors.Is(err, errNotReading):
		return &fault{problem: err.Error()}
	case isA[*tls.CertificateVerificationError](err):
		hint := "give the file of the authority that signed it"
		if isA[x509.HostnameError](err) {
			hint = "use the name that its certificate is for"
		} else if isA[x509.CertificateInvalidError](err) {
			hint = "have its certificate renewed"
		}
		return &fault{problem: "has a certificate that cannot be trusted: " + err.Error(), hint: hint, stop: true}
	case isA[tls.RecordHeaderError](err), strings.Contains(err.Error(), "HTTP response to HTTPS client"):
		return &fault{problem: "does not speak TLS at this port", hint: "write http:// or give the TLS port", stop: true}
	case errors.As(err, &op) && op.Op == "remote error": // the alert itself has no name
		return &fault{problem: problem, hint: "it speaks no TLS 1.2 or newer, or wants a client certificate", stop: true}
	}
	var dns *net.DNSError
	if errors.As(err, &dns) && dns.IsNotFound {
		return &fault{problem: problem, hint: "check the host name", stop: true}
	}
	dial := errors.As(err, &op) && op.Op == "dial"
	return &fault{
		problem: problem, hint: "check that it is up and reachable from here", again: true, stop: dial, instead: !dial,
	}
}

// statusFault tells why a response is no answer; nil for one that is.
func (a *asker) statusFault(resp *http.Response) *fault {
	code := resp.StatusCode
	if code == http.StatusOK {
		return nil
	}
	f := &fault{status: code, problem: "answered " + strconv.Itoa(code)}
	if name := http.StatusText(code); name != "" {
		f.problem += " " + name
	}
	if said := words(resp.Body); said != "" {
		f.problem += " (" + said + ")"
	}
	switch code {
	case http.StatusUnauthorized:
		f.stop, f.hint = true, "give a token"
		if a.credential.Given() {
			f.hint = "the credential was not accepted or has expired: give a new one"
		}
	case http.StatusForbidden:
		f.instead, f.hint = true, "this account may not read it: give one that may"
	case http.StatusBadRequest, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusGone, http.StatusNotImplemented:
		f.unknown, f.instead = true, true
		f.hint = "check the URL's prefix"
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		f.again, f.instead = true, true
		f.wait = retryAfter(resp.Header.Get("Retry-After"), a.now())
		f.hint = "run capture again: only what is missing is asked"
	}
	return f
}

// retryAfter reads both forms of the header, 0 for neither.
func retryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseInt(strings.TrimSpace(value), 10, 32); err == nil && seconds > 0 {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}

// words takes the message out of an error's JSON body. A body of another form
// is not repeated: it may be a page of any size.
func words(body io.Reader) string {
	data, err := io.ReadAll(io.LimitReader(body, 4<<10))
	if err != nil {
		return ""
	}
	var said struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(data, &said) != nil {
		return ""
	}
	text := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, said.Message)
	if r := []rune(text); len(r) > maxWords {
		text = string(r[:maxWords]) + "…"
	}
	return strings.Join(strings.Fields(text), " ")
}

// bodyFault tells why a body could not be taken. ctx is that of the attempt.
func (a *asker) bodyFault(ctx context.Context, err error) *fault {
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	var stopped *notJSONError
	switch {
	case errors.Is(err, errIdle):
		return &fault{
			problem: fmt.Sprintf("sent nothing for %s", a.opts.Idle), again: true, instead: true,
			hint: "run capture again: only what is missing is asked",
		}
	case errors.Is(err, errLarge):
		return &fault{
			problem: fmt.Sprintf("is larger than %d bytes", a.opts.MaxBytes), instead: true,
			hint: "raise the cap if that size is right",
		}
	case errors.As(err, &stopped):
		return &fault{problem: "is not JSON: " + stopped.Error(), hint: stopped.hint}
	}
	return &fault{
		problem: "was cut off: " + err.Error(), again: true, instead: true,
		hint: "run capture again: only what is missing is asked",
	}
}

func isA[T error](err error) bool {
	var target T
	return errors.As(err, &target)
}
