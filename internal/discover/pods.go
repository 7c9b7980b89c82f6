package discover

import (
	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/estate"
)

// A PodReader reads a pod that stands in a definition of another reader's: in
// a group of apps.
type PodReader interface {
	// ReadPod reads pod v of document d, whose relative ID is group's.
	ReadPod(d *Document, v *jsonpos.Value, group estate.Name, b *Builder)
}

// ReadPod hands pod v to the reader of pods and reports whether there is one.
// Without one v is swept up as unknown.
func (b *Builder) ReadPod(d *Document, v *jsonpos.Value, group estate.Name) bool {
	for _, r := range b.readers {
		if p, ok := r.(PodReader); ok {
			p.ReadPod(d, v, group, b)
			return true
		}
	}
	return false
}
