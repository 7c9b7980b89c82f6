package catalog_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tranship/tranship/internal/plan/catalog"
)

const savingsProducts = `"products":[
 {"sku":"ONE","productFamily":"ComputeSavingsPlans","serviceCode":"ComputeSavingsPlans","attributes":{"purchaseOption":"No Upfront","purchaseTerm":"1yr","granularity":"hourly"}},
 {"sku":"THREE","productFamily":"ComputeSavingsPlans","attributes":{"purchaseOption":"All Upfront","purchaseTerm":"3yr"}}]`

const savingsTerms = `"terms":{"savingsPlan":[
 {"sku":"ONE","description":"1 year","leaseContractLength":{"duration":1,"unit":"year"},"rates":[
  {"discountedSku":"A","discountedUsageType":"EU-BoxUsage:m5.large","discountedOperation":"RunInstances","discountedServiceCode":"AmazonEC2","unit":"Hrs","discountedRate":{"price":"0.072","currency":"USD"}},
  {"discountedSku":"B","discountedUsageType":"EU-BoxUsage:m5.large","discountedOperation":"RunInstances:0002","discountedServiceCode":"AmazonEC2","unit":"Hrs","discountedRate":{"price":"0.9","currency":"USD"}},
  {"discountedSku":"C","discountedUsageType":"EU-DedicatedUsage:m5.large","discountedOperation":"RunInstances","discountedServiceCode":"AmazonEC2","unit":"Hrs","discountedRate":{"price":"0.9","currency":"USD"}},
  {"discountedSku":"D","discountedUsageType":"EU-Fargate-vCPU-Hours:perCPU","discountedOperation":"","discountedServiceCode":"AmazonEKS","unit":"hours","discountedRate":{"price":"0.03","currency":"USD"}}]},
 {"sku":"THREE","leaseContractLength":{"duration":3,"unit":"year"},"rates":[
  {"discountedUsageType":"BoxUsage:m6g.large","discountedOperation":"RunInstances","discountedServiceCode":"AmazonEC2","unit":"Hrs","discountedRate":{"price":"0.0385","currency":"USD"}}]}]}`

const savingsCSV = `"FormatVersion","v1.0"
"Publication Date","2026-11-02T11:15:00Z"
"Version","7"
"OfferCode","AWSComputeSavingsPlan"
"RegionCode","eu-west-1"
"SKU","RateCode","Unit","EffectiveDate","DiscountedRate","Currency","DiscountedSKU","DiscountedServiceCode","DiscountedUsageType","DiscountedOperation","PurchaseOption","LeaseContractLength","LeaseContractLengthUnit","ServiceCode","Product Family"
"ONE","ONE.A","Hrs","2026-11-01","0.072","USD","A","AmazonEC2","EU-BoxUsage:m5.large","RunInstances","No Upfront","1","year","ComputeSavingsPlans","ComputeSavingsPlans"
"ONE","ONE.B","Hrs","2026-11-01","0.9","USD","B","AmazonEC2","EU-BoxUsage:m5.large","RunInstances:0002","No Upfront","1","year","ComputeSavingsPlans","ComputeSavingsPlans"
"THREE","THREE.A","Hrs","2026-11-01","0.0385","USD","A","AmazonEC2","BoxUsage:m6g.large","RunInstances","All Upfront","3","year","ComputeSavingsPlans","ComputeSavingsPlans"
`

// TestSavingsPlansAreReadInEveryForm reads the same rates as JSON, in both
// orders, and as CSV; Windows, dedicated machines and Fargate are not among them.
func TestSavingsPlansAreReadInEveryForm(t *testing.T) {
	c := embedded(t)
	want := []string{"ComputeSavingsPlans 1 No Upfront: [0.25]", "ComputeSavingsPlans 3 All Upfront: [0.50]"}
	for _, text := range []string{"{" + savingsProducts + "," + savingsTerms + "}", "{" + savingsTerms + "," + savingsProducts + "}", savingsCSV} {
		plans, diags := catalog.Savings("x", strings.NewReader(text))
		var got []string
		for i := range plans {
			p := &plans[i]
			got = append(got, fmt.Sprintf("%s %s %s: %.2f", p.Plan, p.Years, p.Payment, p.Discounts(&c)))
		}
		if d := cmp.Diff(want, got); d != "" || len(diags) > 0 {
			t.Errorf("%.40s: %s %v", text, d, diags)
		}
	}
}

func FuzzSavings(f *testing.F) {
	f.Add([]byte("{" + savingsProducts + "," + savingsTerms + "}"))
	f.Add([]byte(savingsCSV))
	f.Fuzz(func(t *testing.T, b []byte) {
		plans, diags := catalog.Savings("x", strings.NewReader(string(b)))
		if len(plans) == 0 && len(diags) == 0 {
			t.Error("neither rates nor a word why")
		}
	})
}
