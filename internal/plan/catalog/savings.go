package catalog

import (
	"bufio"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/jsonfile"
	"github.com/tranship/tranship/internal/base/unit"
)

// A SavingsPlan is a way to commit to a spend, and what types cost under it.
type SavingsPlan struct {
	Plan    string // "ComputeSavingsPlans", "EC2InstanceSavingsPlans"
	Years   string // "1", "3"
	Payment string // "No Upfront", "Partial Upfront", "All Upfront"
	// Rates an hour of Linux machines on shared hardware, by type.
	Rates map[string]unit.Money
}

// Discounts gives the shares of c's prices that the plan takes off, of the types
// that both have, in ascending order.
func (p *SavingsPlan) Discounts(c *Catalog) []float64 {
	var out []float64
	for name, rate := range p.Rates {
		if t := c.Find(name); t != nil && t.Price > 0 {
			out = append(out, 1-rate.Float()/t.Price.Float())
		}
	}
	slices.Sort(out)
	return out
}

// Savings reads a list of savings plan rates of AWS, JSON or CSV, of one region:
// the offer file of AWSComputeSavingsPlan. It takes those of EC2 for Linux.
func Savings(file string, r io.Reader) ([]SavingsPlan, diag.List) {
	s := savings{o: NewOffers("", file), products: map[string]savingsProduct{}, plans: map[savingsProduct]map[string]unit.Money{}}
	in := bufio.NewReaderSize(r, 1<<16)
	ok := false
	if first(in) == '{' {
		ok = s.readJSON(in)
	} else {
		ok = s.readCSV(in)
	}
	if ok && len(s.plans) == 0 {
		s.o.say(NoSavingsRates, diag.Error, diag.Pos{File: file}, "savings plans", "has no rate of EC2 for Linux",
			"take the offer file of AWSComputeSavingsPlan for one region")
	}
	var out []SavingsPlan
	for p, rates := range s.plans {
		out = append(out, SavingsPlan{Plan: p.plan, Years: p.years, Payment: p.payment, Rates: rates})
	}
	slices.SortFunc(out, func(a, b SavingsPlan) int {
		return cmp.Or(strings.Compare(a.Plan, b.Plan), strings.Compare(a.Years, b.Years), strings.Compare(a.Payment, b.Payment))
	})
	return out, s.o.sorted()
}

type savings struct {
	o        *Offers
	products map[string]savingsProduct
	plans    map[savingsProduct]map[string]unit.Money
}

type savingsProduct struct{ plan, years, payment string }

// A rate is what a product costs under a plan.
type rate struct {
	Usage     string `json:"discountedUsageType"`
	Operation string `json:"discountedOperation"`
	Service   string `json:"discountedServiceCode"`
	Unit      string `json:"unit"`
	Rate      struct {
		Price    string `json:"price"`
		Currency string `json:"currency"`
	} `json:"discountedRate"`
}

// add takes a rate if it is of a Linux machine on shared hardware.
func (s *savings) add(p savingsProduct, x *rate) {
	kind, name, ok := strings.Cut(x.Usage, ":")
	shared := kind == "BoxUsage" || strings.HasSuffix(kind, "-BoxUsage")
	if !ok || !shared || x.Operation != "RunInstances" || x.Service != "" && x.Service != "AmazonEC2" ||
		x.Unit != "Hrs" && x.Unit != "" || x.Rate.Currency != "" && x.Rate.Currency != "USD" {
		return
	}
	f, err := number(x.Rate.Price, 1e6)
	if err != nil {
		return
	}
	m, err := unit.Dollars(f)
	if err != nil || m == 0 {
		return
	}
	if s.plans[p] == nil {
		s.plans[p] = map[string]unit.Money{}
	}
	s.plans[p][strings.Clone(name)] = m
}

