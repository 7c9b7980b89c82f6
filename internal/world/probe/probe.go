// Package probe asks services directly: checks, who answers, Prometheus, and the
// witness' records. It takes questions of the policy and gives answers. It never
// follows a redirect, which could lead into the other world, never takes an
// answer from a cache, and never sends a request twice.
package probe

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"text/template"
	"time"

	"github.com/tranship/tranship/internal/rollout/runner"
)

// Options of which the zero value works.
type Options struct {
	// CA holds authorities to trust beside the system's, in PEM.
	CA []byte
	// Timeout bounds one question, 10 s by default; MaxBytes an answer, 16 MiB.
	Timeout  time.Duration
	MaxBytes int64
}

// asker sends one request on a connection of its own: a new one is balanced
// anew, and a request on one that was used before may be sent again unseen.
type asker struct {
	opts Options
	http http.Client
}

func newAsker(opts Options) (asker, error) {
	if opts.Timeout <= 0 {
		opts.Timeout = 10 * time.Second
	}
	if opts.MaxBytes <= 0 {
		opts.MaxBytes = 16 << 20
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if len(opts.CA) > 0 {
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool() // a system without authorities of its own
		}
		if !pool.AppendCertsFromPEM(opts.CA) {
			return asker{}, errors.New("read authorities: no PEM certificate in them")
		}
		config.RootCAs = pool
	}
	return asker{opts: opts, http: http.Client{
		Transport:     &http.Transport{TLSClientConfig: config, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// within bounds one question.
func (a asker) within(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, a.opts.Timeout, fmt.Errorf("no answer within %s", a.opts.Timeout))
}

// question is a request as policy writes it, filled in.
type question struct {
	method, url, body string
	header            map[string]string
}

// reply is what came back.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// ask gives the answer, and of its body as much as want says: all, or nothing.
func (a asker) ask(ctx context.Context, q question, want bool) (reply, error) {
	req, err := http.NewRequestWithContext(ctx, q.method, q.url, strings.NewReader(q.body))
	if err != nil {
		return reply{}, refused("cannot be asked", err)
	}
	req.Header.Set("User-Agent", "tranship")
	req.Header.Set("Cache-Control", "no-cache")
	req.Header.Set("Pragma", "no-cache") // for caches of HTTP/1.0
	for k, v := range q.header {
		if http.CanonicalHeaderKey(k) == "Host" {
			req.Host = v
			continue
		}
		req.Header.Set(k, v)
	}
	resp, err := a.http.Do(req)
	if err != nil {
		return reply{}, ended(ctx, err)
	}
	defer resp.Body.Close()
	r := reply{status: resp.StatusCode, header: resp.Header}
	if !want {
		return r, nil
	}
	r.body, err = io.ReadAll(io.LimitReader(resp.Body, a.opts.MaxBytes+1))
	if err != nil {
		return r, fmt.Errorf("read the answer: %w", ended(ctx, err))
	}
	if int64(len(r.body)) > a.opts.MaxBytes {
		return r, fmt.Errorf("the answer is larger than %d bytes", a.opts.MaxBytes)
	}
	return r, nil
}

// ended gives the cause where a context ended a call, and takes the URL out of
// the message, which the caller says in its own way.
func ended(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

// refused is a fault of the question itself: asking again is of no use.
func refused(what string, err error) error {
	return fmt.Errorf("%w: %s: %w", runner.ErrRefused, what, err)
}

// fill puts data into a text of the policy.
func fill(text string, data any) (string, error) {
	if !strings.Contains(text, "{{") {
		return text, nil
	}
	t, err := template.New("policy").Parse(text)
	if err != nil {
		return "", refused("template "+text, err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, data); err != nil {
		return "", refused("template "+text, err)
	}
	return b.String(), nil
}
