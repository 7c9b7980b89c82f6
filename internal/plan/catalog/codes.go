package catalog

import "github.com/tranship/tranship/internal/base/diag"

// Codes of price lists. Each example is a file that is imported.
const (
	// NoPriceList is reported for a file that is no offer file of AWS: neither
	// JSON with products and terms nor CSV with its columns.
	//
	// Example:
	//	type,price
	//	m5.large,0.096
	NoPriceList diag.Code = "K001"

	// CutPriceList is reported where a price list cannot be read further; what
	// stands before is used.
	//
	// Example:
	//	{"offerCode": "AmazonEC2", "products": {"A1": {"productFamily"
	CutPriceList diag.Code = "K002"

	// NoLinuxPrices is reported for a list without prices of EC2 on demand for
	// Linux on shared machines.
	//
	// Example:
	//	{"offerCode": "AmazonS3", "products": {}, "terms": {"OnDemand": {}}}
	NoLinuxPrices diag.Code = "K003"

	// SeveralRegions is reported for a list of several regions where none is
	// asked for.
	//
	// Example:
	//	{"products": {
	//	 "A1": {"attributes": {"instanceType": "m5.large", "operatingSystem": "Linux", "tenancy": "Shared", "capacitystatus": "Used", "regionCode": "us-east-1"}},
	//	 "A2": {"attributes": {"instanceType": "m5.large", "operatingSystem": "Linux", "tenancy": "Shared", "capacitystatus": "Used", "regionCode": "eu-west-1"}}},
	//	 "terms": {"OnDemand": {
	//	 "A1": {"A1.x": {"priceDimensions": {"A1.x.y": {"unit": "Hrs", "pricePerUnit": {"USD": "0.096"}}}}},
	//	 "A2": {"A2.x": {"priceDimensions": {"A2.x.y": {"unit": "Hrs", "pricePerUnit": {"USD": "0.107"}}}}}}}}
	SeveralRegions diag.Code = "K004"

	// OtherRegion is reported when the list has no price of the region that is
	// asked for: the examples ask for eu-west-1.
	//
	// Example:
	//	{"products": {
	//	 "A1": {"attributes": {"instanceType": "m5.large", "operatingSystem": "Linux", "tenancy": "Shared", "capacitystatus": "Used", "regionCode": "us-east-1"}}},
	//	 "terms": {"OnDemand": {"A1": {"A1.x": {"priceDimensions": {"A1.x.y": {"unit": "Hrs", "pricePerUnit": {"USD": "0.096"}}}}}}}}
	OtherRegion diag.Code = "K005"

	// BadPrice is reported for a price that is no amount of US dollars an hour;
	// its type is left out.
	//
	// Example:
	//	"FormatVersion","v1.0"
	//	"Disclaimer","none"
	//	"Publication Date","2026-11-01T00:00:00Z"
	//	"Version","20261101000000"
	//	"OfferCode","AmazonEC2"
	//	"SKU","TermType","Unit","PricePerUnit","Currency","Instance Type","Tenancy","Operating System","CapacityStatus","Pre Installed S/W","Region Code"
	//	"A1","OnDemand","Hrs","4.20","CNY","m5.large","Shared","Linux","Used","NA","cn-north-1"
	BadPrice diag.Code = "K006"

	// UnknownLimits is reported for a type with a price that the program does
	// not know: how many pods it runs cannot be said, and it is left out.
	//
	// Example:
	//	{"products": {
	//	 "A1": {"attributes": {"instanceType": "z99.large", "operatingSystem": "Linux", "tenancy": "Shared", "capacitystatus": "Used", "regionCode": "eu-west-1"}}},
	//	 "terms": {"OnDemand": {"A1": {"A1.x": {"priceDimensions": {"A1.x.y": {"unit": "Hrs", "pricePerUnit": {"USD": "0.096"}}}}}}}}
	UnknownLimits diag.Code = "K007"

	// TwoPrices is reported for a type that has two prices in one list; the
	// higher one counts.
	//
	// Example:
	//	"SKU","TermType","Unit","PricePerUnit","Currency","Instance Type","Tenancy","Operating System","CapacityStatus","Pre Installed S/W","Region Code"
	//	"A1","OnDemand","Hrs","0.096","USD","m5.large","Shared","Linux","Used","NA","us-east-1"
	//	"A2","OnDemand","Hrs","0.106","USD","m5.large","Shared","Linux","Used","NA","us-east-1"
	TwoPrices diag.Code = "K008"

	// NoSavingsRates is reported for a list of savings plans without rates of EC2
	// for Linux.
	//
	// Example:
	//	{"products": [], "terms": {"savingsPlan": [{"sku": "P", "rates": []}]}}
	NoSavingsRates diag.Code = "K009"
)
