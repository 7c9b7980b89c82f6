package catalog_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/plan/catalog"
)

func embedded(t *testing.T) catalog.Catalog {
	t.Helper()
	c, err := catalog.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestWhatIsWrongInACatalogueIsFoundAtItsPlace(t *testing.T) {
	const head = "type,vcpu,memGiB,arch,generation,onDemandUSDPerHour,enis,ipv4PerEni,more\n"
	const good = "m5.large,2,8,amd64,5,0.096,3,10,\n"
	for name, x := range map[string]struct{ in, want string }{
		"nothing":        {"", "1:1: there are no columns"},
		"only comments":  {"# region: r\n", "2:1: there are no columns"},
		"no price":       {"type,vcpu\n", "1:1: there is no column memGiB"},
		"no limits":      {"type,vcpu,memGiB,arch,generation,onDemandUSDPerHour\n", "1:1: there are no columns enis and ipv4PerEni, nor maxPods"},
		"few fields":     {head + "m5.large,2\n", "2:1: 2 fields, 9 columns"},
		"word":           {"# a\n" + head + good + "m5.xlarge,four,8,amd64,5,0.096,3,10,\n", `4:11: column vcpu: "four" is no whole number`},
		"below zero":     {head + "m5.large,2,-8,amd64,5,0.096,3,10,\n", `2:12: column memGiB: "-8" is no number`},
		"nan":            {head + "m5.large,2,8,amd64,5,NaN,3,10,\n", `2:22: column onDemandUSDPerHour: "NaN" is no number`},
		"architecture":   {head + "m5.large,2,8,mips,5,0.096,3,10,\n", `2:14: column arch: "mips"`},
		"twice":          {head + good + good, "3:1: type m5.large stands twice"},
		"without a name": {head + ",2,8,amd64,5,0.096,3,10,\n", "2:1: column type: is empty"},
		"quote":          {head + "\"m5.large,2,8\n", "2:"},
	} {
		_, err := catalog.ReadCSV(strings.NewReader(x.in))
		if err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: %v, want %s", name, err, x.want)
		}
	}
	c, err := catalog.ReadCSV(strings.NewReader("\ufeff# region: r\r\n" + head + good + "m5.xlarge,4,16,amd64,5,,4,15,x\n"))
	if err != nil || c.Region != "r" || len(c.Types) != 2 || c.Types[1].Price != 0 {
		t.Errorf("%+v, %v", c, err)
	}
}

// TestACatalogueReadsBack: what is written is read as the same list.
func TestACatalogueReadsBack(t *testing.T) {
	want, _ := embedded(t).For("eu-west-1")
	var b bytes.Buffer
	if err := want.Write(&b); err != nil {
		t.Fatal(err)
	}
	got, err := catalog.ReadCSV(&b)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%.2000s", d)
	}
}

func TestAnotherRegionIsAnEstimateAndSaysSo(t *testing.T) {
	c := embedded(t)
	if same, ok := c.For(c.Region); !ok || same.Estimated {
		t.Error("a list's own region is an estimate")
	}
	got, ok := c.For("eu-west-1")
	if x := got.Find("m5.large"); !ok || !got.Estimated || got.Region != "eu-west-1" || x.Price != 107_808 || !strings.Contains(got.Source, "1.123") {
		t.Errorf("%v %v %s %s", ok, got.Estimated, got.Region, got.Source)
	}
	if c.Find("m5.large").Price != 96_000 {
		t.Error("an estimate changed the list that it was made of")
	}
	if got, ok := c.For("mars-north-1"); ok || got.Region != "us-east-1" {
		t.Error("a region without a factor is estimated")
	}
	for _, r := range catalog.Regions() {
		if _, ok := c.For(r); !ok {
			t.Errorf("no estimate for %s", r)
		}
	}
}

