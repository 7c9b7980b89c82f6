package pki

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
)

// Kubeconfig writes NAME.kubeconfig: the way of a name's holder to a server. It holds all that it needs, so that it
// can be taken elsewhere.
func (a *Authority) Kubeconfig(name, server string) (string, error) {
	var data [3]string
	for i, file := range []string{a.CA(), a.Cert(name), a.Key(name)} {
		text, err := os.ReadFile(file)
		if err != nil {
			return "", fmt.Errorf("write kubeconfig of %s: %w", name, err)
		}
		data[i] = base64.StdEncoding.EncodeToString(text)
	}
	text := fmt.Sprintf(`apiVersion: v1
kind: Config
current-context: lab
contexts: [{name: lab, context: {cluster: lab, user: %s}}]
clusters: [{name: lab, cluster: {server: %q, certificate-authority-data: %s}}]
users: [{name: %s, user: {client-certificate-data: %s, client-key-data: %s}}]
`, name, server, data[0], name, data[1], data[2])
	file := filepath.Join(a.dir, name+".kubeconfig")
	if have, err := os.ReadFile(file); err == nil && string(have) == text {
		return file, nil
	}
	if err := os.WriteFile(file+".new", []byte(text), 0o600); err != nil {
		return "", fmt.Errorf("write kubeconfig of %s: %w", name, err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		return "", fmt.Errorf("write kubeconfig of %s: %w", name, err)
	}
	return file, nil
}
