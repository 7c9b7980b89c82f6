// Package aws asks Amazon Web Services. It takes what a user asks for and gives
// values of ours, with no type of the SDK in them. It never changes anything in
// an account: all that it calls only reads.
package aws

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/pricing"
	"github.com/aws/aws-sdk-go-v2/service/pricing/types"
	"github.com/aws/smithy-go"

	"github.com/tranship/tranship/internal/plan/catalog"
)

// Options say how AWS is reached. The zero value takes credentials, profile and
// endpoints from where every AWS tool takes them.
type Options struct {
	// Endpoint of the price list API, if not AWS's own.
	Endpoint string
	// Attempts at one call, 8 by default; MaxWait between two, 20 seconds by default.
	Attempts int
	MaxWait  time.Duration
}

// Prices asks the price list API.
type Prices struct{ client *pricing.Client }

// The price list API answers in a few regions only, for all others.
const answering = "us-east-1"

// NewPrices reads the AWS configuration of the user. It asks nothing yet.
func NewPrices(ctx context.Context, o Options) (*Prices, error) {
	if o.Attempts == 0 {
		o.Attempts = 8
	}
	if o.MaxWait == 0 {
		o.MaxWait = 20 * time.Second
	}
	cfg, err := config.LoadDefaultConfig(ctx, config.WithRegion(answering), config.WithRetryer(func() aws.Retryer {
		return retry.NewStandard(func(r *retry.StandardOptions) {
			r.MaxAttempts, r.MaxBackoff = o.Attempts, o.MaxWait
			r.Backoff = retry.NewExponentialJitterBackoff(o.MaxWait)
		})
	}))
	if err != nil {
		return nil, fmt.Errorf("read AWS configuration: %w", err)
	}
	return &Prices{client: pricing.NewFromConfig(cfg, func(p *pricing.Options) {
		if o.Endpoint != "" {
			p.BaseEndpoint = aws.String(o.Endpoint)
		}
	})}, nil
}

// maxPages bounds how much is asked for: a region has about a thousand types on
// ten pages.
const maxPages = 1000

// Offers asks for the on-demand prices of Linux machines of a region, page by
// page; progress, if given, hears how many there are so far.
func (p *Prices) Offers(ctx context.Context, region string, progress func(n int)) (*catalog.Offers, error) {
	offers := catalog.NewOffers(region, "price list API")
	in := &pricing.GetProductsInput{ServiceCode: aws.String("AmazonEC2"), FormatVersion: aws.String("aws_v1")}
	for _, f := range [][2]string{
		{"regionCode", region},
		{"operatingSystem", "Linux"},
		{"tenancy", "Shared"},
		{"preInstalledSw", "NA"},
		{"capacitystatus", "Used"},
		{"marketoption", "OnDemand"},
	} {
		in.Filters = append(in.Filters, types.Filter{Type: types.FilterTypeTermMatch, Field: aws.String(f[0]), Value: aws.String(f[1])})
	}
	pages := pricing.NewGetProductsPaginator(p.client, in, func(o *pricing.GetProductsPaginatorOptions) { o.StopOnDuplicateToken = true })
	n := 0
	for page := 1; pages.HasMorePages(); page++ {
		if page > maxPages {
			return nil, fmt.Errorf("ask for prices of %s: more than %d pages", region, maxPages)
		}
		out, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("ask for prices of %s: %w", region, plainly(err))
		}
		for _, element := range out.PriceList {
			if err := offers.Product([]byte(element)); err != nil {
				return nil, fmt.Errorf("read prices of %s, page %d: %w", region, page, err)
			}
		}
		if n += len(out.PriceList); progress != nil {
			progress(n)
		}
	}
	return offers, nil
}

// plainly says in short what AWS answered.
func plainly(err error) error {
	var api smithy.APIError
	if errors.As(err, &api) {
		return fmt.Errorf("AWS answers %s: %s (pricing:GetProducts is what is needed)", api.ErrorCode(), api.ErrorMessage())
	}
	return err
}
