package fit_test

import (
	"strings"
	"testing"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/diag/diagtest"
)

// small is what an example of a policy is tried with.
var small = "[" + service("/web", 2, "200m", "256Mi", "") + "," + service("/api", 3, "500m", "512Mi", "") + "]"

// TestExamplesOfCodes plans the example in the comment of every code.
func TestExamplesOfCodes(t *testing.T) {
	diagtest.Examples(t, "codes.go", func(t *testing.T, text string) diag.List {
		list, rest := small, ""
		for line := range strings.SplitSeq(text, "\n") {
			switch line = strings.TrimSpace(line); {
			case line == "":
			case line[0] == '[':
				list = line
			case line[0] == '{' || line[0] == '"':
				list += line
			default:
				rest += line + "\n"
			}
		}
		_, diags := fitted(t, list, rest)
		return diags
	})
}