// TestWhatANodeHas holds the variables of a node to numbers worked out by hand.
func TestWhatANodeHas(t *testing.T) {
	c := embedded(t)
	none := 0.0
	for _, x := range []struct {
		name string
		k    catalog.Kubelet
		want catalog.Allocatable
	}{
		// 3 interfaces: 27 less two beside the first, less the root volume.
		{"m5.large", catalog.Kubelet{}, catalog.Allocatable{CPU: 1930, Memory: 6903 * unit.MiB, Pods: 29, Ephemeral: 17 * unit.GiB, Volumes: 24}},
		{"m5.large", catalog.Kubelet{PrefixDelegation: true}, catalog.Allocatable{CPU: 1930, Memory: 6012 * unit.MiB, Pods: 110, Ephemeral: 17 * unit.GiB, Volumes: 25}},
		{"m5.large", catalog.Kubelet{MaxPods: 10, RootVolume: 100 * unit.GiB}, catalog.Allocatable{CPU: 1930, Memory: 7112 * unit.MiB, Pods: 10, Ephemeral: 89 * unit.GiB, Volumes: 25}},
		// There are no addresses for more than 29.
		{"m5.large", catalog.Kubelet{MaxPods: 60, VMOverhead: &none}, catalog.Allocatable{CPU: 1930, Memory: 7518 * unit.MiB, Pods: 29, Ephemeral: 17 * unit.GiB, Volumes: 24}},
		{"m5.large", catalog.Kubelet{MaxPods: 60, PrefixDelegation: true}, catalog.Allocatable{CPU: 1930, Memory: 6562 * unit.MiB, Pods: 60, Ephemeral: 17 * unit.GiB, Volumes: 25}},
		{"m5.16xlarge", catalog.Kubelet{PrefixDelegation: true}, catalog.Allocatable{CPU: 63770, Memory: 239_378 * unit.MiB, Pods: 250, Ephemeral: 17 * unit.GiB, Volumes: 25}},
		// Before Nitro there was no prefix delegation.
		{"m4.large", catalog.Kubelet{PrefixDelegation: true}, catalog.Allocatable{CPU: 1930, Memory: 7002 * unit.MiB, Pods: 20, Ephemeral: 17 * unit.GiB, Volumes: 38}},
		// A limit of its own: interfaces take none of it.
		{"m7i.large", catalog.Kubelet{}, catalog.Allocatable{CPU: 1930, Memory: 6903 * unit.MiB, Pods: 29, Ephemeral: 17 * unit.GiB, Volumes: 31}},
		{"g5.xlarge", catalog.Kubelet{}, catalog.Allocatable{CPU: 3920, Memory: 14162 * unit.MiB, Pods: 58, Ephemeral: 17 * unit.GiB, GPUs: 1, Volumes: 21}},
		// Its slots are full.
		{"d3.8xlarge", catalog.Kubelet{}, catalog.Allocatable{CPU: 31850, Memory: 241_479 * unit.MiB, Pods: 59, Ephemeral: 17 * unit.GiB}},
	} {
		if got := c.Find(x.name).Allocatable(x.k); got != x.want {
			t.Errorf("%s %+v: %s", x.name, x.k, cmp.Diff(x.want, got))
		}
	}
	tiny := catalog.Type{VCPU: 1, Memory: unit.MiB}
	if got := tiny.Allocatable(catalog.Kubelet{RootVolume: 1}); got.Memory != 0 || got.Ephemeral != 0 {
		t.Errorf("less than nothing is left: %+v", got)
	}
}

func TestEverySupportedVersionHasItsDays(t *testing.T) {
	for _, v := range []string{"1.29", "1.30", "1.31", "1.32", "1.33", "1.34", "1.35", "1.36"} {
		standard, extended, ok := catalog.Support(v)
		if !ok || len(standard) != 10 || extended <= standard {
			t.Errorf("%s: %s %s %v", v, standard, extended, ok)
		}
	}
	if _, _, ok := catalog.Support("1.4"); ok {
		t.Error("1.4 is supported")
	}
}
