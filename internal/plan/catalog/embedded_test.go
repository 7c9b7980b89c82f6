package catalog_test

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"flag"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tranship/tranship/internal/base/corpus"
	"github.com/tranship/tranship/internal/plan/catalog"
)

var (
	update    = flag.Bool("update", false, "rewrite the embedded list from the reference")
	reference = flag.String("reference", "", "folder with ec2-us-east-1.csv and coremark.csv")
	volumes   = flag.String("volumes", "", "table of volume limits; without it those of the embedded list stay")
)

const embeddedFile = "data/us-east-1.csv.gz"

const embeddedSource = "AWS list prices of EC2 on demand for Linux, from aws/karpenter-provider-aws v1.15.1"

// embeddedNotes say whose facts these are. Facts were taken, neither text nor code.
var embeddedNotes = []string{
	"prices: aws/karpenter-provider-aws v1.15.1, generated 2026-07-20 (Apache-2.0)",
	"sizes: its reference of instance types of 2026-07-11; seven old types kubernetes/autoscaler of 2026-01-22 (Apache-2.0)",
	"interfaces, addresses: awslabs/amazon-eks-ami of 2026-07-01 (MIT-0)",
	"volumes: kubernetes-sigs/aws-ebs-csi-driver of 2026-08-19 (Apache-2.0)",
	"spot shares and bands: AWS Spot Advisor of 2025-06-28, in alexei-led/spotinfo (Apache-2.0)",
	"CoreMark of one vCPU: vantage-sh/ec2instances.info, 2026-01 to 2026-07 (MIT)",
}

func referenceFile(t *testing.T, name string) []byte {
	t.Helper()
	if *reference == "" {
		return corpus.Beside(t, "catalog/"+name)
	}
	b, err := os.ReadFile(filepath.Join(*reference, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func records(t *testing.T, b []byte) []map[string]string {
	t.Helper()
	rows, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out []map[string]string
	for _, row := range rows[1:] {
		m := map[string]string{}
		for i, name := range rows[0] {
			m[name] = row[i]
		}
		out = append(out, m)
	}
	return out
}

// TestTheEmbeddedListIsThatOfTheReference makes the list from its sources and
// compares it with the embedded one; with -update it writes it.
func TestTheEmbeddedListIsThatOfTheReference(t *testing.T) {
	want, err := catalog.ReadCSV(bytes.NewReader(referenceFile(t, "ec2-us-east-1.csv")))
	if err != nil {
		t.Fatal(err)
	}
	want.Region, want.Date, want.Source = "us-east-1", "2026-07-20", embeddedSource
	for _, r := range records(t, referenceFile(t, "coremark.csv")) {
		if x := want.Find(r["type"]); x != nil {
			marks, _ := strconv.ParseFloat(r["coremarkIterPerSec"], 64)
			threads, _ := strconv.ParseFloat(r["threads"], 64)
			if threads > 0 {
				x.CoreMark = float64(int(marks/threads + 0.5))
			}
		}
	}
	attachments(t, &want)
	if *update {
		write(t, &want)
		return
	}
	got, err := catalog.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("the embedded list is stale; run go generate ./internal/plan/catalog:\n%.4000s", d)
	}
}

// attachments sets the volume limits: from the table of the EBS CSI driver,
// else those that stand in the embedded list.
func attachments(t *testing.T, c *catalog.Catalog) {
	t.Helper()
	if *volumes == "" {
		have, err := catalog.Embedded()
		if err != nil {
			t.Fatal(err)
		}
		for i := range c.Types {
			if x := have.Find(c.Types[i].Name); x != nil {
				c.Types[i].EBSVolumes, c.Types[i].EBSDedicated = x.EBSVolumes, x.EBSDedicated
			}
		}
		return
	}
	b, err := os.ReadFile(*volumes)
	if err != nil {
		t.Fatal(err)
	}
	// The API calls these shared although they are not (says the driver).
	wrong := map[string]bool{}
	for _, name := range []string{
		"i8ge.metal-24xl", "i8ge.metal-48xl", "r8gb.metal-24xl", "i7i.metal-24xl", "i7i.metal-48xl", "c8gn.metal-24xl", "r8gn.metal-24xl",
		"i7ie.metal-24xl", "i7ie.metal-48xl", "m8a.metal-48xl", "r8a.metal-48xl", "c8a.metal-48xl", "c8gb.metal-24xl", "x8i.metal-48xl", "x8i.metal-96xl",
	} {
		wrong[name] = true
	}
	for _, m := range regexp.MustCompile(`"([^"]+)":\s*\{(\d+), "(shared|dedicated)"\}`).FindAllSubmatch(b, -1) {
		if x := c.Find(string(m[1])); x != nil {
			x.EBSVolumes, _ = strconv.Atoi(string(m[2]))
			x.EBSDedicated = string(m[3]) == "dedicated" || wrong[x.Name]
		}
	}
}

func write(t *testing.T, c *catalog.Catalog) {
	t.Helper()
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	for _, note := range embeddedNotes {
		fmt.Fprintln(z, "#", note)
	}
	if err := c.Write(z); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(embeddedFile, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d types, %d bytes", len(c.Types), b.Len())
}

// TestAllocatableIsThatOfKarpentersTable compares CPU, memory and pods of every
// type with the table that Karpenter publishes.
func TestAllocatableIsThatOfKarpentersTable(t *testing.T) {
	b := referenceFile(t, "ec2-us-east-1.csv")
	list, err := catalog.ReadCSV(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	have, err := catalog.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, r := range records(t, b) {
		name := r["type"]
		want := r["karpAllocCpu"] + " " + r["karpAllocMem"] + " " + r["karpPods"]
		if r["karpPods"] == "" { // seven old types are not in its table
			want = r["allocCpuMilli"] + "m " + r["allocMemMiB"] + "Mi " + r["maxPods"]
		} else {
			n++
		}
		for _, c := range []*catalog.Catalog{&list, &have} {
			a := c.Find(name).Allocatable(catalog.Kubelet{})
			if got := fmt.Sprintf("%dm %dMi %d", a.CPU, a.Memory>>20, a.Pods); got != want {
				t.Errorf("%s has %s, want %s", name, got, want)
			}
		}
	}
	if n != 1345 {
		t.Errorf("%d types compared, want 1345", n)
	}
}

// TestAllocatableStays holds the results for the embedded list where there is
// no table to compare with: the sum is of the run in which the test above passed.
func TestAllocatableStays(t *testing.T) {
	c, err := catalog.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	h := fnv.New64a()
	for i := range c.Types {
		a := c.Types[i].Allocatable(catalog.Kubelet{})
		fmt.Fprintf(h, "%s %d %d %d\n", c.Types[i].Name, a.CPU, a.Memory, a.Pods)
	}
	const types, sum = 1352, "eeab96151215964d"
	if got := fmt.Sprintf("%x", h.Sum64()); len(c.Types) != types || got != sum {
		t.Errorf("%d types with sum %s, want %d with %s", len(c.Types), got, types, sum)
	}
}
