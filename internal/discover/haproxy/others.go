package haproxy

import (
	"slices"
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/estate"
)

// Others reads the labels of the load balancers beside marathon-lb: Traefik,
// F5's controller, Bamboo and DC/OS' Admin Router. It makes no routes of them:
// each is a decision, and stays as an annotation.
type Others struct{}

// Claims says whether the label is one of theirs.
func (Others) Claims(key string) bool { return codeOf(key) != "" }

func codeOf(key string) diag.Code {
	switch {
	case strings.HasPrefix(key, "traefik."):
		return Traefik
	case strings.HasPrefix(key, "F5_"):
		return BigIP
	case strings.HasPrefix(key, "BAMBOO_"):
		return Bamboo
	case slices.Contains([]string{
		"DCOS_SERVICE_NAME", "DCOS_SERVICE_PORT_INDEX", "DCOS_SERVICE_SCHEME", "DCOS_SERVICE_WEB_PATH",
		"DCOS_SERVICE_REWRITE_REQUEST_URLS", "DCOS_SERVICE_REQUEST_BUFFERING",
	}, key):
		return AdminRouter
	}
	return ""
}

// ReadLabels notes each label, and takes out those that hold passwords.
func (Others) ReadLabels(w *estate.Workload, labels []discover.Label, b *discover.Builder) {
	for _, l := range labels {
		if !scalar(w, l, b) {
			continue
		}
		code := codeOf(l.Key)
		if holdsUsers(l.Key) {
			delete(w.Labels, l.Key)
			declare(b, w, l)
			note(b, w, l, discover.Ruling{
				Verdict: ledger.Decision, Code: EdgeCredential, Target: "secret#data",
				Reason: "holds users and passwords, which stay in the snapshot; proposed: a secret to be filled, and basic auth in the implementation's own policy",
			})
			continue
		}
		w.Labels[l.Key], _ = redact(l.Value)
		note(b, w, l, discover.Ruling{Verdict: ledger.Decision, Code: code, Target: annotations, Reason: proposal(code)})
	}
}

// holdsUsers tells Traefik's lists of users and hashes, of its first and its
// later versions.
func holdsUsers(key string) bool {
	k := strings.ToLower(key)
	return strings.HasSuffix(k, "auth.basic") || strings.HasSuffix(k, "auth.basic.users") ||
		strings.HasSuffix(k, "auth.digest.users") || strings.HasSuffix(k, "basicauth.users") ||
		strings.HasSuffix(k, "digestauth.users") || strings.Contains(k, "password")
}

func proposal(code diag.Code) string {
	switch code {
	case AdminRouter:
		return "DC/OS' web server had it below /service; proposed: no route, reach it by kubectl port-forward or give it a host"
	case Traefik:
		return "a route of Traefik; proposed: none, an annotation; write the route, or run Traefik with its own resources"
	case BigIP:
		return "a virtual server of an F5; proposed: none, an annotation; F5's controller for Kubernetes takes its place"
	default:
		return "a route of Bamboo; proposed: none, an annotation; write the route"
	}
}
