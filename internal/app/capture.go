package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/tranship/tranship/internal/base/credential"
	"github.com/tranship/tranship/internal/capture"
)

// ErrPartial is returned when some answers are missing from a snapshot; the
// others are there, and a second run asks only for what is missing.
var ErrPartial = errors.New("the snapshot is not complete")

// CaptureRequest is what a user asks capture for. Credentials are named by the
// variable or file that holds them, never given.
type CaptureRequest struct {
	Sources   []capture.Source
	Out       string
	CAFile    string
	TokenEnv  string
	TokenFile string
	BasicEnv  string // holds user:password
	Rate      float64
	Fresh     bool
}

// Capture takes a snapshot.
func Capture(ctx context.Context, r CaptureRequest, progress capture.Progress) (capture.Report, error) {
	credential, err := credentialOf(r)
	if err != nil {
		return capture.Report{}, err
	}
	for i := range r.Sources {
		r.Sources[i].Credential = credential
	}
	opts := capture.Options{Rate: r.Rate, Fresh: r.Fresh, Progress: progress, Proxy: http.ProxyFromEnvironment}
	if r.CAFile != "" {
		if opts.CA, err = os.ReadFile(r.CAFile); err != nil {
			return capture.Report{}, fmt.Errorf("read certificate authorities: %w", err)
		}
	}
	disk, err := capture.OpenDisk(r.Out)
	if err != nil {
		return capture.Report{}, err
	}
	defer disk.Close()
	c, err := capture.New(r.Sources, disk, time.Now, opts)
	if err != nil {
		return capture.Report{}, err
	}
	report, err := c.Run(ctx)
	if err == nil && !report.Complete() {
		err = ErrPartial
	}
	return report, err
}

func credentialOf(r CaptureRequest) (credential.Credential, error) {
	given := 0
	for _, s := range []string{r.TokenEnv, r.TokenFile, r.BasicEnv} {
		if s != "" {
			given++
		}
	}
	switch {
	case given > 1:
		return credential.Credential{}, errors.New("name one credential: --token-env, --token-file or --basic-env")
	case r.TokenFile != "":
		data, err := os.ReadFile(r.TokenFile)
		if err != nil {
			return credential.Credential{}, fmt.Errorf("read token: %w", err)
		}
		return credential.Token(strings.TrimSpace(string(data)))
	case r.TokenEnv != "":
		v, ok := os.LookupEnv(r.TokenEnv)
		if !ok {
			return credential.Credential{}, fmt.Errorf("environment variable %s is not set", r.TokenEnv)
		}
		return credential.Token(v)
	case r.BasicEnv != "":
		v, ok := os.LookupEnv(r.BasicEnv)
		if !ok {
			return credential.Credential{}, fmt.Errorf("environment variable %s is not set", r.BasicEnv)
		}
		return credential.Basic(v)
	}
	return credential.Credential{}, nil
}
