package kube

import (
	"context"
	"fmt"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/rollout/runner"
	"github.com/tranship/tranship/internal/world/kube/internal/fault"
)

// Fences keep which world may run a workload, in one ConfigMap for each, which
// is only written over the very version that was read.
type Fences struct {
	conn      *Connection
	namespace string
}

// NewFences makes them in the mover's namespace.
func NewFences(c *Connection, namespace string) *Fences { return &Fences{c, namespace} }

func fenceName(w estate.Name) string { return "tranship-fence-" + labelOf(w) }

// attempts is how often a record is read again after somebody else wrote it.
const attempts = 5

// Fence implements runner.Fences.
func (f *Fences) Fence(ctx context.Context, w estate.Name, world string) (int64, error) {
	var token int64
	var err error
	for range attempts {
		token, err = f.fence(ctx, w, world)
		if !apierrors.IsConflict(err) && !apierrors.IsAlreadyExists(err) {
			break
		}
	}
	return token, fault.Of("fence "+string(w)+" for the "+world, err)
}

func (f *Fences) fence(ctx context.Context, w estate.Name, world string) (int64, error) {
	maps := f.conn.Typed.CoreV1().ConfigMaps(f.namespace)
	m, err := maps.Get(ctx, fenceName(w), metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		if err := ensureNamespace(ctx, f.conn, f.namespace); err != nil {
			return 0, err
		}
		_, err = maps.Create(ctx, &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Name: fenceName(w), Namespace: f.namespace, Labels: map[string]string{"tranship.dev/fence": "true"}},
			Data:       map[string]string{"workload": string(w), "world": world, "token": "1"},
		}, metav1.CreateOptions{FieldManager: Manager})
		return 1, err
	}
	if err != nil {
		return 0, err
	}
	was, token, err := read(m, w)
	if err != nil || was == world {
		return token, err
	}
	token++
	m.Data["world"], m.Data["token"] = world, strconv.FormatInt(token, 10)
	_, err = maps.Update(ctx, m, metav1.UpdateOptions{FieldManager: Manager})
	return token, err
}

// Fenced implements runner.Fences.
func (f *Fences) Fenced(ctx context.Context, w estate.Name) (string, int64, error) {
	m, err := f.conn.Typed.CoreV1().ConfigMaps(f.namespace).Get(ctx, fenceName(w), metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return "", 0, nil
	}
	if err != nil {
		return "", 0, fault.Of("read the fence of "+string(w), err)
	}
	world, token, err := read(m, w)
	return world, token, fault.Of("read the fence of "+string(w), err)
}

// read takes a record apart. One that a person has broken is refused: nobody
// may guess which world may run the workload.
func read(m *corev1.ConfigMap, w estate.Name) (string, int64, error) {
	token, err := strconv.ParseInt(m.Data["token"], 10, 64)
	if err != nil || m.Data["world"] == "" || m.Data["workload"] != string(w) {
		return "", 0, fmt.Errorf("%w: ConfigMap %s/%s is no record of it any more: look who runs it, then delete the ConfigMap", runner.ErrRefused, m.Namespace, m.Name)
	}
	return m.Data["world"], token, nil
}
