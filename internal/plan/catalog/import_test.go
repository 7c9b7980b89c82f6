package catalog_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/diag/diagtest"
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/plan/catalog"
)

// TestEveryCodeHasAnExampleThatYieldsIt runs the examples in codes.go.
func TestEveryCodeHasAnExampleThatYieldsIt(t *testing.T) {
	diagtest.Examples(t, "codes.go", func(_ *testing.T, text string) diag.List {
		_, list := catalog.Import("example", strings.NewReader(text))
		_, asked := catalog.ImportRegion("eu-west-1", "example", strings.NewReader(text))
		_, savings := catalog.Savings("example", strings.NewReader(text))
		return slices.Concat(list, asked, savings)
	})
}

func prices(c catalog.Catalog) map[string]string {
	out := map[string]string{}
	for i := range c.Types {
		out[c.Types[i].Name] = c.Types[i].Price.Exact()
	}
	return out
}

func open(t *testing.T, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestBothFormsOfAPriceListGiveTheSame reads the same offers as JSON and CSV:
// Windows, dedicated hosts, licensed software, reservations, Local Zones,
// reserved instances and storage are not among what is bought.
func TestBothFormsOfAPriceListGiveTheSame(t *testing.T) {
	want := map[string]string{"m5.large": "$0.107", "m6g.large": "$0.086", "c7i.xlarge": "$0.2016"}
	for _, file := range []string{"testdata/offers.json", "testdata/offers.csv"} {
		c, diags := catalog.ImportRegion("eu-west-1", file, bytes.NewReader(open(t, file)))
		if len(diags) > 0 {
			t.Errorf("%s: %v", file, diags)
		}
		if d := cmp.Diff(want, prices(c)); d != "" {
			t.Errorf("%s: %s", file, d)
		}
		if got, want := c.Region+" "+c.Date+" "+c.Source, "eu-west-1 2026-11-02 AWS price list of AmazonEC2, version 20261102111500"; got != want {
			t.Errorf("%s is %q, want %q", file, got, want)
		}
		if x := c.Find("m6g.large"); x == nil || x.ENIs != 3 || x.Memory != 8*unit.GiB || x.Arch != "arm64" {
			t.Errorf("%s: m6g.large is %+v", file, x)
		}
	}
}

func TestACutPriceListIsUsedUpToTheCut(t *testing.T) {
	whole := open(t, "testdata/offers.json")
	cut := bytes.Index(whole, []byte(`"TERM-LINUX-GRAVITON"`))
	c, diags := catalog.ImportRegion("eu-west-1", "index.json", bytes.NewReader(whole[:cut]))
	if len(diags) != 1 || diags[0].Code != catalog.CutPriceList || diags[0].Pos.Line != 1+bytes.Count(whole[:cut], []byte("\n")) {
		t.Errorf("diagnostics are %v", diags)
	}
	if c.Find("m5.large") == nil || c.Find("m6g.large") != nil {
		t.Errorf("prices are %v", prices(c))
	}
}

// TestTheOrderOfAPriceListIsNoMatter puts the terms before the products.
func TestTheOrderOfAPriceListIsNoMatter(t *testing.T) {
	const products = `"products":{"A":{"attributes":{"instanceType":"m5.large","operatingSystem":"Linux","tenancy":"Shared","capacitystatus":"Used","regionCode":"r"}}}`
	const terms = `"terms":{"Reserved":{"A":{"x":[{},[1,2]]}},"OnDemand":{"A":{"A.x":{"priceDimensions":{"y":{"unit":"Hrs","pricePerUnit":{"USD":"0.1"}}}}},"B":{}}}`
	for _, text := range []string{"{" + products + "," + terms + "}", "{" + terms + `,"more":{"a":[[{}]]},` + products + "}"} {
		c, diags := catalog.Import("x", strings.NewReader(text))
		if len(diags) > 0 || len(c.Types) != 1 || c.Types[0].Price != 10*unit.Cent {
			t.Errorf("%s: %v %v", text, prices(c), diags)
		}
	}
}

// a longList is a price list as long as a real one, made as it is read. It
// keeps the most memory that was in use meanwhile.
type longList struct {
	n, of int
	rest  []byte
	most  uint64
}

func (l *longList) Read(b []byte) (int, error) {
	for len(l.rest) == 0 {
		switch {
		case l.n == 0:
			l.rest = []byte(`{"offerCode":"AmazonEC2","products":{"S":{"attributes":{"instanceType":"m5.large","operatingSystem":"Linux","tenancy":"Shared","capacitystatus":"Used","regionCode":"r"}}`)
		case l.n < l.of:
			l.rest = fmt.Appendf(nil, ",\n\"SKU%d\":{\"sku\":\"SKU%d\",\"attributes\":{\"instanceType\":\"m5.large\",\"operatingSystem\":\"Windows\",\"text\":\"%s\"}}", l.n, l.n, strings.Repeat("x", 900))
		case l.n == l.of:
			l.rest = []byte(`},"terms":{"OnDemand":{"S":{"S.x":{"priceDimensions":{"y":{"unit":"Hrs","pricePerUnit":{"USD":"0.1"}}}}}`)
		case l.n < 2*l.of:
			l.rest = fmt.Appendf(nil, ",\n\"SKU%d\":{\"SKU.x\":{\"priceDimensions\":{\"y\":{\"unit\":\"Hrs\",\"description\":\"%s\",\"pricePerUnit\":{\"USD\":\"1\"}}}}}", l.n, strings.Repeat("y", 500))
		case l.n == 2*l.of:
			l.rest = []byte("}}}")
		default:
			return 0, io.EOF
		}
		if l.n%2000 == 0 {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			l.most = max(l.most, m.HeapAlloc)
		}
		l.n++
	}
	n := copy(b, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}

func TestAPriceListIsNeverHeldWhole(t *testing.T) {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	l := &longList{of: 30_000} // 45 MB
	c, diags := catalog.Import("index.json", l)
	if len(diags) > 0 || len(c.Types) != 1 {
		t.Fatal(prices(c), diags)
	}
	if used := (l.most - min(m.HeapAlloc, l.most)) >> 20; used > 16 {
		t.Errorf("%d MiB in use while reading 45 MB", used)
	}
}

func FuzzImport(f *testing.F) {
	for _, file := range []string{"testdata/offers.json", "testdata/offers.csv"} {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(`{"terms":{"OnDemand":[]}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, diags := catalog.Import("x", bytes.NewReader(b))
		if len(c.Types) == 0 && len(diags) == 0 {
			t.Error("neither prices nor a word why")
		}
		for i := range c.Types {
			if c.Types[i].Price <= 0 || c.Types[i].Name == "" {
				t.Errorf("type %+v", c.Types[i])
			}
		}
	})
}

func FuzzReadCSV(f *testing.F) {
	f.Add([]byte("# region: x\ntype,vcpu,memGiB,arch,generation,onDemandUSDPerHour,enis,ipv4PerEni\nm5.large,2,8,amd64,5,0.096,3,10\n"))
	f.Add([]byte("type,vcpu,memGiB,arch,generation,maxPods,onDemandUSDPerHour\n\"m5\"\".large\",2,8,amd64,5,29,\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := catalog.ReadCSV(bytes.NewReader(b))
		if err != nil {
			return
		}
		var out bytes.Buffer
		if err := c.Write(&out); err != nil {
			t.Fatal(err)
		}
		again, err := catalog.ReadCSV(bytes.NewReader(out.Bytes()))
		if err != nil {
			t.Fatalf("what was written is not read: %v\n%s", err, out.Bytes())
		}
		if len(again.Types) != len(c.Types) {
			t.Errorf("%d types are read as %d", len(c.Types), len(again.Types))
		}
		for i := range c.Types {
			a := c.Types[i].Allocatable(catalog.Kubelet{PrefixDelegation: i%2 == 0})
			if a.CPU < 0 || a.Memory < 0 || a.Pods < 0 || a.Volumes < 0 {
				t.Errorf("%+v has %+v", c.Types[i], a)
			}
		}
	})
}
