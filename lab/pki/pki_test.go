package pki_test

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"testing"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/tranship/tranship/lab/pki"
)

// A server's certificate is good for its names and addresses, and for no other.
func TestCertificateHoldsForItsNames(t *testing.T) {
	a, err := pki.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Issue("server", pki.Subject{User: "server", Names: []string{"kubernetes", "10.96.0.1"}}); err != nil {
		t.Fatal(err)
	}
	leaf := load(t, a, "server")
	roots := x509.NewCertPool()
	text, err := os.ReadFile(a.CA())
	if err != nil || !roots.AppendCertsFromPEM(text) {
		t.Fatalf("read authority: %v", err)
	}
	for _, name := range []string{"kubernetes", "10.96.0.1"} {
		if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: name}); err != nil {
			t.Errorf("Verify(%s) = %v, want it good", name, err)
		}
	}
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: "elsewhere"}); err == nil {
		t.Error("Verify(elsewhere) = good, want it refused")
	}
}

// What is there is kept: programs that run with it go on. A certificate whose key got lost is made anew.
func TestIssuedIsKept(t *testing.T) {
	dir := t.TempDir()
	first := issue(t, dir)
	if again := issue(t, dir); !again.Equal(first) {
		t.Error("the second Issue made another certificate, want the first kept")
	}
	a, err := pki.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(a.Key("client")); err != nil {
		t.Fatal(err)
	}
	if again := issue(t, dir); again.Equal(first) {
		t.Error("Issue kept a certificate without its key")
	}
}

// A kubeconfig needs no file beside it.
func TestKubeconfigStandsAlone(t *testing.T) {
	dir := t.TempDir()
	issue(t, dir)
	a, err := pki.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	file, err := a.Kubeconfig("client", "https://10.200.0.1:6443")
	if err != nil {
		t.Fatal(err)
	}
	config, err := clientcmd.BuildConfigFromFlags("", file)
	if err != nil {
		t.Fatal(err)
	}
	if config.Host != "https://10.200.0.1:6443" || len(config.CAData) == 0 || config.CertFile != "" {
		t.Errorf("config = host %q, %d bytes of authority, file %q", config.Host, len(config.CAData), config.CertFile)
	}
	if _, err := tls.X509KeyPair(config.CertData, config.KeyData); err != nil {
		t.Errorf("certificate and key: %v", err)
	}
}

func issue(t *testing.T, dir string) *x509.Certificate {
	t.Helper()
	a, err := pki.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Issue("client", pki.Subject{User: "admin", Groups: []string{"system:masters"}}); err != nil {
		t.Fatal(err)
	}
	return load(t, a, "client")
}

func load(t *testing.T, a *pki.Authority, name string) *x509.Certificate {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(a.Cert(name), a.Key(name))
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	return leaf
}
