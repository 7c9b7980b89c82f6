package fleet

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
)

// selectedNode is the annotation by which the scheduler tells who provisions where a pod shall run.
const selectedNode = "volume.kubernetes.io/selected-node"

// classes makes every class of disks that the workloads ask for: as the EBS driver's, bound to the first pod's place.
func (f *fleet) classes(ctx context.Context) error {
	names := map[string]bool{}
	note := func(c *corev1.PersistentVolumeClaimSpec) {
		if c.StorageClassName != nil && *c.StorageClassName != "" {
			names[*c.StorageClassName] = true
		}
	}
	for _, c := range f.objects.Claims {
		note(&c.Spec)
	}
	for _, s := range f.objects.StatefulSets {
		for i := range s.Spec.VolumeClaimTemplates {
			note(&s.Spec.VolumeClaimTemplates[i].Spec)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		c := &storagev1.StorageClass{
			ObjectMeta: metav1.ObjectMeta{Name: name}, Provisioner: diskDrive,
			VolumeBindingMode: new(storagev1.VolumeBindingWaitForFirstConsumer),
		}
		if _, err := f.client.StorageV1().StorageClasses().Create(ctx, c, metav1.CreateOptions{}); err != nil {
			return fmt.Errorf("make storage class %s: %w", name, err)
		}
	}
	return nil
}

// A provisioner stands in for the EBS driver: it makes the disk of a claim in the zone of the node that the scheduler
// has chosen, and the disk stays there.
type provisioner struct {
	client kubernetes.Interface
	zones  map[string]string // by node
	claims cache.SharedIndexInformer
	work   chan *corev1.PersistentVolumeClaim
	done   sync.WaitGroup
	err    error
}

func newProvisioner(client kubernetes.Interface, factory informers.SharedInformerFactory, p *Plan) (*provisioner, error) {
	x := &provisioner{
		client: client, zones: map[string]string{}, claims: factory.Core().V1().PersistentVolumeClaims().Informer(),
		work: make(chan *corev1.PersistentVolumeClaim, 1024),
	}
	for _, n := range p.Nodes {
		x.zones[n.Name] = n.Zone
	}
	return x, nil
}

// run provisions until the context ends.
func (x *provisioner) run(ctx context.Context) {
	see := func(o any) {
		c, ok := o.(*corev1.PersistentVolumeClaim)
		if !ok || c.Spec.VolumeName != "" || c.Annotations[selectedNode] == "" {
			return
		}
		select {
		case x.work <- c:
		case <-ctx.Done():
		}
	}
	_, x.err = x.claims.AddEventHandler(cache.ResourceEventHandlerFuncs{AddFunc: see, UpdateFunc: func(_, o any) { see(o) }})
	x.done.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case c := <-x.work:
				if err := x.make(ctx, c); err != nil && ctx.Err() == nil && x.err == nil {
					x.err = err
				}
			}
		}
	})
}

// wait waits until run has ended, and tells what it could not do.
func (x *provisioner) wait() error {
	x.done.Wait()
	return x.err
}

func (x *provisioner) make(ctx context.Context, c *corev1.PersistentVolumeClaim) error {
	v := &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: "pvc-" + string(c.UID), Annotations: map[string]string{"pv.kubernetes.io/provisioned-by": diskDrive}},
		Spec: corev1.PersistentVolumeSpec{
			Capacity: c.Spec.Resources.Requests, AccessModes: c.Spec.AccessModes,
			ClaimRef:                      &corev1.ObjectReference{APIVersion: "v1", Kind: "PersistentVolumeClaim", Namespace: c.Namespace, Name: c.Name, UID: c.UID},
			PersistentVolumeReclaimPolicy: corev1.PersistentVolumeReclaimDelete, StorageClassName: *c.Spec.StorageClassName,
			PersistentVolumeSource: corev1.PersistentVolumeSource{CSI: &corev1.CSIPersistentVolumeSource{Driver: diskDrive, VolumeHandle: "vol-" + string(c.UID)}},
		},
	}
	if zone := x.zones[c.Annotations[selectedNode]]; zone != "" && !slices.Contains(c.Spec.AccessModes, corev1.ReadWriteMany) {
		v.Spec.NodeAffinity = &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
			MatchExpressions: []corev1.NodeSelectorRequirement{{Key: corev1.LabelTopologyZone, Operator: corev1.NodeSelectorOpIn, Values: []string{zone}}},
		}}}}
	}
	if _, err := x.client.CoreV1().PersistentVolumes().Create(ctx, v, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("provision disk of %s/%s: %w", c.Namespace, c.Name, err)
	}
	return nil
}
