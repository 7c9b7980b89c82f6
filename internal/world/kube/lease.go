package kube

import (
	"context"
	"fmt"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tranship/tranship/internal/rollout/runner"
	"github.com/tranship/tranship/internal/world/kube/internal/fault"
)

// leaseName is the lease that each mover of a cluster has to hold.
const leaseName = "tranship-mover"

// Lease keeps other movers out by a Lease object. Movers on several machines
// compare their clocks with what the last one wrote: they have to agree to much
// less than the time that a lease is good for.
type Lease struct {
	conn      *Connection
	namespace string
	now       func() time.Time
}

// NewLease makes one in the mover's namespace.
func NewLease(c *Connection, namespace string, now func() time.Time) *Lease {
	return &Lease{c, namespace, now}
}

// Take implements runner.Lease.
func (l *Lease) Take(ctx context.Context, holder string, ttl time.Duration) error {
	err := l.take(ctx, holder, ttl)
	if apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) {
		err = l.take(ctx, holder, ttl) // somebody wrote it just now: see who has it
	}
	return fault.Of("take lease "+l.namespace+"/"+leaseName, err)
}

func (l *Lease) take(ctx context.Context, holder string, ttl time.Duration) error {
	leases, now := l.conn.Typed.CoordinationV1().Leases(l.namespace), l.now()
	lease, err := leases.Get(ctx, leaseName, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		if err := ensureNamespace(ctx, l.conn, l.namespace); err != nil {
			return err
		}
		lease = &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: leaseName, Namespace: l.namespace}}
		hold(lease, holder, now, ttl)
		_, err = leases.Create(ctx, lease, metav1.CreateOptions{FieldManager: Manager})
		return err
	}
	if err != nil {
		return err
	}
	if by, until := heldBy(lease); by != "" && by != holder && now.Before(until) {
		return fmt.Errorf("%w: %s has it until %s", runner.ErrHeld, by, until.UTC().Format(time.RFC3339))
	}
	hold(lease, holder, now, ttl)
	_, err = leases.Update(ctx, lease, metav1.UpdateOptions{FieldManager: Manager})
	return err
}

func heldBy(l *coordinationv1.Lease) (holder string, until time.Time) {
	s := &l.Spec
	if s.HolderIdentity == nil || s.RenewTime == nil || s.LeaseDurationSeconds == nil {
		return "", time.Time{}
	}
	return *s.HolderIdentity, s.RenewTime.Add(time.Duration(*s.LeaseDurationSeconds) * time.Second)
}

func hold(l *coordinationv1.Lease, holder string, now time.Time, ttl time.Duration) {
	s, at := &l.Spec, metav1.NewMicroTime(now)
	if s.HolderIdentity == nil || *s.HolderIdentity != holder {
		transitions := int32(1)
		if s.LeaseTransitions != nil {
			transitions += *s.LeaseTransitions
		}
		s.LeaseTransitions, s.AcquireTime = &transitions, &at
	}
	seconds := int32((ttl + time.Second - 1) / time.Second)
	s.HolderIdentity, s.RenewTime, s.LeaseDurationSeconds = &holder, &at, &seconds
}

// Give implements runner.Lease.
func (l *Lease) Give(ctx context.Context, holder string) error {
	leases := l.conn.Typed.CoordinationV1().Leases(l.namespace)
	lease, err := leases.Get(ctx, leaseName, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err == nil {
		if by := lease.Spec.HolderIdentity; by == nil || *by != holder {
			return nil
		}
		nobody := ""
		lease.Spec.HolderIdentity = &nobody
		_, err = leases.Update(ctx, lease, metav1.UpdateOptions{FieldManager: Manager})
	}
	return fault.Of("give lease "+l.namespace+"/"+leaseName+" back", err)
}

// ensureNamespace makes the mover's namespace if it is not there.
func ensureNamespace(ctx context.Context, c *Connection, name string) error {
	_, err := c.Typed.CoreV1().Namespaces().Get(ctx, name, metav1.GetOptions{})
	if !apierrors.IsNotFound(err) {
		return err
	}
	_, err = c.Typed.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{FieldManager: Manager})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}
