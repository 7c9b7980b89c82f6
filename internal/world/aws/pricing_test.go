package aws_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tranship/tranship/internal/world/aws"
)

// A priceList stands in for the price list API: it gives two products a page,
// and throttles as often as it is told to.
type priceList struct {
	mu       sync.Mutex
	throttle int
	denied   bool
	asked    []string
	products []string
}

func product(name, price string) string {
	return fmt.Sprintf(`{"product":{"sku":"S-%[1]s","attributes":{"instanceType":%[1]q,"operatingSystem":"Linux","tenancy":"Shared","capacitystatus":"Used",
		"preInstalledSw":"NA","regionCode":"eu-west-1","operation":"RunInstances","marketoption":"OnDemand"}},"serviceCode":"AmazonEC2","version":"20261102111500",
		"publicationDate":"2026-11-02T11:15:00Z","terms":{"OnDemand":{"T":{"priceDimensions":{"D":{"unit":"Hrs","pricePerUnit":{"USD":%[2]q}}}}}}}`, name, price)
}

func (l *priceList) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var in struct {
		ServiceCode string
		NextToken   string
		Filters     []struct{ Field, Value string }
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	switch {
	case l.denied:
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"__type":"AccessDeniedException","message":"not allowed"}`)
		return
	case l.throttle > 0:
		l.throttle--
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"__type":"ThrottlingException","message":"slow down"}`)
		return
	}
	for _, f := range in.Filters {
		l.asked = append(l.asked, f.Field+"="+f.Value)
	}
	from := 0
	fmt.Sscanf(in.NextToken, "from-%d", &from)
	to := min(from+2, len(l.products))
	out := map[string]any{"FormatVersion": "aws_v1", "PriceList": l.products[from:to]}
	if to < len(l.products) {
		out["NextToken"] = fmt.Sprintf("from-%d", to)
	}
	_ = json.NewEncoder(w).Encode(out)
}

func ask(t *testing.T, l *priceList) (*aws.Prices, string) {
	t.Helper()
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
	t.Setenv("AWS_CONFIG_FILE", "/nonexistent")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
	srv := httptest.NewServer(l)
	t.Cleanup(srv.Close)
	p, err := aws.NewPrices(t.Context(), aws.Options{Endpoint: srv.URL, MaxWait: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return p, srv.URL
}

// TestAllPagesAreReadThroughThrottling answers with three pages and refuses
// four times in between.
func TestAllPagesAreReadThroughThrottling(t *testing.T) {
	l := &priceList{throttle: 4, products: []string{
		product("m5.large", "0.107"), product("m6g.large", "0.086"), product("c7i.xlarge", "0.2016"), product("z99.large", "1"), product("m5.xlarge", "0.214"),
	}}
	p, _ := ask(t, l)
	var heard []int
	offers, err := p.Offers(t.Context(), "eu-west-1", func(n int) { heard = append(heard, n) })
	if err != nil {
		t.Fatal(err)
	}
	c, diags := offers.Catalog()
	if len(diags) != 1 || diags[0].Subject != "type z99.large" {
		t.Errorf("diagnostics are %v", diags)
	}
	if len(c.Types) != 4 || c.Find("m5.xlarge") == nil || c.Find("m5.large").Price.Exact() != "$0.107" || c.Date != "2026-11-02" || c.Region != "eu-west-1" {
		t.Errorf("%+v", c)
	}
	if !slices.Equal(heard, []int{2, 4, 5}) {
		t.Errorf("heard of %v", heard)
	}
	if !slices.Contains(l.asked, "regionCode=eu-west-1") || !slices.Contains(l.asked, "operatingSystem=Linux") {
		t.Errorf("asked for %v", l.asked)
	}
}

func TestARefusalSaysWhatIsNeeded(t *testing.T) {
	p, _ := ask(t, &priceList{denied: true})
	_, err := p.Offers(t.Context(), "eu-west-1", nil)
	if err == nil || !strings.Contains(err.Error(), "AccessDeniedException") || !strings.Contains(err.Error(), "pricing:GetProducts") {
		t.Error(err)
	}
}

func TestEndlessThrottlingEnds(t *testing.T) {
	p, _ := ask(t, &priceList{throttle: 1000})
	if _, err := p.Offers(t.Context(), "eu-west-1", nil); err == nil || !strings.Contains(err.Error(), "ThrottlingException") {
		t.Error(err)
	}
}

func TestWhatIsNoPriceIsNotTakenForOne(t *testing.T) {
	p, _ := ask(t, &priceList{products: []string{"[]"}})
	if _, err := p.Offers(t.Context(), "eu-west-1", nil); err == nil || !strings.Contains(err.Error(), "page 1") {
		t.Error(err)
	}
}
