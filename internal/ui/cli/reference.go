package cli

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// Reference gives the text of docs/cli.md: every command's help.
func Reference() string {
	var b strings.Builder
	b.WriteString("<!-- Generated from the commands' help by make update. -->\n# Commands\n")
	s := &session{out: io.Discard, err: io.Discard}
	reference(&b, s.root())
	b.WriteString(`
# Exit status

| status | means |
|---|---|
| 0 | done |
| 1 | failed, or the input has errors: what could be done was done |
| 2 | the command line is wrong |
| 3 | a gate failed and the move was rolled back |
| 4 | a person is needed |
| 130 | interrupted |

# Environment

Every flag can be set by a variable: TRANSHIP_OUTPUT for --output. A flag wins over
its variable, the variable over the default. NO_COLOR is honoured.
`)
	return b.String()
}

func reference(b *strings.Builder, c *cobra.Command) {
	if c.Hidden || c.Name() == "help" {
		return
	}
	c.InitDefaultHelpFlag()
	fmt.Fprintf(b, "\n## %s\n\n%s\n", c.CommandPath(), c.Short)
	if c.Long != "" && c.Name() != "bash" && c.Parent() != nil && c.Parent().Name() != "completion" {
		fmt.Fprintf(b, "\n%s\n", strings.TrimSpace(c.Long))
	}
	if c.Runnable() {
		fmt.Fprintf(b, "\n```\n%s\n```\n", c.UseLine())
	}
	if c.Example != "" {
		fmt.Fprintf(b, "\n```sh\n%s\n```\n", strings.TrimRight(c.Example, "\n"))
	}
	if flags := c.NonInheritedFlags(); flags.HasAvailableFlags() {
		var u bytes.Buffer
		u.WriteString(flags.FlagUsages())
		fmt.Fprintf(b, "\n```\n%s```\n", u.String())
	}
	for _, sub := range c.Commands() {
		reference(b, sub)
	}
}
