// Package image makes container images from scratch: one static program in one layer, and nothing else.
//
// Input: a program's file and a name. Output: a tar archive as `docker save` writes it, and the image in a node's
// containerd. It never asks a registry.
package image

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/tranship/tranship/lab/tool"
)

// nobody is who programs run as when nothing is said.
const nobody = "65534:65534"

// Spec says what is in an image.
type Spec struct {
	Ref     string // lab.local/cargo/gateway:1
	Program string // the file; it stands at /NAME in the image and is its entrypoint
	Env     []string
	User    string
}

// Write makes the archive. The same program gives the same bytes.
func Write(file string, s Spec) error {
	tag, err := name.NewTag(s.Ref, name.StrictValidation)
	if err != nil {
		return fmt.Errorf("name image: %w", err)
	}
	layer, err := layer(s.Program)
	if err != nil {
		return fmt.Errorf("make image %s: %w", s.Ref, err)
	}
	// A layer that is not compressed: the archive goes from one folder of this machine to another.
	img, err := mutate.AppendLayers(empty.Image, static.NewLayer(layer, types.DockerUncompressedLayer))
	if err != nil {
		return fmt.Errorf("make image %s: %w", s.Ref, err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		return fmt.Errorf("make image %s: %w", s.Ref, err)
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", runtime.GOARCH
	config.Config = v1.Config{
		Entrypoint: []string{"/" + filepath.Base(s.Program)}, Env: append([]string{"PATH=/"}, s.Env...), User: s.User, WorkingDir: "/",
	}
	if config.Config.User == "" {
		config.Config.User = nobody
	}
	if img, err = mutate.ConfigFile(img, config); err != nil {
		return fmt.Errorf("make image %s: %w", s.Ref, err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return fmt.Errorf("make image %s: %w", s.Ref, err)
	}
	if err := tarball.WriteToFile(file+".new", tag, img); err != nil {
		return fmt.Errorf("make image %s: %w", s.Ref, err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		return fmt.Errorf("make image %s: %w", s.Ref, err)
	}
	return nil
}

// layer is the file system: the program, and /tmp for those that want to write.
func layer(program string) ([]byte, error) {
	text, err := os.ReadFile(program)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	if err := w.WriteHeader(&tar.Header{Name: "tmp/", Typeflag: tar.TypeDir, Mode: 0o1777}); err != nil {
		return nil, err
	}
	if err := w.WriteHeader(&tar.Header{Name: filepath.Base(program), Typeflag: tar.TypeReg, Mode: 0o755, Size: int64(len(text))}); err != nil {
		return nil, err
	}
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// Load gives an archive to the containerd that listens on a socket, for its kubelet.
func Load(ctx context.Context, socket, file string) error {
	_, err := tool.Run(ctx, "ctr", "--address", socket, "--namespace", "k8s.io", "images", "import", file)
	return err
}
