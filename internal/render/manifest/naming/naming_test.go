package naming_test

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/validation"
	"pgregory.net/rapid"

	"github.com/tranship/tranship/internal/render/manifest/naming"
)

// TestNamesAreLegal: whatever the text, Kubernetes takes what is made of it.
func TestNamesAreLegal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[a-zA-Z0-9._/-]{0,90}`)).Draw(t, "text")
		limit := rapid.SampledFrom([]int{naming.Label, naming.Short, 30}).Draw(t, "limit")
		if s := naming.DNS(text, limit); len(validation.IsDNS1035Label(s)) > 0 || len(s) > limit {
			t.Fatalf("DNS(%q) = %q", text, s)
		}
		if s := naming.PortName(text); s != "" && len(validation.IsValidPortName(s)) > 0 {
			t.Fatalf("PortName(%q) = %q: %v", text, s, validation.IsValidPortName(s))
		}
		if s, same := naming.Key(text); len(validation.IsConfigMapKey(s)) > 0 || same != (s == text) {
			t.Fatalf("Key(%q) = %q", text, s)
		}
		if s := naming.LabelValue(text); len(validation.IsValidLabelValue(s)) > 0 {
			t.Fatalf("LabelValue(%q) = %q", text, s)
		}
		if naming.IsLabelKey(text) && len(validation.IsQualifiedName(text)) > 0 {
			t.Fatalf("%q is no label's key", text)
		}
		if naming.IsLabelValue(text) != (len(validation.IsValidLabelValue(text)) == 0) {
			t.Fatalf("IsLabelValue(%q) = %v", text, naming.IsLabelValue(text))
		}
		if naming.IsSubdomain(text) != (len(validation.IsDNS1123Subdomain(text)) == 0) {
			t.Fatalf("IsSubdomain(%q) = %v", text, naming.IsSubdomain(text))
		}
	})
}

// TestGrantedNamesAreApart, and whose text is a name already keeps it.
func TestGrantedNamesAreApart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.SliceOfDistinct(rapid.StringMatching(`[a-cA-C/_-]{1,4}|[a-b]{60,70}`), rapid.ID).Draw(t, "texts")
		var wishes []naming.Wish
		for _, text := range texts {
			name := naming.DNS(text, naming.Label)
			wishes = append(wishes, naming.Wish{Text: text, Name: name, Exact: text == name, Limit: naming.Label})
		}
		seen := map[string]bool{}
		for i, got := range (naming.Set{}).Grant(wishes) {
			if seen[got] || len(validation.IsDNS1035Label(got)) > 0 {
				t.Fatalf("%q got %q", texts[i], got)
			}
			if wishes[i].Exact && got != texts[i] {
				t.Fatalf("%q lost its own name to another: %q", texts[i], got)
			}
			seen[got] = true
		}
	})
}

// TestLongNamesAreToldApart although only their ends differ.
func TestLongNamesAreToldApart(t *testing.T) {
	a, b := naming.DNS(strings.Repeat("x", 80)+"a", naming.Label), naming.DNS(strings.Repeat("x", 80)+"b", naming.Label)
	if a == b {
		t.Errorf("both are %s", a)
	}
}
