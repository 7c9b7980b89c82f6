package wire

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/tranship/tranship/internal/rollout/runner"
)

// A Status is an answer that is not what was asked for. It is runner.ErrRefused,
// ErrLocked or ErrAbsent where its code says so; of the rest some may pass.
type Status struct {
	Code int
	Said string // the interface's own words
}

func (s *Status) Error() string {
	text := fmt.Sprintf("answered %d", s.Code)
	if name := http.StatusText(s.Code); name != "" {
		text += " " + name
	}
	if s.Said != "" {
		text += " (" + s.Said + ")"
	}
	return text
}

// Unwrap gives the runner's error that the code stands for.
func (s *Status) Unwrap() error {
	switch s.Code {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusMethodNotAllowed, http.StatusUnprocessableEntity:
		return runner.ErrRefused
	case http.StatusConflict:
		return runner.ErrLocked
	case http.StatusNotFound, http.StatusGone:
		return runner.ErrAbsent
	}
	return nil
}

const maxWords = 300

// statusError reads what the interface says. A body that is no JSON is not
// repeated: it may be a page of any size.
func (c *Client) statusError(resp *http.Response) error {
	s := &Status{Code: resp.StatusCode}
	data, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return s
	}
	var said struct {
		Message string          `json:"message"`
		Details json.RawMessage `json:"details"`
	}
	switch {
	case json.Unmarshal(data, &said) == nil:
		s.Said = said.Message
		if len(said.Details) > 0 {
			s.Said += " " + string(said.Details)
		}
	case strings.HasPrefix(resp.Header.Get("Content-Type"), "text/plain"): // as Mesos says it
		s.Said = string(data)
	}
	s.Said = strings.Join(strings.Fields(c.opts.Credential.Scrub(s.Said)), " ")
	if r := []rune(s.Said); len(r) > maxWords {
		s.Said = string(r[:maxWords]) + "…"
	}
	return s
}

// connectError tells what cannot be mended by trying again from what may pass.
func (c *Client) connectError(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err // its URL stands in the message already
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return refused("has a certificate that cannot be trusted: " + err.Error())
	}
	return err
}

// refused is an answer that no other attempt would change.
func refused(why string) error { return fmt.Errorf("%w: %s", runner.ErrRefused, why) }

// parse reads an address. No message repeats it: it may hold a password.
func parse(text string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(text))
	switch {
	case err != nil, u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "":
		return nil, errors.New("an address is written as http://host:port or https://host/prefix")
	case u.User != nil:
		return nil, errors.New("an address holds a user or a password: name a variable with a token instead")
	case u.RawQuery != "" || u.Fragment != "" || u.ForceQuery:
		return nil, errors.New("an address has a query or a fragment: give it alone")
	}
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), ""
	return u, nil
}

// hostOf is scheme, host and port, one spelling for one address.
func hostOf(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return u.Scheme + "://" + net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}
