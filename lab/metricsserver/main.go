// Package main is metrics-server: it gives nodes' and pods' usage to `kubectl top` and to HorizontalPodAutoscalers. It
// stands on the modules of the lab's Kubernetes, so that a cold machine compiles those once; they name the models of an
// API otherwise than metrics-server's own, which is all that is changed.
//
// Input: metrics-server's own flags. Output: what metrics-server gives. It never changes a default.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"k8s.io/apiserver/pkg/endpoints/openapi"
	"k8s.io/apiserver/pkg/server"
	"k8s.io/component-base/logs"
	"k8s.io/component-base/version"
	"k8s.io/kube-openapi/pkg/common"
	"k8s.io/kube-openapi/pkg/util"
	"k8s.io/kube-openapi/pkg/validation/spec"
	"sigs.k8s.io/metrics-server/cmd/metrics-server/app/options"
	"sigs.k8s.io/metrics-server/pkg/api"
	generated "sigs.k8s.io/metrics-server/pkg/api/generated/openapi"
)

func main() {
	logs.InitLogs()
	defer logs.FlushLogs()
	o := options.NewOptions()
	c := &cobra.Command{Use: "metrics-server", SilenceUsage: true, SilenceErrors: true, RunE: func(c *cobra.Command, _ []string) error {
		return run(c.Context(), o)
	}}
	for _, f := range o.Flags().FlagSets {
		c.Flags().AddFlagSet(f)
	}
	if err := c.ExecuteContext(server.SetupSignalContext()); err != nil {
		fmt.Fprintln(os.Stderr, "metrics-server:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o *options.Options) error {
	if o.ShowVersion {
		fmt.Println(version.Get().GitVersion)
		return nil
	}
	if errs := o.Validate(); len(errs) > 0 {
		return errs[0]
	}
	config, err := o.ServerConfig()
	if err != nil {
		return err
	}
	namer := openapi.NewDefinitionNamer(api.Scheme)
	two, three := config.Apiserver.OpenAPIConfig.Info, config.Apiserver.OpenAPIV3Config.Info
	config.Apiserver.OpenAPIConfig = server.DefaultOpenAPIConfig(models, namer)
	config.Apiserver.OpenAPIV3Config = server.DefaultOpenAPIV3Config(models, namer)
	config.Apiserver.OpenAPIConfig.Info, config.Apiserver.OpenAPIV3Config.Info = two, three
	s, err := config.Complete()
	if err != nil {
		return err
	}
	return s.RunUntil(ctx.Done())
}

// models are metrics-server's under the names of Kubernetes 1.35: io.k8s.metrics… in place of k8s.io/metrics/….
func models(ref common.ReferenceCallback) map[string]common.OpenAPIDefinition {
	own := generated.GetOpenAPIDefinitions(func(path string) spec.Ref { return ref(util.ToRESTFriendlyName(path)) })
	out := make(map[string]common.OpenAPIDefinition, len(own))
	for name, d := range own {
		needs := make([]string, 0, len(d.Dependencies))
		for _, n := range d.Dependencies {
			needs = append(needs, util.ToRESTFriendlyName(n))
		}
		d.Dependencies = needs
		out[util.ToRESTFriendlyName(name)] = d
	}
	return out
}
