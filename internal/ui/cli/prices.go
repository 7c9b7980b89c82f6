package cli

import (
	"errors"
	"fmt"
	"io"
	"path"

	"github.com/spf13/cobra"

	"github.com/tranship/tranship/internal/app"
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/plan/catalog"
	"github.com/tranship/tranship/internal/plan/pods"
)

func (s *session) pricesCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "prices",
		Short: "Show, import and fetch the prices that nodes are chosen by",
		Long: `Prices are those of EC2 on demand, Linux, on shared machines. The program carries a
dated list of us-east-1; for other regions and days import the offer file of AWS or
ask AWS for it, and hand the file to plan with --prices. Where there is neither, the
embedded prices are multiplied by a factor of the region, and marked as an estimate.`,
		Example: `  tranship prices list 'm6*.large'
  tranship prices import index.json --region eu-west-1 --out prices.csv
  tranship prices fetch --region eu-west-1 --out prices.csv`,
		Args: cobra.NoArgs,
	}
	list := s.pricesListCommand()
	cmd.RunE = list.RunE // as list without patterns
	cmd.AddCommand(list, s.pricesImportCommand(), s.pricesFetchCommand(), s.pricesSavingsCommand())
	return cmd
}

func (s *session) pricesListCommand() *cobra.Command {
	var file, region string
	cmd := &cobra.Command{
		Use:   "list [PATTERN...]",
		Short: "Show a price list and what a node of each type has for pods",
		Long: `List shows the types whose names fit one of the patterns (* and ? as in file names),
all without a pattern: their size, what EKS leaves of it for pods, their price, and
the share that spot costs less. The last lines say of what day the prices are.`,
		Example: `  tranship prices list
  tranship prices list 'c7g.*' 'm7g.*' --region eu-west-1 -o json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, p := range args {
				if _, err := path.Match(p, ""); err != nil {
					return errUsage{fmt.Errorf("pattern %q: %w; see %s --help", p, err, cmd.CommandPath())}
				}
			}
			c, err := app.Prices(file, region)
			if err != nil {
				return err
			}
			v := newPriceList(&c, args)
			if err := s.show(v); err != nil {
				return err
			}
			if len(v.Types) == 0 {
				return errors.New("no type of the price list fits the patterns")
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&file, "prices", "", "price list (default the embedded one)")
	cmd.Flags().StringVar(&region, "region", "", "region to estimate the prices for, if it is not the list's")
	return cmd
}

func (s *session) pricesImportCommand() *cobra.Command {
	var out, region string
	cmd := &cobra.Command{
		Use:   "import FILE...",
		Short: "Make a price list of AWS's offer files",
		Long: `Import reads the offer file of AmazonEC2, JSON or CSV, of one region or of all:
https://pricing.us-east-1.amazonaws.com/offers/v1.0/aws/AmazonEC2/current/REGION/index.json
It is read as it streams by, however large it is. Sizes and limits, which offer files
do not give, are those that the program knows; other types are left out, and named.`,
		Example: `  tranship prices import index.json --region eu-west-1 --out prices.csv
  tranship plan estate.json --prices prices.csv`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			c, diags, failed := app.ImportPrices(args, region, out, func(file string, read int64) {
				s.progress("%s: %d MB", file, read>>20)
			})
			if err := s.report(diags); err != nil {
				return err
			}
			return s.kept(&c, out, failed)
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "write the price list to this file")
	cmd.Flags().StringVar(&region, "region", "", "region to take, if the file holds several")
	return cmd
}

func (s *session) pricesFetchCommand() *cobra.Command {
	var out, region string
	cmd := &cobra.Command{
		Use:   "fetch --region REGION",
		Short: "Ask AWS for the prices of a region",
		Long: `Fetch asks AWS's price list API, with the credentials that AWS tools use
(AWS_PROFILE and so on) and no permission but pricing:GetProducts.`,
		Example: `  AWS_PROFILE=me tranship prices fetch --region eu-west-1 --out prices.csv`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if region == "" {
				return errUsage{fmt.Errorf("--region is missing; see %s --help", cmd.CommandPath())}
			}
			c, diags, failed := app.FetchPrices(cmd.Context(), region, out, func(n int) { s.progress("%s: %d prices", region, n) })
			if err := s.report(diags); err != nil {
				return err
			}
			return s.kept(&c, out, failed)
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "write the price list to this file")
	cmd.Flags().StringVar(&region, "region", "", "region to ask for")
	return cmd
}

// kept prints the list that was made, or says where it was written.
func (s *session) kept(c *catalog.Catalog, out string, failed error) error {
	if failed != nil && !errors.Is(failed, app.ErrInput) || len(c.Types) == 0 {
		return failed
	}
	v := newPriceList(c, nil)
	if out == "" || s.output != "table" {
		if err := s.show(v); err != nil {
			return err
		}
	}
	if out != "" {
		s.say("wrote %s: %s; next: tranship plan ESTATE --prices %s", out, v.line(), out)
	}
	return failed
}

// priceList is what prices prints.
type priceList struct {
	Region    string       `json:"region"`
	Date      string       `json:"date"`
	Source    string       `json:"source"`
	Currency  string       `json:"currency"`
	Estimated bool         `json:"estimated"`
	Listed    int          `json:"listed"` // types in the list
	Types     []pricedType `json:"types"`
}

type pricedType struct {
	Name        string              `json:"name"`
	VCPU        int                 `json:"vcpu"`
	Memory      unit.Bytes          `json:"memory"`
	Arch        string              `json:"arch"`
	Price       unit.Money          `json:"price"`
	SpotSaving  float64             `json:"spotSaving,omitempty"`
	CoreMark    float64             `json:"coreMark,omitempty"`
	Allocatable catalog.Allocatable `json:"allocatable"`
}

func newPriceList(c *catalog.Catalog, patterns []string) priceList {
	v := priceList{
		Region: c.Region, Date: c.Date, Source: c.Source, Currency: c.Currency, Estimated: c.Estimated, Listed: len(c.Types), Types: []pricedType{},
	}
	for i := range c.Types {
		t := &c.Types[i]
		if !fitsAny(t.Name, patterns) {
			continue
		}
		v.Types = append(v.Types, pricedType{
			Name: t.Name, VCPU: t.VCPU, Memory: t.Memory, Arch: t.Arch, Price: t.Price, SpotSaving: t.SpotSaving, CoreMark: t.CoreMark,
			Allocatable: t.Allocatable(catalog.Kubelet{}),
		})
	}
	return v
}

func fitsAny(name string, patterns []string) bool {
	for _, p := range patterns {
		if ok, err := path.Match(p, name); ok && err == nil {
			return true
		}
	}
	return len(patterns) == 0
}

func (v priceList) line() string {
	return counted(v.Listed, "type") + ", " + pricesLine(pods.Prices{Region: v.Region, Date: v.Date, Source: v.Source, Estimated: v.Estimated})
}

func (v priceList) table(w io.Writer) error {
	rows := [][]string{{"TYPE", "VCPU", "MEMORY", "ARCH", "$/H", "SPOT", "FOR PODS: CPU", "MEMORY", "PODS", "VOLUMES", "GPUS"}}
	for _, t := range v.Types {
		spot := ""
		if t.SpotSaving > 0 {
			spot = fmt.Sprintf("-%.0f %%", t.SpotSaving*100)
		}
		gpus := ""
		if t.Allocatable.GPUs > 0 {
			gpus = fmt.Sprint(t.Allocatable.GPUs)
		}
		rows = append(rows, []string{
			t.Name, fmt.Sprint(t.VCPU), t.Memory.String(), t.Arch, t.Price.Exact()[1:], spot,
			t.Allocatable.CPU.String(), t.Allocatable.Memory.String(), fmt.Sprint(t.Allocatable.Pods), fmt.Sprint(t.Allocatable.Volumes), gpus,
		})
	}
	if err := columns(w, rows...); err != nil {
		return err
	}
	shown := ""
	if len(v.Types) != v.Listed {
		shown = fmt.Sprintf("%d of ", len(v.Types))
	}
	_, err := fmt.Fprintf(w, "\n%s%s\n", shown, v.line())
	return err
}

func (s *session) pricesSavingsCommand() *cobra.Command {
	var file, region string
	var types []string
	cmd := &cobra.Command{
		Use:   "savings FILE",
		Short: "Say what savings plans take off, by AWS's list of their rates",
		Long: `Savings reads the offer file of AWSComputeSavingsPlan, JSON or CSV, of one region, and
sets its rates against a price list: what each plan takes off at least, in the median
and at most. Write the one that you would buy into tranship.yaml:

  spec: {buying: {commit: {discount: 0.27, share: 0.8}}}`,
		Example: `  tranship prices savings savings.json --prices prices.csv --types 'm7g.*'`,
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			c, err := app.Prices(file, region)
			if err != nil {
				return err
			}
			plans, diags, failed := app.Savings(args[0])
			if err := s.report(diags); err != nil {
				return err
			}
			if len(plans) == 0 {
				return failed
			}
			if err := s.show(newSavingsView(plans, &c, types)); err != nil {
				return err
			}
			return failed
		},
	}
	cmd.Flags().StringVar(&file, "prices", "", "price list (default the embedded one)")
	cmd.Flags().StringVar(&region, "region", "", "region to estimate the prices for, if it is not the list's")
	cmd.Flags().StringSliceVar(&types, "types", nil, "patterns of types to look at (default all)")
	return cmd
}

// savingsView is what prices savings prints.
type savingsView struct {
	Plans  []savingsLine `json:"plans"`
	Prices pods.Prices   `json:"prices"`
}

type savingsLine struct {
	Plan    string  `json:"plan"`
	Years   string  `json:"years"`
	Payment string  `json:"payment"`
	Types   int     `json:"types"` // with a price and a rate
	Least   float64 `json:"least"`
	Median  float64 `json:"median"`
	Most    float64 `json:"most"`
}

func newSavingsView(plans []catalog.SavingsPlan, c *catalog.Catalog, types []string) savingsView {
	v := savingsView{Plans: []savingsLine{}, Prices: pods.Prices{Region: c.Region, Date: c.Date, Source: c.Source, Estimated: c.Estimated}}
	for i := range plans {
		p := plans[i]
		for name := range p.Rates {
			if !fitsAny(name, types) {
				delete(p.Rates, name)
			}
		}
		d := p.Discounts(c)
		l := savingsLine{Plan: p.Plan, Years: p.Years, Payment: p.Payment, Types: len(d)}
		if len(d) > 0 {
			l.Least, l.Median, l.Most = d[0], d[len(d)/2], d[len(d)-1]
		}
		v.Plans = append(v.Plans, l)
	}
	return v
}

func (v savingsView) table(w io.Writer) error {
	rows := [][]string{{"PLAN", "YEARS", "PAYMENT", "TYPES", "OFF: LEAST", "MEDIAN", "MOST"}}
	off := func(f float64) string { return fmt.Sprintf("%.1f %%", f*100) }
	for _, p := range v.Plans {
		rows = append(rows, []string{p.Plan, p.Years, p.Payment, fmt.Sprint(p.Types), off(p.Least), off(p.Median), off(p.Most)})
	}
	if err := columns(w, rows...); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\nagainst %s\n", pricesLine(v.Prices))
	return err
}
