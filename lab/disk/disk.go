// Package disk stands in for the EBS driver: a claim of its class gets a directory on the node that runs the pod.
//
// Input: claims for which the scheduler has chosen a node. Output: local volumes bound to that node, each a directory
// that goes when its claim goes. It never touches a volume that it has not made.
package disk

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
)

const (
	// Driver is whose claims are served.
	Driver = "ebs.csi.aws.com"
	// selectedNode and provisioner are the annotations by which the cluster tells who is to make which volume where.
	selectedNode = "volume.kubernetes.io/selected-node"
	provisioner  = "volume.kubernetes.io/storage-provisioner"
	made         = "pv.kubernetes.io/provisioned-by"
)

// Places tells where nodes keep their disks.
type Places struct {
	Inside string                   // the folder as nodes see it
	Node   func(name string) string // the same folder of a node, as this machine sees it
}

// Run serves claims until the context ends. What cannot be done is told, and tried again when the object changes.
func Run(ctx context.Context, client kubernetes.Interface, p Places, tell func(error)) error {
	factory := informers.NewSharedInformerFactory(client, 0)
	claims := make(chan *corev1.PersistentVolumeClaim, 256)
	volumes := make(chan *corev1.PersistentVolume, 256)
	if err := watch(ctx, factory.Core().V1().PersistentVolumeClaims().Informer(), claims, wanted); err != nil {
		return err
	}
	if err := watch(ctx, factory.Core().V1().PersistentVolumes().Informer(), volumes, released); err != nil {
		return err
	}
	factory.Start(ctx.Done())
	defer factory.Shutdown()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		for {
			select {
			case <-ctx.Done():
				return nil
			case c := <-claims:
				if err := p.provision(ctx, client, c); err != nil {
					tell(err)
				}
			}
		}
	})
	g.Go(func() error {
		for {
			select {
			case <-ctx.Done():
				return nil
			case v := <-volumes:
				if err := p.remove(ctx, client, v); err != nil {
					tell(err)
				}
			}
		}
	})
	return g.Wait()
}

// watch hands over the objects that there is something to do about.
func watch[T any](ctx context.Context, informer cache.SharedIndexInformer, to chan<- T, mind func(T) bool) error {
	see := func(o any) {
		if x, ok := o.(T); ok && mind(x) {
			select {
			case to <- x:
			case <-ctx.Done():
			}
		}
	}
	if _, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{AddFunc: see, UpdateFunc: func(_, o any) { see(o) }}); err != nil {
		return fmt.Errorf("watch: %w", err)
	}
	return nil
}

// wanted tells whether a claim waits for a volume of this driver, on a node that is known.
func wanted(c *corev1.PersistentVolumeClaim) bool {
	return c.Spec.VolumeName == "" && c.Annotations[provisioner] == Driver && c.Annotations[selectedNode] != ""
}

// released tells whether a volume of this driver has lost its claim and is to go with it.
func released(v *corev1.PersistentVolume) bool {
	return v.Annotations[made] == Driver && v.Spec.Local != nil && v.Status.Phase == corev1.VolumeReleased &&
		v.Spec.PersistentVolumeReclaimPolicy == corev1.PersistentVolumeReclaimDelete
}

func (p Places) provision(ctx context.Context, client kubernetes.Interface, c *corev1.PersistentVolumeClaim) error {
	v := p.volume(c)
	if err := os.MkdirAll(filepath.Join(p.Node(c.Annotations[selectedNode]), v.Name), 0o755); err != nil {
		return fmt.Errorf("make disk of %s/%s: %w", c.Namespace, c.Name, err)
	}
	if _, err := client.CoreV1().PersistentVolumes().Create(ctx, v, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("make disk of %s/%s: %w", c.Namespace, c.Name, err)
	}
	return nil
}

// volume is what a claim gets. Its name follows from the claim, so that a second try makes the same.
func (p Places) volume(c *corev1.PersistentVolumeClaim) *corev1.PersistentVolume {
	name, node := "pvc-"+string(c.UID), c.Annotations[selectedNode]
	class := ""
	if c.Spec.StorageClassName != nil {
		class = *c.Spec.StorageClassName
	}
	return &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: map[string]string{made: Driver}, Labels: map[string]string{corev1.LabelHostname: node}},
		Spec: corev1.PersistentVolumeSpec{
			Capacity: c.Spec.Resources.Requests, AccessModes: c.Spec.AccessModes, VolumeMode: c.Spec.VolumeMode,
			ClaimRef: &corev1.ObjectReference{
				APIVersion: "v1", Kind: "PersistentVolumeClaim", Namespace: c.Namespace, Name: c.Name, UID: c.UID, ResourceVersion: c.ResourceVersion,
			},
			PersistentVolumeReclaimPolicy: corev1.PersistentVolumeReclaimDelete, StorageClassName: class,
			PersistentVolumeSource: corev1.PersistentVolumeSource{Local: &corev1.LocalVolumeSource{Path: filepath.Join(p.Inside, name)}},
			NodeAffinity: &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
				MatchExpressions: []corev1.NodeSelectorRequirement{{Key: corev1.LabelHostname, Operator: corev1.NodeSelectorOpIn, Values: []string{node}}},
			}}}},
		},
	}
}

func (p Places) remove(ctx context.Context, client kubernetes.Interface, v *corev1.PersistentVolume) error {
	node := v.Labels[corev1.LabelHostname]
	if node == "" || v.Spec.Local.Path != filepath.Join(p.Inside, v.Name) {
		return fmt.Errorf("remove disk %s: it does not stand where this program has made it", v.Name)
	}
	if err := os.RemoveAll(filepath.Join(p.Node(node), v.Name)); err != nil {
		return fmt.Errorf("remove disk %s: %w", v.Name, err)
	}
	if err := client.CoreV1().PersistentVolumes().Delete(ctx, v.Name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("remove disk %s: %w", v.Name, err)
	}
	return nil
}
