// Package wire speaks JSON over HTTP with the old world's interfaces. It takes
// an address, a credential and requests, and gives answers or errors of package
// runner. It never sends DELETE, and never hands the credential to a host that
// was not named.
package wire

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/tranship/tranship/internal/base/credential"
)

// Options of which the zero value works.
type Options struct {
	// Peers are URLs of the other masters of the same cluster: a redirect to one of
	// them is followed with the credential.
	Peers []string
	// Credential is sent to the address and its peers, and to nobody else.
	Credential credential.Credential
	// CA holds authorities to trust beside the system's, in PEM.
	CA []byte
	// Timeout bounds one call, 15 s by default; MaxBytes an answer, 256 MiB.
	Timeout  time.Duration
	MaxBytes int64
}

// A Client asks one interface. It is safe for concurrent use.
type Client struct {
	base  *url.URL
	hosts []string
	opts  Options
	http  http.Client

	mu         sync.Mutex
	credential credential.Credential // in the form that the interface wants
}

// New reads the address. It asks nothing yet.
func New(address string, opts Options) (*Client, error) {
	if opts.Timeout <= 0 {
		opts.Timeout = 15 * time.Second
	}
	if opts.MaxBytes <= 0 {
		opts.MaxBytes = 256 << 20
	}
	c := &Client{opts: opts, credential: opts.Credential}
	for i, text := range append([]string{address}, opts.Peers...) {
		u, err := parse(text)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			c.base = u
		}
		c.hosts = append(c.hosts, hostOf(u))
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if len(opts.CA) > 0 {
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool() // a system without authorities of its own
		}
		if !pool.AppendCertsFromPEM(opts.CA) {
			return nil, errors.New("read authorities: no PEM certificate in them")
		}
		config.RootCAs = pool
	}
	c.http = http.Client{
		Transport:     &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute},
		CheckRedirect: c.follow,
	}
	return c, nil
}

// Close gives idle connections back.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Get asks for a path below the address, and reads the answer into a value.
func (c *Client) Get(ctx context.Context, path string, query url.Values, into any) error {
	return c.call(ctx, http.MethodGet, path, query, nil, into)
}

// Put replaces what is at a path. into may be nil.
func (c *Client) Put(ctx context.Context, path string, body, into any) error {
	return c.call(ctx, http.MethodPut, path, nil, body, into)
}

// Post sends a body to a path. into may be nil.
func (c *Client) Post(ctx context.Context, path string, body, into any) error {
	return c.call(ctx, http.MethodPost, path, nil, body, into)
}

func (c *Client) call(ctx context.Context, method, path string, query url.Values, body, into any) error {
	ctx, cancel := context.WithTimeoutCause(ctx, c.opts.Timeout, fmt.Errorf("no answer within %s", c.opts.Timeout))
	defer cancel()
	target := *c.base
	target.Path += path
	target.RawQuery = query.Encode()
	what := method + " " + target.Path
	var data []byte
	if body != nil {
		var err error
		if data, err = json.Marshal(body); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
	}
	resp, err := c.send(ctx, method, target.String(), data)
	if err != nil {
		return fmt.Errorf("%s: %w", what, c.connectError(ctx, err))
	}
	defer resp.Body.Close()
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return fmt.Errorf("%s: %w", what, c.statusError(resp))
	}
	if into == nil {
		_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, c.opts.MaxBytes))
	} else {
		in := &io.LimitedReader{R: resp.Body, N: c.opts.MaxBytes + 1}
		err = json.NewDecoder(in).Decode(into)
		if in.N <= 0 {
			err = fmt.Errorf("larger than %d bytes", c.opts.MaxBytes)
		}
	}
	if err != nil {
		return fmt.Errorf("%s: read the answer: %w", what, c.connectError(ctx, err))
	}
	return nil
}

// send puts the request, once more if the interface asks for the credential in
// another form.
func (c *Client) send(ctx context.Context, method, target string, data []byte) (*http.Response, error) {
	for again := false; ; again = true {
		req, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(data))
		if err != nil {
			return nil, err
		}
		req.Header.Set("Accept", "application/json")
		req.Header.Set("User-Agent", "tranship")
		req.Header.Set("Cache-Control", "no-cache")
		if len(data) > 0 {
			req.Header.Set("Content-Type", "application/json")
		}
		c.now().Apply(req.Header)
		resp, err := c.http.Do(req)
		if err != nil || resp.StatusCode != http.StatusUnauthorized || again {
			return resp, err
		}
		wanted, other := c.now().AsChallenged(resp.Header)
		if !other {
			return resp, nil
		}
		_ = resp.Body.Close()
		c.mu.Lock()
		c.credential = wanted
		c.mu.Unlock()
	}
}

func (c *Client) now() credential.Credential {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.credential
}

const maxRedirects = 3

// follow judges a redirect: to the leader under the same path, with the same
// method, never from https to http, and with a credential only to a host that
// was named.
func (c *Client) follow(req *http.Request, via []*http.Request) error {
	first, last := via[0], via[len(via)-1]
	// Masters drop the query when they name their leader.
	req.URL.RawQuery, req.URL.User, req.URL.Fragment = first.URL.RawQuery, nil, ""
	path := strings.TrimSuffix(req.URL.Path, "/")
	code := req.Response.StatusCode
	leads := code == http.StatusTemporaryRedirect || code == http.StatusPermanentRedirect
	switch {
	case len(via) > maxRedirects:
		return refused("sends on without an end")
	case req.Method != first.Method:
		return refused("sends on with another method: give its own URL")
	case path != strings.TrimSuffix(first.URL.Path, "/") && path != strings.TrimPrefix(first.URL.Path, c.base.Path):
		return refused("sends on to " + hostOf(req.URL) + req.URL.Path + ": looks like a login page, give a token")
	case last.URL.Scheme == "https" && req.URL.Scheme == "http":
		return refused("sends on from https to http: give another URL")
	case c.trusts(req.URL):
		c.now().Apply(req.Header)
		return nil
	case c.opts.Credential.Given():
		return refused("sends on to another host, " + hostOf(req.URL) + ", to which the credential is not sent: give that URL instead")
	case !leads:
		return refused("sends on to another host, " + hostOf(req.URL) + ": give that URL if it is the right one")
	}
	return nil
}

// trusts tells whether the credential may go to u.
func (c *Client) trusts(u *url.URL) bool {
	host := hostOf(u)
	for _, h := range c.hosts {
		if h == host {
			return true
		}
		// The same host, only better guarded.
		if plain, err := url.Parse(h); err == nil && u.Scheme == "https" && plain.Scheme == "http" && strings.EqualFold(plain.Hostname(), u.Hostname()) {
			return true
		}
	}
	return false
}
