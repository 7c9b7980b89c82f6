package marathon_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"testing"
	"testing/fstest"

	"github.com/tranship/tranship/internal/discover"
)

// BenchmarkGroup reads a group of so many apps; the time per app is to stay
// the same.
func BenchmarkGroup(b *testing.B) {
	var app map[string]any
	if err := json.Unmarshal([]byte(whole["mapped.json"]), &app); err != nil {
		b.Fatal(err)
	}
	for _, n := range []int{500, 10000} {
		apps := make([]map[string]any, n)
		for i := range apps {
			apps[i] = maps.Clone(app)
			apps[i]["id"] = fmt.Sprintf("/g%d/app%d", i%100, i)
		}
		data, err := json.Marshal(map[string]any{"apps": apps})
		if err != nil {
			b.Fatal(err)
		}
		fsys := fstest.MapFS{"apps.json": {Data: data}}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				if r := discover.Read(fsys, readers, discover.Options{}); len(r.Estate.Workloads) != n {
					b.Fatal(len(r.Estate.Workloads))
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(n), "µs/app")
		})
	}
}
