//go:build integration

package crd_test

import (
	"os"
	"strings"
	"testing"

	"github.com/tranship/tranship/lab/crd"
)

// A module whose content is not the one that was written down is not taken.
func TestAnotherModuleContentIsRefused(t *testing.T) {
	for _, s := range crd.Sources() {
		paths, err := s.Paths(t.Context())
		if err != nil || len(paths) == 0 {
			t.Fatalf("Paths(%s) = %d files, %v; want its definitions", s.Module, len(paths), err)
		}
		for _, p := range paths {
			if _, err := os.Stat(p); err != nil {
				t.Errorf("Paths(%s): %v", s.Module, err)
			}
		}
		s.Sum = "h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
		if _, err := s.Paths(t.Context()); err == nil || !strings.Contains(err.Error(), "checksum") {
			t.Errorf("Paths(%s with another sum) = %v, want its checksum refused", s.Module, err)
		}
	}
}
