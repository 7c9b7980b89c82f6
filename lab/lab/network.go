package lab

import (
	"context"
	"fmt"

	"github.com/tranship/tranship/lab/netns"
	"github.com/tranship/tranship/lab/node"
)

// network makes the namespaces, the bridge and the routes of the map.
func (l Layout) network(ctx context.Context) error {
	router := map[string]string{"net.ipv4.ip_forward": "1"}
	onNode := map[string]string{"net.ipv4.ip_forward": "1", "net.bridge.bridge-nf-call-iptables": "1"}
	if err := netns.Add(ctx, l.LAN(), router); err != nil {
		return err
	}
	if err := netns.Bridge(ctx, l.LAN(), "lan0", lan+"/24", database+"/24", "10.200.0.3/24"); err != nil {
		return err
	}
	if err := netns.Add(ctx, l.Old(), nil); err != nil {
		return err
	}
	addresses := []string{old + "/24"}
	for i := range agents {
		addresses = append(addresses, agent(i+1)+"/24")
	}
	if err := netns.Join(ctx, l.LAN(), "lan0", "old", l.Old(), addresses...); err != nil {
		return err
	}
	if err := netns.Route(ctx, l.Old(), "default", lan); err != nil {
		return err
	}
	nodes := l.nodes(nil)
	for i, n := range nodes {
		if err := netns.Add(ctx, n.Namespace, onNode); err != nil {
			return err
		}
		if err := netns.Join(ctx, l.LAN(), "lan0", port(i+1), n.Namespace, n.Address+"/24"); err != nil {
			return err
		}
		// A Service's address needs a route before kube-proxy's rules can turn it into a pod's.
		if err := netns.Route(ctx, n.Namespace, "default", lan); err != nil {
			return err
		}
	}
	for _, n := range nodes {
		for _, namespace := range append([]string{l.LAN(), l.Old()}, others(nodes, n)...) {
			if err := netns.Route(ctx, namespace, n.PodCIDR, n.Address); err != nil {
				return fmt.Errorf("lead to the pods of %s: %w", n.Name, err)
			}
		}
	}
	return nil
}

// others are the namespaces of all nodes but one.
func others(nodes []node.Node, but node.Node) []string {
	var names []string
	for _, n := range nodes {
		if n.Name != but.Name {
			names = append(names, n.Namespace)
		}
	}
	return names
}
