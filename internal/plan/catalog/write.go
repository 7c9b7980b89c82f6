package catalog

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"strings"
)

// What the lines that begin with # say of a list.
const (
	headMark      = "tranship prices 1"
	headRegion    = "region"
	headDate      = "date"
	headSource    = "source"
	headCurrency  = "currency"
	headEstimated = "estimated"
)

// maxHead bounds a line before the columns.
const maxHead = 64 << 10

// Write writes the catalogue as ReadCSV reads it: what the list is, then the
// columns, then a row a type.
func (c *Catalog) Write(w io.Writer) error {
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "# %s\n", headMark)
	for _, x := range [][2]string{{headRegion, c.Region}, {headDate, c.Date}, {headSource, c.Source}, {headCurrency, c.Currency}} {
		if x[1] != "" {
			fmt.Fprintf(out, "# %s: %s\n", x[0], strings.Join(strings.Fields(x[1]), " "))
		}
	}
	if c.Estimated {
		fmt.Fprintf(out, "# %s: true\n", headEstimated)
	}
	rows, cols := csv.NewWriter(out), columns()
	row := make([]string, len(cols))
	for i := range cols {
		row[i] = cols[i].name
	}
	if err := rows.Write(row); err != nil {
		return fmt.Errorf("write catalogue: %w", err)
	}
	for i := range c.Types {
		for j := range cols {
			row[j] = cols[j].write(&c.Types[i])
		}
		if err := rows.Write(row); err != nil {
			return fmt.Errorf("write catalogue: %w", err)
		}
	}
	rows.Flush()
	if err := rows.Error(); err != nil {
		return fmt.Errorf("write catalogue: %w", err)
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write catalogue: %w", err)
	}
	return nil
}

// readHead reads the lines that begin with # and gives their number.
func (c *Catalog) readHead(in *bufio.Reader) (lines int, err error) {
	if b, err := in.Peek(3); err == nil && string(b) == "\xef\xbb\xbf" {
		_, _ = in.Discard(3)
	}
	for {
		b, err := in.Peek(1)
		if err != nil || b[0] != '#' {
			return lines, nil //nolint:nilerr // what cannot be read is reported by who reads the columns
		}
		var text []byte
		for {
			part, more, err := in.ReadLine()
			text = append(text, part...)
			if err != nil || !more {
				break
			}
			if len(text) > maxHead {
				return lines, fmt.Errorf("%d:1: the line is longer than %d bytes", lines+1, maxHead)
			}
		}
		lines++
		key, value, _ := strings.Cut(strings.TrimSpace(strings.TrimPrefix(string(text), "#")), ": ")
		switch key {
		case headRegion:
			c.Region = value
		case headDate:
			c.Date = value
		case headSource:
			c.Source = value
		case headCurrency:
			c.Currency = value
		case headEstimated:
			c.Estimated = value == "true"
		}
	}
}
