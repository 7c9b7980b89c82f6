package manifest

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
	"sigs.k8s.io/yaml"
)

// TestTextsComeBackAsTheyWere reads what is written with the reader that
// kubectl has, which is of an older YAML.
func TestTextsComeBackAsTheyWere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(
			rapid.String(), rapid.StringMatching(`[-+0-9a-zA-Z_.:~#&*!|>'"%@ \t\n]{0,40}`),
			rapid.SampledFrom([]string{"yes", "No", "on", "y", "0777", "0b1", "1_000", "12:30", ".5", "1e3", "0x_1", "2001-01-01", "<<", "=", "null", "~", "- a", "a: b", "\n\ta", "a\n b\n", " \n"}),
		).Draw(t, "text")
		text = strings.Map(writable, strings.ToValidUTF8(text, ""))
		data, _, err := encode("about "+text, map[string]any{"kind": text, "in": map[string]any{"list": []any{text, text}}})
		if err != nil {
			t.Fatal(err)
		}
		var got map[string]any
		if err := yaml.UnmarshalStrict(data, &got); err != nil {
			t.Fatalf("%v\n%s", err, data)
		}
		inner, _ := got["in"].(map[string]any)
		list, _ := inner["list"].([]any)
		if got["kind"] != text || len(list) != 2 || list[1] != text {
			t.Fatalf("%q came back as %v:\n%s", text, got, data)
		}
	})
}
