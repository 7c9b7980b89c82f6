// Package credential holds what proves to the old world's interfaces who asks. It
// takes a token or a password and puts it into a request's header, in the form
// that the interface wants. It never shows any part of it otherwise, in whatever
// way it is printed.
package credential

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// redacted stands wherever a credential would.
const redacted = "[redacted]"

// A Credential is what proves to a source who asks. The zero value is none.
// However it is printed, formatted or marshalled, it shows no part of itself.
type Credential struct {
	kind   credentialKind
	secret string // the token, or user:password
}

type credentialKind int

const (
	none credentialKind = iota
	anyToken
	bearer
	dcos
	basic
)

// Token is a token whose scheme the source tells: it is sent as a bearer token,
// and as DC/OS wants it once the source asks for that in its challenge.
// White space around it, such as a file's last newline, is no part of it.
func Token(text string) (Credential, error) { return newCredential(anyToken, text) }

// Bearer is a token for "Authorization: Bearer".
func Bearer(text string) (Credential, error) { return newCredential(bearer, text) }

// DCOS is a token for "Authorization: token=", which DC/OS' Admin Router wants.
func DCOS(text string) (Credential, error) { return newCredential(dcos, text) }

// Basic is a user and a password, written "user:password".
func Basic(text string) (Credential, error) {
	c, err := newCredential(basic, text)
	if err == nil && strings.Index(c.secret, ":") < 1 {
		return Credential{}, errors.New("read credential: it is not of the form user:password")
	}
	return c, err
}

func newCredential(kind credentialKind, text string) (Credential, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return Credential{}, errors.New("read credential: it is empty")
	}
	for _, r := range text {
		if r < ' ' || r == 0x7f {
			return Credential{}, errors.New("read credential: it holds a line break or another control character")
		}
	}
	return Credential{kind: kind, secret: text}, nil
}

// Given tells whether there is a credential at all.
func (c Credential) Given() bool { return c.kind != none }

// String, GoString, Format and the marshallers keep the credential out of
// messages and files, by whichever way it would get there.
func (c Credential) String() string {
	if !c.Given() {
		return "none"
	}
	return redacted
}

// GoString redacts as String does.
func (c Credential) GoString() string { return c.String() }

// Format redacts as String does, for every verb.
func (c Credential) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(c.String())) }

// MarshalText redacts as String does; JSON, YAML and slog go by it.
func (c Credential) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// Apply puts the credential into the request's header.
func (c Credential) Apply(h http.Header) {
	switch c.kind {
	case anyToken, bearer:
		h.Set("Authorization", "Bearer "+c.secret)
	case dcos:
		h.Set("Authorization", "token="+c.secret)
	case basic:
		h.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(c.secret)))
	case none:
	}
}

// AsChallenged gives the credential in the form that the answer's challenge
// wants, and whether that is another form than before.
func (c Credential) AsChallenged(answer http.Header) (Credential, bool) {
	if c.kind != anyToken {
		return c, false
	}
	for _, challenge := range answer.Values("WWW-Authenticate") {
		// Admin Router says acsjwt with accounts of its own, oauthjwt without.
		if low := strings.ToLower(challenge); strings.Contains(low, "acsjwt") || strings.Contains(low, "oauthjwt") {
			return Credential{kind: dcos, secret: c.secret}, true
		}
	}
	return c, false
}

// Scrub takes every form of the credential out of a text, since a source may
// send back in its own words what it was sent.
func (c Credential) Scrub(text string) string {
	if !c.Given() {
		return text
	}
	forms := []string{base64.StdEncoding.EncodeToString([]byte(c.secret)), c.secret}
	if _, password, _ := strings.Cut(c.secret, ":"); c.kind == basic && password != "" {
		forms = append(forms, password)
	}
	for _, form := range forms {
		for _, f := range []string{form, url.PathEscape(form), url.QueryEscape(form)} {
			text = strings.ReplaceAll(text, f, redacted)
		}
	}
	return text
}
