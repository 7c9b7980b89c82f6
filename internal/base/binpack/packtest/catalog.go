package packtest

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/tranship/tranship/internal/base/binpack"
)

// A Node is an instance type with what it has for pods, DaemonSets included.
type Node struct {
	Name, Arch                                string
	CPUMilli, MemMiB, Pods, EphemeralMiB, GPU int64
	Price                                     binpack.Price // millionths of a dollar an hour
}

// A Filter says which types of a catalogue may be used.
type Filter struct {
	Families      []string // the letters before the first digit; nil for c, m and r
	MinGeneration int      // 0 for 5
	MaxVCPU       int      // 0 for 32
	Arch          string   // "" for all
	EphemeralMiB  int64    // of each node; 0 for 99 GiB
}

// Catalog reads the types of a price list with the columns of the catalogue in
// the reference folder, by name. Bare metal and burstable types are left out.
func Catalog(list io.Reader, f Filter) ([]Node, error) {
	if f.Families == nil {
		f.Families = []string{"c", "m", "r"}
	}
	if f.MinGeneration == 0 {
		f.MinGeneration = 5
	}
	if f.MaxVCPU == 0 {
		f.MaxVCPU = 32
	}
	if f.EphemeralMiB == 0 {
		f.EphemeralMiB = 99 << 10
	}
	rows, err := csv.NewReader(list).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read catalogue: %w", err)
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("read catalogue: no columns")
	}
	column := map[string]int{}
	for i, name := range rows[0] {
		column[name] = i
	}
	var out []Node
	for _, row := range rows[1:] {
		text := func(name string) string {
			if i, ok := column[name]; ok {
				return row[i]
			}
			return ""
		}
		number := func(name string) float64 {
			n, _ := strconv.ParseFloat(text(name), 64) // what is no number is not listed: 0
			return n
		}
		name := text("type")
		family := name[:max(strings.IndexAny(name, "0123456789-"), 0)]
		n := Node{
			Name: name, Arch: text("arch"),
			CPUMilli: int64(number("allocCpuMilli")), MemMiB: int64(number("allocMemMiB")), Pods: int64(number("maxPods")),
			EphemeralMiB: f.EphemeralMiB, GPU: int64(number("gpu")),
			Price: binpack.Price(math.Round(number("onDemandUSDPerHour") * 1e6)),
		}
		if !slices.Contains(f.Families, family) || int(number("generation")) < f.MinGeneration ||
			int(number("vcpu")) > f.MaxVCPU || number("bareMetal") != 0 || number("burstable") != 0 ||
			f.Arch != "" && n.Arch != f.Arch || n.Price == 0 || n.CPUMilli == 0 {
			continue
		}
		out = append(out, n)
	}
	slices.SortFunc(out, func(a, b Node) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}
