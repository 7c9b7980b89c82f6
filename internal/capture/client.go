package capture

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v4"
	"golang.org/x/time/rate"

	"github.com/tranship/tranship/internal/base/credential"
	"github.com/tranship/tranship/internal/base/snapshot"
)

// maxRedirects is how often one question may be sent on: to https and to the
// leader, and once more if it changes meanwhile.
const maxRedirects = 3

// newTransport speaks TLS 1.2 or newer and trusts, where authorities are given,
// those alone.
func newTransport(opts Options) (*http.Transport, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if len(opts.CA) > 0 {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(opts.CA) {
			return nil, errors.New("read authorities: no PEM certificate in it")
		}
	}
	dial := opts.Dial
	if dial == nil {
		dial = (&net.Dialer{Timeout: opts.Idle, KeepAlive: 30 * time.Second}).DialContext
	}
	return &http.Transport{
		Proxy: opts.Proxy, DialContext: dial, TLSClientConfig: config, ForceAttemptHTTP2: true,
		TLSHandshakeTimeout: opts.Idle, MaxIdleConnsPerHost: 1, MaxResponseHeaderBytes: 1 << 20,
	}, nil
}

// An asker asks one source, one question at a time.
type asker struct {
	source     address
	credential credential.Credential // in the form that the source wants
	wire       http.RoundTripper
	pace       *rate.Limiter
	folder     Folder
	opts       Options
	now        func() time.Time
	tell       func(Event)
}

func newAsker(source address, transport http.RoundTripper, folder Folder, opts Options) *asker {
	return &asker{
		source: source, credential: source.Credential, folder: folder, opts: opts,
		pace: rate.NewLimiter(rate.Limit(opts.Rate), 1),
		// No http.Client: follow judges redirects, since only it knows where the
		// credential may go, and a client would read Location before it can.
		wire: newGuard(transport, source),
	}
}

// fetch asks target until it answers, the attempts are used up, or no attempt
// could do better. The answer it gives is also on disk.
func (a *asker) fetch(ctx context.Context, q question, target *url.URL, path string) (snapshot.Answer, *fault) {
	answer := snapshot.Answer{Source: a.source.Name, URL: target.String(), Path: path}
	tries := a.opts.Tries
	if q.tries > 0 {
		tries = min(tries, q.tries)
	}
	waits := backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(firstWait), backoff.WithMultiplier(2),
		backoff.WithMaxInterval(longestWait), backoff.WithMaxElapsedTime(0),
	)
	for try := 1; ; try++ {
		got, f := a.attempt(ctx, q, target, path)
		if f == nil {
			answer.Status, answer.SHA256, answer.Bytes = http.StatusOK, got.sha256, got.bytes
			return answer, nil
		}
		if cause := context.Cause(ctx); cause != nil {
			return answer, &fault{local: cause}
		}
		f.problem = a.source.Credential.Scrub(f.problem)
		answer.Status, answer.Error = f.status, f.text()
		switch {
		case f.local != nil || !f.again || try >= tries:
			return answer, f
		case f.wait > a.opts.MaxWait:
			f.problem += ", and wants " + f.wait.String() + " of rest"
			answer.Error = f.text()
			return answer, f
		}
		wait := max(f.wait, waits.NextBackOff())
		a.tell(Event{Path: path, State: Waiting, Wait: wait, Problem: f.problem})
		if err := pause(ctx, wait); err != nil {
			return answer, &fault{local: err}
		}
	}
}

// pause waits, or returns why it was not to.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// attempt asks once. What bounds it is silence, not length: an answer may take
// as long as it likes while bytes come.
func (a *asker) attempt(ctx context.Context, q question, target *url.URL, path string) (received, *fault) {
	if err := a.pace.Wait(ctx); err != nil {
		return received{}, &fault{local: err}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	idle := time.AfterFunc(a.opts.Idle, func() { cancel(errIdle) })
	defer idle.Stop()
	resp, f := a.send(ctx, q, target)
	if f != nil {
		return received{}, f
	}
	defer func() { _ = resp.Body.Close() }() // what was wanted of it was read by then
	if f := a.statusFault(resp); f != nil {
		return received{}, f
	}
	return a.receive(ctx, resp, path, idle)
}

// send puts the question to target, and goes where it is sent if that is safe.
func (a *asker) send(ctx context.Context, q question, target *url.URL) (*http.Response, *fault) {
	for hops := 0; ; {
		req, err := a.request(ctx, q, target)
		if err != nil {
			return nil, &fault{problem: "cannot be asked: " + err.Error()}
		}
		resp, err := a.wire.RoundTrip(req)
		if err != nil {
			if context.Cause(ctx) != nil {
				return nil, a.bodyFault(ctx, err)
			}
			return nil, a.connectFault(err)
		}
		switch resp.StatusCode {
		case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
			http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
			next, f := a.follow(resp, target)
			_ = resp.Body.Close()
			if f != nil {
				return nil, f
			}
			if hops++; hops > maxRedirects {
				return nil, &fault{status: resp.StatusCode, problem: "sends on without an end", again: true}
			}
			target = next
		case http.StatusUnauthorized:
			wanted, other := a.credential.AsChallenged(resp.Header)
			if !other || !a.source.trusts(target) {
				return resp, nil
			}
			_ = resp.Body.Close()
			a.credential = wanted
		default:
			return resp, nil
		}
	}
}

func (a *asker) request(ctx context.Context, q question, target *url.URL) (*http.Request, error) {
	method, body := http.MethodGet, io.Reader(http.NoBody)
	if call := q.body(); call != nil {
		method, body = http.MethodPost, bytes.NewReader(call)
	}
	req, err := http.NewRequestWithContext(ctx, method, target.String(), body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", a.opts.UserAgent)
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/json")
	}
	if a.source.trusts(target) {
		a.credential.Apply(req.Header)
	}
	return req, nil
}

// follow judges a redirect; the package comment says by which rule. The query
// stays that of the question: masters drop it when they name their leader.
func (a *asker) follow(resp *http.Response, target *url.URL) (*url.URL, *fault) {
	f := &fault{status: resp.StatusCode, stop: true}
	next, err := target.Parse(resp.Header.Get("Location"))
	if err != nil || next.Hostname() == "" || (next.Scheme != "http" && next.Scheme != "https") {
		f.problem = "sends on to no address that can be read"
		return nil, f
	}
	next.User, next.RawQuery, next.Fragment = nil, target.RawQuery, ""
	leads := resp.StatusCode == http.StatusTemporaryRedirect || resp.StatusCode == http.StatusPermanentRedirect
	switch {
	case strings.TrimSuffix(next.Path, "/") != strings.TrimSuffix(target.Path, "/") &&
		next.Path != strings.TrimPrefix(target.Path, a.source.base.Path):
		f.problem, f.hint = "sends on to "+shown(next), "looks like a login page: give a token"
	case target.Scheme == "https" && next.Scheme == "http":
		f.problem, f.hint = "sends on from https to "+shown(next), "that would be readable on the way: give another URL"
	case a.source.trusts(next):
		return next, nil
	case a.credential.Given():
		f.problem = "sends on to another host, " + hostOf(next)
		f.hint = "the credential is not sent to a host that was not named: give that URL instead"
	case !leads:
		f.problem = "sends on to another host, " + hostOf(next)
		f.hint = "give that URL if it is the right one"
	default:
		return next, nil
	}
	return nil, f
}
