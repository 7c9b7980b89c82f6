package catalog

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
)

// The embedded list, as Write writes it: facts (names, sizes, limits, prices,
// shares) of us-east-1, without text or code of where they were read. Its
// first lines name the date and the sources, as does docs/prices.md.
//
//go:generate go test . -run TestTheEmbeddedListIsThatOfTheReference -update -reference ../../../../shared/reference/catalog
//go:embed data/us-east-1.csv.gz
var embedded []byte

// Embedded gives the list that the program carries: all EC2 types with Linux
// prices in us-east-1 on the date that it names.
func Embedded() (Catalog, error) {
	r, err := gzip.NewReader(bytes.NewReader(embedded))
	if err != nil {
		return Catalog{}, fmt.Errorf("open embedded prices: %w", err)
	}
	c, err := ReadCSV(r)
	if err != nil {
		return Catalog{}, fmt.Errorf("read embedded prices: %w", err)
	}
	return c, nil
}
