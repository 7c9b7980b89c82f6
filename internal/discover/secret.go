package discover

import (
	"net/url"
	"path"
	"regexp"
	"strings"
)

// secretNames are the patterns of variables whose values are secrets. The list
// is documented in docs/secrets.md; policy adds to it (spec.secrets.names).
var secretNames = []string{
	"*password*", "*passwd*", "*passphrase*", "*secret*", "*token*", "*credential*",
	"*api_key*", "*apikey*", "*api-key*", "*access_key*", "*accesskey*", "*private_key*", "*privatekey*",
	"*auth_key*", "*authkey*", "*encryption_key*", "*signing_key*", "*_pwd", "pwd_*", "*_pass", "pass", "*_pw",
	"*license_key*", "*cookie*", "*htpasswd*", "*_dsn", "dsn", "*connection_string*", "*service_key*", "*_salt", "*_pat",
}

// notSecret are names that the patterns catch and that hold no secret.
var notSecret = []string{
	"*_file", "*_path", "*_dir", "*_name", "*_enabled", "*_enable", "*_ttl", "*_expir*", "*_timeout*", "*_length",
	"*_count", "*_url", "*_uri", "*_endpoint", "*_type", "*_domain", "*_header",
	"*secret_name*", "*tokenizer*", "*max_tokens*", "*_algorithm*", "*_arn", "*_policy",
}

// SecretNames gives the documented patterns, for init and the docs.
func SecretNames() []string { return append([]string(nil), secretNames...) }

// NotSecretNames gives the documented exceptions.
func NotSecretNames() []string { return append([]string(nil), notSecret...) }

// IsSecretName reports whether a variable of that name holds a secret.
func (b *Builder) IsSecretName(name string) bool {
	n := strings.ReplaceAll(strings.ToLower(name), "/", "_") // no pattern's * goes beyond a slash
	return matches(b.opts.SecretNames, n) || matches(secretNames, n) && !matches(notSecret, n)
}

func matches(patterns []string, name string) bool {
	for _, p := range patterns {
		if ok, _ := path.Match(strings.ToLower(p), name); ok {
			return true
		}
	}
	return false
}

// userInfo finds the user info of URLs: scheme://user:password@host. A user
// without a password is no secret, but a lone token is often put there.
var userInfo = regexp.MustCompile(`([a-zA-Z][a-zA-Z0-9+.-]*://)([^\s/?#@"'<>$]*[^\s/?#"'<>]*)@`)

// signed finds query parameters that carry a credential.
var signed = regexp.MustCompile(`(?i)([?&](?:x-amz-signature|x-amz-credential|x-amz-security-token|signature|sig|access_token|token|api_key|apikey|key|password|secret)=)([^&\s"'#]+)`)

// RedactURLs takes the credentials out of all URLs in s and reports whether
// there were any. A password that is only a variable ("$PASS") is no secret.
func RedactURLs(s string) (clean string, found bool) {
	if !strings.Contains(s, "://") {
		return s, false
	}
	clean = userInfo.ReplaceAllStringFunc(s, func(m string) string {
		p := userInfo.FindStringSubmatch(m)
		_, pass, has := strings.Cut(p[2], ":")
		if u, err := url.PathUnescape(p[2]); err == nil && (!has && len(u) < 16 || has && (pass == "" || strings.HasPrefix(pass, "$"))) {
			return m
		}
		found = true
		return p[1]
	})
	clean = signed.ReplaceAllStringFunc(clean, func(m string) string {
		p := signed.FindStringSubmatch(m)
		if strings.HasPrefix(p[2], "$") {
			return m
		}
		found = true
		return p[1] + "REDACTED"
	})
	return clean, found
}
