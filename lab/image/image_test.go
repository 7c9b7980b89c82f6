package image_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/tranship/tranship/lab/image"
)

// An image is the program, a folder to write in, and nothing else; the same program gives the same bytes.
func TestImageHoldsTheProgramAlone(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "gateway")
	if err := os.WriteFile(program, []byte("the program"), 0o755); err != nil {
		t.Fatal(err)
	}
	var texts [2][]byte
	for i := range texts {
		file := filepath.Join(dir, "image.tar")
		if err := image.Write(file, image.Spec{Ref: "lab.local/cargo/gateway:1", Program: program, Env: []string{"A=b"}}); err != nil {
			t.Fatal(err)
		}
		var err error
		if texts[i], err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(texts[0], texts[1]) {
		t.Error("the second archive differs from the first")
	}
	img, err := tarball.ImageFromPath(filepath.Join(dir, "image.tar"), nil)
	if err != nil {
		t.Fatal(err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"/gateway"}, config.Config.Entrypoint); diff != "" {
		t.Errorf("entrypoint (-want +got):\n%s", diff)
	}
	if config.Config.User == "" || config.Config.User == "0" {
		t.Errorf("user = %q, want one that is not root", config.Config.User)
	}
	var names []string
	r := tar.NewReader(mutate.Extract(img))
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, h.Name)
	}
	if diff := cmp.Diff([]string{"tmp", "gateway"}, names); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

// A name that a node would take for another registry's is refused.
func TestImageNeedsAWholeName(t *testing.T) {
	if err := image.Write(filepath.Join(t.TempDir(), "x.tar"), image.Spec{Ref: "gateway", Program: "/bin/true"}); err == nil {
		t.Error("Write(gateway) = nil, want a name without registry and tag refused")
	}
}
