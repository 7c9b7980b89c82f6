package haproxy

import (
	"testing"

	"github.com/tranship/tranship/internal/discover/discovertest"
)

func TestEveryCodeHasAnExampleThatYieldsIt(t *testing.T) {
	discovertest.Examples(t, "codes.go", readers())
}
