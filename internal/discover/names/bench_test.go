package names

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/discover/discovertest"
)

// BenchmarkFinish searches ten thousand apps that name each other.
func BenchmarkFinish(b *testing.B) {
	for _, n := range []int{500, 10000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var apps []string
			for i := range n {
				p := forms((i * 7) % n)
				apps = append(apps, fmt.Sprintf(`{"id": "/g%d/app%d", "cmd": "run --db %s $PORT0 /x/y", "env": {"A": %q, "B": %q, "C": "plain text"},
				  "constraints": [["rack", "LIKE", "r[0-9]"]],
				  "container": {"portMappings": [{"containerPort": 8080, "hostPort": %d, "servicePort": %d, "labels": {"VIP_0": "/vip%d:80"}}]}}`,
					i%3, i, p[0].text, p[6].text, "http://"+p[8].text, 31000+i, 10100+i, i))
			}
			text := "[" + strings.Join(apps, ",") + "]"
			g := &grab{}
			discovertest.Read([]any{stub{}, g}, map[string]string{"x.json": text, "h.json": `[{"host": "h", "rack": "r1"}]`})
			b.ResetTimer()
			for range b.N {
				g.b.Estate().Dependencies = nil
				New().Finish(g.b)
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(n), "µs/app")
		})
	}
}

var _ discover.Finisher = New()
