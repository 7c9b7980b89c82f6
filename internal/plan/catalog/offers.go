package catalog

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/unit"
)

// An attributes is what a price list says of a product, as far as it matters.
type attributes struct {
	InstanceType    string `json:"instanceType"`
	OperatingSystem string `json:"operatingSystem"`
	Tenancy         string `json:"tenancy"`
	Software        string `json:"preInstalledSw"`
	Capacity        string `json:"capacitystatus"`
	Market          string `json:"marketoption"`
	LocationType    string `json:"locationType"`
	Location        string `json:"location"`
	Region          string `json:"regionCode"`
	Operation       string `json:"operation"`
}

// wanted reports whether it is a machine as the planner buys them: Linux on
// shared hardware in a region proper, nothing licensed, no reservation.
func (a *attributes) wanted() bool {
	return a.InstanceType != "" && a.OperatingSystem == "Linux" && a.Tenancy == "Shared" && a.Capacity == "Used" &&
		(a.Software == "" || a.Software == "NA") && (a.Market == "" || a.Market == "OnDemand") &&
		(a.LocationType == "" || a.LocationType == "AWS Region") && (a.Operation == "" || a.Operation == "RunInstances")
}

func (a *attributes) region() string {
	if a.Region != "" {
		return a.Region
	}
	return a.Location
}

// Offers gathers what a price list offers, part by part.
type Offers struct {
	file, asked   string
	published     string
	version, code string
	products      map[string]product  // by SKU
	early         map[string][]priced // terms of products that come later
	prices        map[string]map[string]unit.Money
	diags         diag.List
}

type product struct{ name, region string }

// A priced is the price of a term.
type priced struct {
	at             diag.Pos
	amount, unit   string
	currencies     string // those that it has, if not USD
	productUnknown bool
}

// NewOffers gathers the offers of one region, of the only one of the list if
// region is empty. File names the list in diagnostics.
func NewOffers(region, file string) *Offers {
	return &Offers{
		file: file, asked: region, products: map[string]product{}, early: map[string][]priced{}, prices: map[string]map[string]unit.Money{},
	}
}

func (o *Offers) say(code diag.Code, severity diag.Severity, at diag.Pos, subject, problem, hint string) {
	o.diags = append(o.diags, diag.Diagnostic{Code: code, Severity: severity, Pos: at, Subject: subject, Problem: problem, Hint: hint})
}

// product takes a product; those that are not wanted are forgotten.
func (o *Offers) product(sku string, a *attributes) {
	if !a.wanted() {
		return
	}
	o.products[sku] = product{name: strings.Clone(a.InstanceType), region: strings.Clone(a.region())}
	for _, p := range o.early[sku] {
		o.price(sku, p)
	}
}

// price takes the price of a product on demand.
func (o *Offers) price(sku string, p priced) {
	x, ok := o.products[sku]
	if !ok {
		if !p.productUnknown {
			return
		}
		if p.unit != "Hrs" && p.unit != "Hours" {
			return
		}
		p.productUnknown = false
		o.early[sku] = append(o.early[sku], p)
		return
	}
	if p.unit != "Hrs" && p.unit != "Hours" {
		return
	}
	var m unit.Money
	f, err := number(p.amount, 1e6)
	if err == nil {
		m, err = unit.Dollars(f)
	}
	switch {
	case p.amount == "":
		o.say(BadPrice, diag.Warning, p.at, "type "+x.name, "has a price in "+p.currencies+", not in USD",
			"the type is left out; convert the list to US dollars")
		return
	case err != nil:
		o.say(BadPrice, diag.Warning, p.at, "type "+x.name, "has no price: "+err.Error(), "the type is left out")
		return
	case m == 0:
		return // reservations stand at no price
	}
	in := o.prices[x.region]
	if in == nil {
		in = map[string]unit.Money{}
		o.prices[x.region] = in
	}
	if have := in[x.name]; have != 0 && have != m && (o.asked == "" || o.asked == x.region) {
		o.say(TwoPrices, diag.Warning, p.at, "type "+x.name, fmt.Sprintf("costs %s and %s", have.Exact(), m.Exact()), "the higher price counts")
		m = max(m, have)
	}
	in[x.name] = m
}

// Catalog gives the list of what was gathered.
func (o *Offers) Catalog() (Catalog, diag.List) {
	at := diag.Pos{File: o.file}
	region := o.asked
	regions := slices.Sorted(maps.Keys(o.prices))
	switch {
	case len(regions) == 0:
		o.say(NoLinuxPrices, diag.Error, at, "price list", "has no price of EC2 on demand for Linux", "import the offer file of AmazonEC2 for one region")
		return Catalog{}, o.sorted()
	case region == "" && len(regions) > 1:
		o.say(SeveralRegions, diag.Error, at, "price list", "holds "+few(regions), "say which one with --region")
		return Catalog{}, o.sorted()
	case region == "":
		region = regions[0]
	case o.prices[region] == nil:
		o.say(OtherRegion, diag.Error, at, "price list", "has no price of "+region+", but of "+few(regions), "import the list of "+region)
		return Catalog{}, o.sorted()
	}
	limits, err := Embedded()
	if err != nil { // the program is broken
		o.say(UnknownLimits, diag.Error, at, "price list", err.Error(), "")
		return Catalog{}, o.sorted()
	}
	c := Catalog{Region: region, Date: o.published[:min(len(o.published), len("2006-01-02"))], Currency: "USD", Source: o.source()}
	for _, name := range slices.Sorted(maps.Keys(o.prices[region])) {
		t := limits.Find(name)
		if t == nil {
			o.say(UnknownLimits, diag.Warning, at, "type "+name, "has a price, but its interfaces and addresses are not known", "the type is left out")
			continue
		}
		x := *t
		x.Price = o.prices[region][name]
		c.Types = append(c.Types, x)
	}
	return c, o.sorted()
}

func (o *Offers) sorted() diag.List {
	o.diags.Sort()
	return o.diags
}

func (o *Offers) source() string {
	s := "AWS price list"
	if o.code != "" {
		s += " of " + o.code
	}
	if o.version != "" {
		s += ", version " + o.version
	}
	return s
}

func few(names []string) string {
	const most = 6
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
