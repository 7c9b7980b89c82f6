// Package netns makes network namespaces, the bridge that joins them, and routes, and removes them.
//
// Input: names and addresses. Output: the machine's namespaces, by the program ip. Every step looks first at what is
// there, so it can be done again after it was cut off anywhere. It never touches the namespace that it is called from.
package netns

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/tranship/tranship/lab/tool"
)

const folder = "/var/run/netns"

// Add makes a namespace with its loopback device up, and sets what every one of them needs.
func Add(ctx context.Context, name string, sysctl map[string]string) error {
	if !Exists(ctx, name) {
		// A maker that was ended in between leaves the file without the namespace on it.
		if err := os.Remove(filepath.Join(folder, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("make namespace %s: %w", name, err)
		}
		if _, err := tool.Run(ctx, "ip", "netns", "add", name); err != nil {
			return err
		}
	}
	if _, err := tool.Run(ctx, "ip", "-n", name, "link", "set", "lo", "up"); err != nil {
		return err
	}
	var script strings.Builder
	for _, key := range sorted(sysctl) {
		fmt.Fprintf(&script, "echo %s > /proc/sys/%s\n", sysctl[key], strings.ReplaceAll(key, ".", "/"))
	}
	_, err := tool.Feed(ctx, script.String(), "nsenter", "--net="+filepath.Join(folder, name), "sh", "-e")
	return err
}

// Exists tells whether a namespace of that name can be entered.
func Exists(ctx context.Context, name string) bool {
	_, err := tool.Run(ctx, "ip", "-n", name, "link", "show", "lo")
	return err == nil
}

// Bridge makes a bridge with addresses in a namespace.
func Bridge(ctx context.Context, namespace, bridge string, addresses ...string) error {
	if !link(ctx, namespace, bridge) {
		if _, err := tool.Run(ctx, "ip", "-n", namespace, "link", "add", bridge, "type", "bridge", "forward_delay", "0"); err != nil {
			return err
		}
	}
	return up(ctx, namespace, bridge, addresses)
}

// Join leads a cable from the bridge in lan to a device eth0 in a namespace. The end at the bridge is called port.
func Join(ctx context.Context, lan, bridge, port, namespace string, addresses ...string) error {
	if !link(ctx, lan, port) || !link(ctx, namespace, "eth0") {
		if link(ctx, lan, port) { // half a cable: of a namespace that is gone
			if _, err := tool.Run(ctx, "ip", "-n", lan, "link", "del", port); err != nil {
				return err
			}
		}
		if _, err := tool.Run(ctx, "ip", "-n", lan, "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", namespace); err != nil {
			return err
		}
	}
	if _, err := tool.Run(ctx, "ip", "-n", lan, "link", "set", port, "master", bridge, "up"); err != nil {
		return err
	}
	return up(ctx, namespace, "eth0", addresses)
}

// Route sends what is for a network (or "default") through a gateway.
func Route(ctx context.Context, namespace, network, gateway string) error {
	_, err := tool.Run(ctx, "ip", "-n", namespace, "route", "replace", network, "via", gateway)
	return err
}

// Delete removes a namespace with all devices, rules and routes in it. One that is not there is no error.
func Delete(ctx context.Context, name string) error {
	if _, err := os.Stat(filepath.Join(folder, name)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	_, err := tool.Run(ctx, "ip", "netns", "del", name)
	return err
}

// List gives the names of namespaces that begin with prefix.
func List(prefix string) ([]string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list namespaces: %w", err)
	}
	var names []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), prefix) {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

func link(ctx context.Context, namespace, name string) bool {
	_, err := tool.Run(ctx, "ip", "-n", namespace, "link", "show", name)
	return err == nil
}

func up(ctx context.Context, namespace, device string, addresses []string) error {
	for _, a := range addresses {
		if _, err := tool.Run(ctx, "ip", "-n", namespace, "addr", "replace", a, "dev", device); err != nil {
			return err
		}
	}
	_, err := tool.Run(ctx, "ip", "-n", namespace, "link", "set", device, "up")
	return err
}

func sorted(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
