package app

import (
	"context"
	"fmt"
	"os"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/plan/catalog"
	"github.com/tranship/tranship/internal/world/aws"
)

// Prices reads a price list, the embedded one if file is empty, for a region:
// that of the list if region is empty, else by an estimate.
func Prices(file, region string) (catalog.Catalog, error) {
	c, err := priceList(file)
	if err != nil || region == "" {
		return c, err
	}
	other, ok := c.For(region)
	if !ok {
		return c, fmt.Errorf("no price for region %q and no factor to estimate one by; import a price list: tranship prices import FILE --region %s", region, region)
	}
	return other, nil
}

// ImportPrices reads price lists of AWS for one region, the later over the
// earlier, and writes them to out.
func ImportPrices(files []string, region, out string, progress func(file string, read int64)) (catalog.Catalog, diag.List, error) {
	var all catalog.Catalog
	var diags diag.List
	for _, file := range files {
		c, list, err := importFile(file, region, progress)
		if err != nil {
			return all, diags, err
		}
		diags = append(diags, list...)
		if region == "" {
			region = c.Region
		}
		all = all.Over(c)
	}
	return all, diags, keepPrices(all, diags, out)
}

func importFile(file, region string, progress func(file string, read int64)) (catalog.Catalog, diag.List, error) {
	f, err := os.Open(file)
	if err != nil {
		return catalog.Catalog{}, nil, fmt.Errorf("import prices: %w", err)
	}
	defer f.Close()
	c, diags := catalog.ImportRegion(region, file, &heard{f: f, progress: progress})
	return c, diags, nil
}

// Savings reads a list of savings plan rates.
func Savings(file string) ([]catalog.SavingsPlan, diag.List, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, nil, fmt.Errorf("read savings plans: %w", err)
	}
	defer f.Close()
	plans, diags := catalog.Savings(file, f)
	if diags.HasErrors() {
		return plans, diags, ErrInput
	}
	return plans, diags, nil
}

// heard tells how much was read.
type heard struct {
	f        *os.File
	read     int64
	told     int64
	progress func(file string, read int64)
}

func (h *heard) Read(b []byte) (int, error) {
	n, err := h.f.Read(b)
	if h.read += int64(n); h.progress != nil && h.read-h.told > 16<<20 {
		h.told = h.read
		h.progress(h.f.Name(), h.read)
	}
	return n, err
}

// FetchPrices asks AWS for the prices of a region and writes them to out.
func FetchPrices(ctx context.Context, region, out string, progress func(n int)) (catalog.Catalog, diag.List, error) {
	p, err := aws.NewPrices(ctx, aws.Options{})
	if err != nil {
		return catalog.Catalog{}, nil, err
	}
	offers, err := p.Offers(ctx, region, progress)
	if err != nil {
		return catalog.Catalog{}, nil, err
	}
	c, diags := offers.Catalog()
	return c, diags, keepPrices(c, diags, out)
}

func keepPrices(c catalog.Catalog, diags diag.List, out string) error {
	if out != "" && len(c.Types) > 0 {
		if err := WriteFile(out, func(f *os.File) error { return c.Write(f) }); err != nil {
			return err
		}
	}
	if diags.HasErrors() {
		return ErrInput
	}
	return nil
}
