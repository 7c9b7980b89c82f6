// Package pki makes the lab's certificates: one authority, and what it signs for servers, clients and nodes.
//
// Input: a folder and names. Output: PEM files and kubeconfigs in it. What is there already is kept, so that what runs
// with it goes on. It never signs for a key that it has not made.
package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// lifetime is long enough for any lab, and ends.
const lifetime = 365 * 24 * time.Hour

// Authority signs. Its files are ca.crt and ca.key.
type Authority struct {
	dir  string
	cert *x509.Certificate
	key  crypto.Signer
}

// Subject is whom a certificate is for: a client by user and groups, a server by the names and addresses it answers at.
type Subject struct {
	User   string
	Groups []string
	Names  []string // DNS names and IP addresses
}

// Open takes the authority that is in a folder, or makes one.
func Open(dir string) (*Authority, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("open authority: %w", err)
	}
	a := &Authority{dir: dir}
	cert, key, err := a.read("ca")
	if errors.Is(err, fs.ErrNotExist) {
		return a, a.found()
	}
	if err != nil {
		return nil, fmt.Errorf("open authority: %w", err)
	}
	a.cert, a.key = cert, key
	return a, nil
}

// CA is the file of the authority's certificate, Cert and Key those of a name.
func (a *Authority) CA() string { return a.Cert("ca") }

// Cert is the file of a name's certificate.
func (a *Authority) Cert(name string) string { return filepath.Join(a.dir, name+".crt") }

// Key is the file of a name's key.
func (a *Authority) Key(name string) string { return filepath.Join(a.dir, name+".key") }

// Issue makes key and certificate of a name unless they are there.
func (a *Authority) Issue(name string, s Subject) error {
	if _, _, err := a.read(name); err == nil {
		return nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("issue %s: %w", name, err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("issue %s: %w", name, err)
	}
	t, err := template(pkix.Name{CommonName: s.User, Organization: s.Groups})
	if err != nil {
		return fmt.Errorf("issue %s: %w", name, err)
	}
	t.KeyUsage = x509.KeyUsageDigitalSignature
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}
	for _, n := range s.Names {
		if ip := net.ParseIP(n); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, n)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, t, a.cert, key.Public(), a.key)
	if err != nil {
		return fmt.Errorf("issue %s: %w", name, err)
	}
	return a.write(name, der, key)
}

// SigningKey makes an RSA key, with which the API server signs the tokens of service accounts, unless it is there.
func (a *Authority) SigningKey(name string) error {
	if _, err := os.Stat(a.Key(name)); err == nil {
		return nil
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return fmt.Errorf("make key %s: %w", name, err)
	}
	return writePEM(a.Key(name), "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key), 0o600)
}

// found makes the authority itself.
func (a *Authority) found() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("make authority: %w", err)
	}
	t, err := template(pkix.Name{CommonName: "tranship-lab"})
	if err != nil {
		return fmt.Errorf("make authority: %w", err)
	}
	t.IsCA, t.BasicConstraintsValid = true, true
	t.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature | x509.KeyUsageCRLSign
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return fmt.Errorf("make authority: %w", err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		return fmt.Errorf("make authority: %w", err)
	}
	a.key = key
	return a.write("ca", der, key)
}

func template(name pkix.Name) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	now := time.Now()
	return &x509.Certificate{SerialNumber: serial, Subject: name, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(lifetime)}, nil
}

// write keeps the key first: a certificate stands only beside its key, so a pair that was cut off is made anew.
func (a *Authority) write(name string, der []byte, key crypto.Signer) error {
	text, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("keep %s: %w", name, err)
	}
	if err := writePEM(a.Key(name), "PRIVATE KEY", text, 0o600); err != nil {
		return err
	}
	return writePEM(a.Cert(name), "CERTIFICATE", der, 0o644)
}

func (a *Authority) read(name string) (*x509.Certificate, crypto.Signer, error) {
	text, err := os.ReadFile(a.Cert(name))
	if err != nil {
		return nil, nil, err
	}
	secret, err := os.ReadFile(a.Key(name))
	if err != nil {
		return nil, nil, err
	}
	c, k := first(text), first(secret)
	if c == nil || k == nil {
		return nil, nil, fmt.Errorf("read %s: no PEM", name)
	}
	cert, err := x509.ParseCertificate(c)
	if err != nil {
		return nil, nil, fmt.Errorf("read %s: %w", name, err)
	}
	any, err := x509.ParsePKCS8PrivateKey(k)
	if err != nil {
		return nil, nil, fmt.Errorf("read %s: %w", name, err)
	}
	key, ok := any.(crypto.Signer)
	if !ok {
		return nil, nil, fmt.Errorf("read %s: a key that cannot sign", name)
	}
	return cert, key, nil
}

func first(text []byte) []byte {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil
	}
	return block.Bytes
}

// writePEM writes a file that is there as a whole or not at all.
func writePEM(file, kind string, der []byte, mode fs.FileMode) error {
	if err := os.WriteFile(file+".new", pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), mode); err != nil {
		return fmt.Errorf("write key material: %w", err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		return fmt.Errorf("write key material: %w", err)
	}
	return nil
}
