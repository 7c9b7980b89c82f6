package catalog

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/tranship/tranship/internal/base/unit"
)

// A column of a catalogue file.
type column struct {
	name   string
	needed bool
	read   func(t *Type, s string) error
	write  func(t *Type) string // "" is not known
}

// columns of a catalogue file, in the order in which they are written.
func columns() []column {
	return []column{
		{"type", true, func(t *Type, s string) error { t.Name = s; return nil }, func(t *Type) string { return t.Name }},
		whole("vcpu", true, 1, func(t *Type) *int { return &t.VCPU }),
		{"memGiB", true, readMemory, func(t *Type) string { return decimal(float64(t.Memory) / float64(unit.GiB)) }},
		{"arch", true, readArch, func(t *Type) string { return t.Arch }},
		whole("generation", true, 0, func(t *Type) *int { return &t.Generation }),
		{"onDemandUSDPerHour", true, readPrice, func(t *Type) string { return known(t.Price.Float()) }},
		whole("enis", false, 0, func(t *Type) *int { return &t.ENIs }),
		whole("ipv4PerEni", false, 0, func(t *Type) *int { return &t.IPv4PerENI }),
		whole("maxPods", false, 0, func(t *Type) *int { return &t.Pods }),
		whole("trunkBranchENI", false, 0, func(t *Type) *int { return &t.BranchENIs }),
		real("networkGbps", func(t *Type) *float64 { return &t.Network }),
		whole("ebsMbps", false, 0, func(t *Type) *int { return &t.EBS }),
		whole("ebsVolumes", false, 0, func(t *Type) *int { return &t.EBSVolumes }),
		flag("ebsDedicated", func(t *Type) *bool { return &t.EBSDedicated }),
		whole("gpu", false, 0, func(t *Type) *int { return &t.GPUs }),
		{"gpuName", false, func(t *Type, s string) error { t.GPUName = s; return nil }, func(t *Type) string { return t.GPUName }},
		whole("accelerators", false, 0, func(t *Type) *int { return &t.Accelerators }),
		{"localNvmeGB", false, readDisk, func(t *Type) string { return known(float64(t.LocalNVMe) / 1e9) }},
		flag("burstable", func(t *Type) *bool { return &t.Burstable }),
		flag("flex", func(t *Type) *bool { return &t.Flex }),
		flag("bareMetal", func(t *Type) *bool { return &t.BareMetal }),
		{"cpuMaker", false, func(t *Type, s string) error { t.Maker = s; return nil }, func(t *Type) string { return t.Maker }},
		{"spotSavingsPct", false, readSaving, func(t *Type) string { return known(math.Round(t.SpotSaving*1e4) / 100) }},
		{"spotInterruptBand", false, readBand, writeBand},
		real("coreMark", func(t *Type) *float64 { return &t.CoreMark }),
	}
}

// ReadCSV reads a catalogue: a header of column names, then a row a type.
// Columns that are not known are left out, lines that begin with # say what the
// list is. An error says where it stands, as line:column.
func ReadCSV(r io.Reader) (Catalog, error) {
	in := bufio.NewReader(r)
	c := Catalog{Currency: "USD"}
	lines, err := c.readHead(in)
	if err != nil {
		return Catalog{}, fmt.Errorf("read catalogue: %w", err)
	}
	rows := csv.NewReader(in)
	rows.ReuseRecord = true
	rows.FieldsPerRecord = -1
	head, err := rows.Read()
	if err != nil {
		return Catalog{}, fmt.Errorf("read catalogue: %w", placed(err, lines))
	}
	cols, err := chosen(head, lines+1)
	if err != nil {
		return Catalog{}, fmt.Errorf("read catalogue: %w", err)
	}
	width, seen := len(head), map[string]bool{}
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Catalog{}, fmt.Errorf("read catalogue: %w", placed(err, lines))
		}
		t, err := readRow(row, width, cols, func(i int) (int, int) { return rows.FieldPos(i) }, lines)
		if err != nil {
			return Catalog{}, fmt.Errorf("read catalogue: %w", err)
		}
		if seen[t.Name] {
			line, _ := rows.FieldPos(0)
			return Catalog{}, fmt.Errorf("read catalogue: %d:1: type %s stands twice", line+lines, t.Name)
		}
		seen[t.Name] = true
		c.Types = append(c.Types, t)
	}
	c.sort()
	return c, nil
}

func (c *Catalog) sort() {
	slices.SortFunc(c.Types, func(a, b Type) int { return strings.Compare(a.Name, b.Name) })
}

