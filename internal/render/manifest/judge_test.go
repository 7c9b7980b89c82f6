package manifest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"
)

// strict decodes what Kubernetes itself knows and refuses a field it does not.
var strict = sync.OnceValue(func() runtime.Decoder {
	return serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
})

// A custom judges one kind of custom resource by its definition: schema,
// unknown fields and CEL rules.
type custom struct {
	schema validation.SchemaValidator
	full   *structuralschema.Structural
	rules  *cel.Validator
}

// module is where definitions come from; they are read, never copied.
type module struct{ at, sum, folder, only string }

var modules = []module{
	{"sigs.k8s.io/gateway-api@v1.6.3", "h1:lKpJa5bGlraC/QeACvCpsHLdmO6y0iKfzVl6gzaFEYc=", "config/crd/standard", ""},
	{
		"github.com/external-secrets/external-secrets@v1.3.2", "h1:u2J8RjlHIeF0oZCqtl92adI/uZWUwOesJIDkfql6LqQ=",
		"config/crds/bases", "external-secrets.io_externalsecrets.yaml",
	},
	{"sigs.k8s.io/karpenter@v1.14.1", "h1:GjqvOHLjl2+OXM0ti5VEZSQuvcitB0pETd8zdChXEtI=", "pkg/apis/crds", "karpenter.sh_nodepools.yaml"},
	{
		"github.com/aws/karpenter-provider-aws@v1.14.1", "h1:WGtIQTQcxpElYMdWfWuPwaF2+9muR+hYhPZsTtoY8Gs=",
		"pkg/apis/crds", "karpenter.k8s.aws_ec2nodeclasses.yaml",
	},
}

var customs = sync.OnceValues(func() (map[schema.GroupVersionKind]custom, error) {
	out := map[schema.GroupVersionKind]custom{}
	for _, m := range modules {
		c := exec.Command("go", "mod", "download", "-json", m.at)
		c.Dir = os.TempDir() // outside of any module: checked against the sum above
		name, _, _ := strings.Cut(m.at, "@")
		c.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off", "GONOSUMDB="+name)
		text, err := c.Output()
		var got struct{ Dir, Sum string }
		if err != nil || json.Unmarshal(text, &got) != nil || got.Sum != m.sum {
			return nil, err
		}
		files, err := filepath.Glob(filepath.Join(got.Dir, filepath.FromSlash(m.folder), "*.yaml"))
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			if m.only == "" || filepath.Base(f) == m.only {
				if err := define(out, f); err != nil {
					return nil, err
				}
			}
		}
	}
	return out, nil
})

func define(out map[schema.GroupVersionKind]custom, file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var crd apiextensionsv1.CustomResourceDefinition
	if err := yaml.Unmarshal(data, &crd); err != nil || crd.Kind != "CustomResourceDefinition" {
		return err
	}
	for _, v := range crd.Spec.Versions {
		if !v.Served {
			continue
		}
		var props apiextensions.JSONSchemaProps
		if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(v.Schema.OpenAPIV3Schema, &props, nil); err != nil {
			return err
		}
		var k custom
		if k.schema, _, err = validation.NewSchemaValidator(&props); err != nil {
			return err
		}
		if k.full, err = structuralschema.NewStructural(&props); err != nil {
			return err
		}
		k.rules = cel.NewValidator(k.full, true, celconfig.PerCallLimit)
		out[schema.GroupVersionKind{Group: crd.Spec.Group, Version: v.Name, Kind: crd.Spec.Names.Kind}] = k
	}
	return nil
}

// judged fails the test unless a cluster's own types, or the definition of the
// custom resource, take the object; it is given decoded.
func judged(t testing.TB, path, text string) runtime.Object {
	t.Helper()
	o, _, err := strict().Decode([]byte(text), nil, nil)
	if err == nil {
		return o
	}
	if !runtime.IsNotRegisteredError(err) {
		t.Errorf("%s: %v\n%s", path, err, text)
		return nil
	}
	all, err := customs()
	if len(all) == 0 {
		t.Logf("%s is not judged: the module with its definition cannot be had (%v)", path, err)
		return nil
	}
	var m map[string]any
	if err := yaml.UnmarshalStrict([]byte(text), &m); err != nil {
		t.Errorf("%s: %v", path, err)
		return nil
	}
	kind := schema.FromAPIVersionAndKind(m["apiVersion"].(string), m["kind"].(string))
	k, ok := all[kind]
	if !ok {
		t.Errorf("%s: nobody defines %s", path, kind)
		return nil
	}
	if b, err := json.Marshal(m); err != nil || json.NewDecoder(bytes.NewReader(b)).Decode(&m) != nil {
		t.Errorf("%s: %v", path, err)
	}
	whole(m)
	if extra := pruning.PruneWithOptions(m, k.full, true, structuralschema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true}); len(extra) > 0 {
		t.Errorf("%s has fields that are not there: %v", path, extra)
	}
	defaulting.Default(m, k.full)
	errs := validation.ValidateCustomResource(nil, m, k.schema)
	if k.rules != nil {
		more, _ := k.rules.Validate(context.Background(), field.NewPath(""), k.full, m, nil, celconfig.RuntimeCELCostBudget)
		errs = append(errs, more...)
	}
	if len(errs) > 0 {
		t.Errorf("%s is refused: %v\n%s", path, errs.ToAggregate(), text)
	}
	return nil
}

// whole makes integers of the numbers that JSON made fractions of.
func whole(v any) any {
	switch x := v.(type) {
	case map[string]any:
		for k, e := range x {
			x[k] = whole(e)
		}
	case []any:
		for i, e := range x {
			x[i] = whole(e)
		}
	case float64:
		if x == float64(int64(x)) {
			return int64(x)
		}
	}
	return v
}
