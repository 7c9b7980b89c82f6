package program

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"
)

// between is the time between two lines of progress.
const between = 15 * time.Second

// follow reads what `go build -v` says, the name of each package that it compiles, and tells now and then how far it
// is. It gives the last lines that are no names: what went wrong, if something did.
func follow(said io.Reader, log io.Writer, what string, start time.Time) string {
	var other []string
	done, told := 0, start
	lines := bufio.NewScanner(said)
	for lines.Scan() {
		line := lines.Text()
		if strings.ContainsAny(line, " \t") {
			other = append(other[max(0, len(other)-8):], line)
			continue
		}
		done++
		if now := time.Now(); now.Sub(told) >= between {
			fmt.Fprintf(log, "  %s: %d packages compiled in %.0f s, now %s\n", what, done, now.Sub(start).Seconds(), line)
			told = now
		}
	}
	_, _ = io.Copy(io.Discard, said) // a line too long for the scanner must not stop the build
	return strings.Join(other, " / ")
}
