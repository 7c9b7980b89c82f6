package lab

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"

	"github.com/tranship/tranship/lab/image"
	"github.com/tranship/tranship/lab/node"
	"github.com/tranship/tranship/lab/program"
	"github.com/tranship/tranship/lab/tool"
)

// metricsImage is metrics-server's.
const metricsImage = "lab.local/metrics-server:1"

// programs builds what the wanted parts need, where it is not fresh.
func (u *lifting) programs(ctx context.Context) error {
	small := []string{}
	if u.want[ControlPlane] {
		built, err := program.Kubernetes.Build(ctx, u.Module, u.Cache, u)
		if err != nil {
			return err
		}
		u.version = built.Version
		small = append(small, "./attend")
	}
	if u.want[Metrics] {
		if _, err := program.MetricsServer.Build(ctx, u.Module, u.Cache, u); err != nil {
			return err
		}
	}
	if u.want[FakeNodes] {
		if _, err := program.KWOK.Build(ctx, u.Module, u.Cache, u); err != nil {
			return err
		}
	}
	if u.want[Nodes] {
		small = append(small, "./pause")
	}
	for _, c := range u.cargo() {
		small = append(small, "./"+filepath.Join(cargoFolder, c))
	}
	if err := u.build(ctx, u.Bin, small...); err != nil {
		return err
	}
	if u.want[OldWorld] && u.hasOldWorld() {
		return u.build(ctx, filepath.Join(u.Bin, "oldworld"), "./"+oldWorldFolder)
	}
	return nil
}

// build has Go make static programs; it knows by itself what is fresh.
func (u *lifting) build(ctx context.Context, out string, packages ...string) error {
	if len(packages) == 0 {
		return nil
	}
	if len(packages) > 1 {
		out += "/"
	}
	args := append([]string{"CGO_ENABLED=0", "go", "-C", u.Module, "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", out}, packages...)
	_, err := tool.Run(ctx, "env", args...)
	return err
}

// imageSpecs are all images of the wanted parts, in the order in which nodes need them.
func (u *lifting) imageSpecs() []image.Spec {
	var all []image.Spec
	if u.want[Nodes] {
		all = append(all, image.Spec{Ref: node.PauseImage, Program: filepath.Join(u.Bin, "pause")})
	}
	if u.want[Metrics] {
		all = append(all, image.Spec{Ref: metricsImage, Program: filepath.Join(u.Bin, program.MetricsServer.Name)})
	}
	for _, c := range u.cargo() {
		all = append(all, image.Spec{Ref: "lab.local/cargo/" + c + ":1", Program: filepath.Join(u.Bin, c)})
	}
	return all
}

// images makes the archives whose program has changed.
func (u *lifting) images(context.Context) error {
	u.archives = nil
	for _, s := range u.imageSpecs() {
		file := filepath.Join(u.Cache, "images", filepath.Base(s.Program)+".tar")
		if err := archive(file, s); err != nil {
			return err
		}
		u.archives = append(u.archives, file)
	}
	return nil
}

// archive writes an image's archive unless the one that is there was made of the same program: by what is in it, since
// `go build` sets the time of a program that was fresh, and a new archive would be loaded into every node again.
func archive(file string, s image.Spec) error {
	text, err := os.ReadFile(s.Program)
	if err != nil {
		return fmt.Errorf("make image %s: %w", s.Ref, err)
	}
	sum, want := file+".sum", fmt.Sprintf("%s %x\n", s.Ref, sha256.Sum256(text))
	if have, err := os.ReadFile(sum); err == nil && string(have) == want {
		if _, err := os.Stat(file); err == nil {
			return nil
		}
	}
	if err := image.Write(file, s); err != nil {
		return err
	}
	if err := os.WriteFile(sum, []byte(want), 0o644); err != nil {
		return fmt.Errorf("make image %s: %w", s.Ref, err)
	}
	return nil
}
