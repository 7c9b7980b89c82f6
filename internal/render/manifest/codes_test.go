package manifest_test

import (
	"strings"
	"testing"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/diag/diagtest"
)

// TestExamplesOfCodes renders the example in the comment of every code.
func TestExamplesOfCodes(t *testing.T) {
	diagtest.Examples(t, "cluster/codes.go", func(t *testing.T, text string) diag.List {
		file := "app.json"
		if !strings.ContainsAny(text[:1], "{[") {
			file = "compose.yaml"
		}
		return renderFiles(t, map[string]string{file: text}, "").diags
	})
}