func readRow(row []string, width int, cols []*column, pos func(int) (int, int), lines int) (Type, error) {
	var t Type
	if len(row) != width {
		line, _ := pos(0)
		return t, fmt.Errorf("%d:1: %d fields, %d columns", line+lines, len(row), width)
	}
	for i, col := range cols {
		if col == nil || row[i] == "" && (!col.needed || col.name == "onDemandUSDPerHour") {
			continue
		}
		if err := col.read(&t, strings.TrimSpace(row[i])); err != nil {
			line, at := pos(i)
			return t, fmt.Errorf("%d:%d: column %s: %w", line+lines, at, col.name, err)
		}
	}
	if t.Name == "" {
		line, _ := pos(0)
		return t, fmt.Errorf("%d:1: column type: is empty", line+lines)
	}
	if t.ENIs > 0 && t.IPv4PerENI > 0 {
		t.Pods = 0 // it follows from them
	}
	return t, nil
}

// placed makes the line of a csv error that of the whole file.
func placed(err error, lines int) error {
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%d:1: there are no columns", lines+1)
	}
	var bad *csv.ParseError
	if errors.As(err, &bad) {
		return fmt.Errorf("%d:%d: %w", bad.Line+lines, bad.Column, bad.Err)
	}
	return err
}

// chosen gives the column of each field of head, nil for one that is not known.
func chosen(head []string, line int) ([]*column, error) {
	all := columns()
	out := make([]*column, len(head))
	for i, name := range head {
		j := slices.IndexFunc(all, func(c column) bool { return c.name == strings.TrimSpace(name) })
		if j >= 0 && !slices.Contains(out, &all[j]) {
			out[i] = &all[j]
		}
	}
	for i := range all {
		if all[i].needed && !slices.Contains(out, &all[i]) {
			return nil, fmt.Errorf("%d:1: there is no column %s", line, all[i].name)
		}
	}
	has := func(name string) bool { return slices.Contains(head, name) }
	if !has("maxPods") && (!has("enis") || !has("ipv4PerEni")) {
		return nil, fmt.Errorf("%d:1: there are no columns enis and ipv4PerEni, nor maxPods", line)
	}
	return out, nil
}

func whole(name string, needed bool, least int, at func(*Type) *int) column {
	return column{name, needed, func(t *Type, s string) error {
		n, err := strconv.Atoi(s)
		if err != nil || n < least || n > 1e6 {
			return fmt.Errorf("%q is no whole number from %d to 1000000", s, least)
		}
		*at(t) = n
		return nil
	}, func(t *Type) string { return known(float64(*at(t))) }}
}

func real(name string, at func(*Type) *float64) column {
	return column{name, false, func(t *Type, s string) (err error) {
		*at(t), err = number(s, 1e9)
		return err
	}, func(t *Type) string { return known(*at(t)) }}
}

func flag(name string, at func(*Type) *bool) column {
	return column{name, false, func(t *Type, s string) error {
		if s != "0" && s != "1" {
			return fmt.Errorf("%q is neither 0 nor 1", s)
		}
		*at(t) = s == "1"
		return nil
	}, func(t *Type) string {
		if *at(t) {
			return "1"
		}
		return ""
	}}
}

func number(s string, most float64) (float64, error) {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(f) || f < 0 || f > most {
		return 0, fmt.Errorf("%q is no number from 0 to %v", s, most)
	}
	return f, nil
}

func readMemory(t *Type, s string) error {
	f, err := number(s, 1e6)
	if err == nil && f == 0 {
		err = errors.New("is zero")
	}
	// Lists round: 1.69922 GiB are 1,740 MiB.
	t.Memory = unit.Bytes(math.Round(f*1024)) * unit.MiB
	return err
}

func readArch(t *Type, s string) error {
	if s != "amd64" && s != "arm64" {
		return fmt.Errorf("%q is neither amd64 nor arm64", s)
	}
	t.Arch = s
	return nil
}

func readPrice(t *Type, s string) error {
	f, err := number(s, 1e6)
	if err != nil {
		return err
	}
	t.Price, err = unit.Dollars(f)
	return err
}

func readDisk(t *Type, s string) error {
	f, err := number(s, 1e9)
	t.LocalNVMe = unit.Bytes(math.Round(f * 1e9))
	return err
}

func readSaving(t *Type, s string) error {
	f, err := number(s, 100)
	t.SpotSaving = f / 100
	return err
}

func readBand(t *Type, s string) error {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > 4 {
		return fmt.Errorf("%q is no band from 0 to 4", s)
	}
	t.InterruptBand = n
	return nil
}

func writeBand(t *Type) string {
	if t.SpotSaving == 0 && t.InterruptBand == 0 {
		return ""
	}
	return strconv.Itoa(t.InterruptBand)
}

func decimal(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

func known(f float64) string {
	if f == 0 {
		return ""
	}
	return decimal(f)
}