func (s *savings) readJSON(r io.Reader) bool {
	l := &lines{r: r}
	f := offerFile{Offers: s.o, dec: json.NewDecoder(l), lines: l}
	later := map[string][]rate{} // of plans whose product was not read yet
	err := jsonfile.Object(f.dec, func(key string) error {
		switch key {
		case "products":
			return each(f.dec, func() error {
				var p struct {
					SKU        string `json:"sku"`
					Family     string `json:"productFamily"`
					Attributes struct {
						Payment string `json:"purchaseOption"`
						Term    string `json:"purchaseTerm"`
					} `json:"attributes"`
				}
				if err := lenient(f.dec.Decode(&p)); err != nil {
					return err
				}
				s.products[p.SKU] = savingsProduct{p.Family, strings.TrimSuffix(p.Attributes.Term, "yr"), p.Attributes.Payment}
				return nil
			})
		case "terms":
			return jsonfile.Object(f.dec, func(kind string) error {
				if kind != "savingsPlan" {
					return skip(f.dec)
				}
				f.known = true
				return each(f.dec, func() error {
					l.forget(f.dec.InputOffset())
					return s.term(f.dec, later)
				})
			})
		}
		return skip(f.dec)
	})
	for _, sku := range sortedKeys(later) {
		for i := range later[sku] {
			s.add(s.products[sku], &later[sku][i])
		}
	}
	switch {
	case err != nil && f.known:
		s.o.cut(f.failed(err), tidy(err))
	case !f.known:
		s.o.noList(diag.Pos{File: s.o.file}, "has no savings plan rates")
	}
	return f.known
}

// term reads a plan with its rates.
func (s *savings) term(dec *json.Decoder, later map[string][]rate) error {
	var sku, years string
	var kept []rate
	err := jsonfile.Object(dec, func(key string) error {
		switch key {
		case "sku":
			return dec.Decode(&sku)
		case "leaseContractLength":
			var length struct {
				Duration json.Number `json:"duration"`
			}
			err := lenient(dec.Decode(&length))
			years = length.Duration.String()
			return err
		case "rates":
			return each(dec, func() error {
				var x rate
				if err := lenient(dec.Decode(&x)); err != nil {
					return err
				}
				if x.Operation == "RunInstances" {
					kept = append(kept, x)
				}
				return nil
			})
		}
		return skip(dec)
	})
	p, ok := s.products[sku]
	if !ok && len(s.products) == 0 {
		later[sku] = append(later[sku], kept...)
		return err
	}
	p.years = cmp.Or(p.years, years)
	for i := range kept {
		s.add(p, &kept[i])
	}
	return err
}

// each calls f for each element of the array that dec is about to read.
func each(dec *json.Decoder, f func() error) error {
	tok, err := dec.Token()
	if err != nil {
		return err
	}
	if tok != json.Delim('[') {
		return errors.New("a list was expected")
	}
	for dec.More() {
		if err := f(); err != nil {
			return err
		}
	}
	_, err = dec.Token()
	return err
}

func (s *savings) readCSV(r io.Reader) bool {
	rows := csv.NewReader(r)
	rows.FieldsPerRecord = -1
	rows.ReuseRecord = true
	cols := s.o.head(rows)
	for _, name := range []string{"discountedrate", "discountedusagetype", "discountedoperation", "purchaseoption", "leasecontractlength"} {
		if _, ok := cols[name]; !ok {
			s.o.noList(diag.Pos{File: s.o.file}, "has no column "+name)
			return false
		}
	}
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return true
		}
		if err != nil {
			s.o.cut(diag.Pos{File: s.o.file}, err)
			return true
		}
		get := func(name string) string {
			if i, ok := cols[name]; ok && i < len(row) {
				return row[i]
			}
			return ""
		}
		x := rate{Usage: get("discountedusagetype"), Operation: get("discountedoperation"), Service: get("discountedservicecode"), Unit: get("unit")}
		x.Rate.Price, x.Rate.Currency = get("discountedrate"), get("currency")
		p := savingsProduct{get("productfamily"), get("leasecontractlength"), get("purchaseoption")}
		if p.plan == "" {
			p.plan = get("servicecode")
		}
		s.add(savingsProduct{strings.Clone(p.plan), strings.Clone(p.years), strings.Clone(p.payment)}, &x)
	}
}
