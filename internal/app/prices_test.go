package app_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/tranship/tranship/internal/app"
)

// TestFetchedPricesAreReadBack asks a stand-in for AWS's price list API and
// reads the list that was kept.
func TestFetchedPricesAreReadBack(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		fmt.Fprintf(w, `{"FormatVersion":"aws_v1","PriceList":[%q,%q]}`, offer("m5.large", "0.107"), offer("z99.large", "1"))
	}))
	defer srv.Close()
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL_PRICING": srv.URL, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
	} {
		t.Setenv(name, value)
	}
	out := filepath.Join(t.TempDir(), "prices.csv")
	_, diags, err := app.FetchPrices(t.Context(), "eu-west-1", out, nil)
	if err != nil || len(diags) != 1 {
		t.Fatal(err, diags)
	}
	c, err := app.Prices(out, "")
	if err != nil || len(c.Types) != 1 || c.Types[0].Price.Exact() != "$0.107" || c.Region != "eu-west-1" || c.Date != "2026-11-02" {
		t.Errorf("%+v, %v", c, err)
	}
	// Of another region they are an estimate; of one that nobody knows there are none.
	if c, err := app.Prices(out, "us-east-1"); err != nil || !c.Estimated || c.Types[0].Price >= 107_000 {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := app.Prices(out, "mars-north-1"); err == nil {
		t.Error("there are prices of mars-north-1")
	}
}

func offer(name, price string) string {
	return `{"product":{"sku":"` + name + `","attributes":{"instanceType":"` + name + `","operatingSystem":"Linux","tenancy":"Shared","capacitystatus":"Used","regionCode":"eu-west-1"}},` +
		`"serviceCode":"AmazonEC2","publicationDate":"2026-11-02T11:15:00Z","terms":{"OnDemand":{"T":{"priceDimensions":{"D":{"unit":"Hrs","pricePerUnit":{"USD":"` + price + `"}}}}}}}`
}

// TestSeveralPriceListsAreOne imports two lists, the later over the earlier,
// and keeps nothing of one that is none.
func TestSeveralPriceListsAreOne(t *testing.T) {
	dir := t.TempDir()
	file := func(name, rows string) string {
		path := filepath.Join(dir, name)
		text := "SKU,TermType,Unit,PricePerUnit,Currency,Instance Type,Tenancy,Operating System,CapacityStatus,Pre Installed S/W,Region Code\n" + rows
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const tail = ",Shared,Linux,Used,NA,eu-west-1\n"
	one := file("one.csv", "A,OnDemand,Hrs,0.1,USD,m5.large"+tail+"B,OnDemand,Hrs,0.2,USD,m5.xlarge"+tail)
	two := file("two.csv", "A,OnDemand,Hrs,0.3,USD,m5.large"+tail)
	out := filepath.Join(dir, "prices.csv")
	c, diags, err := app.ImportPrices([]string{one, two}, "", out, nil)
	if err != nil || len(diags) > 0 || len(c.Types) != 2 || c.Find("m5.large").Price != 300_000 || c.Find("m5.xlarge").Price != 200_000 {
		t.Errorf("%+v, %v, %v", c, diags, err)
	}
	none := filepath.Join(dir, "none.csv")
	if _, _, err := app.ImportPrices([]string{file("no.csv", "")}, "", none, nil); !errors.Is(err, app.ErrInput) {
		t.Error(err)
	}
	if _, err := os.Stat(none); err == nil {
		t.Error("an empty price list was written")
	}
}
