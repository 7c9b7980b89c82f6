package probe

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/rollout"
)

// A Prober is runner.Prober over the network and by commands of the user's.
type Prober struct{ asker }

// NewProber makes a prober. It asks nothing yet.
func NewProber(opts Options) (*Prober, error) {
	a, err := newAsker(opts)
	return &Prober{a}, err
}

// place is what a check's texts are filled with.
type place struct{ Address string }

// Check implements runner.Prober. A port that nobody listens at is a no to TCP,
// which asks just that, and no answer to HTTP; a command that ends with a status
// other than 0 is a no.
func (p *Prober) Check(ctx context.Context, c policy.MoveCheck, address string) (rollout.Answer, error) {
	ctx, cancel := p.within(ctx)
	defer cancel()
	var a rollout.Answer
	var err error
	switch {
	case c.HTTP != "":
		a, err = p.checkHTTP(ctx, c, address)
	case c.TCP != "":
		a, err = p.checkTCP(ctx, c, address)
	case len(c.Exec) > 0:
		a, err = p.checkExec(ctx, c, address)
	default:
		err = refused("check", errors.New("it has neither http nor tcp nor exec"))
	}
	if err != nil {
		return rollout.Answer{}, fmt.Errorf("check %s at %s: %w", c.Name, address, err)
	}
	return a, nil
}

func no(format string, args ...any) rollout.Answer {
	return rollout.Answer{Why: fmt.Sprintf(format, args...)}
}

func (p *Prober) checkHTTP(ctx context.Context, c policy.MoveCheck, address string) (rollout.Answer, error) {
	target, err := fill(c.HTTP, place{address})
	if err != nil {
		return rollout.Answer{}, err
	}
	body, err := regexp.Compile(c.Body)
	if err != nil {
		return rollout.Answer{}, refused("body", err)
	}
	r, err := p.ask(ctx, question{method: http.MethodGet, url: target}, c.Body != "")
	if err != nil {
		return rollout.Answer{}, err
	}
	want := c.Status
	if want == 0 {
		want = http.StatusOK
	}
	switch {
	case r.status != want:
		return no("answered %d, want %d", r.status, want), nil
	case !body.Match(r.body):
		return no("the answer does not match %s", c.Body), nil
	}
	return rollout.Answer{OK: true}, nil
}

func (p *Prober) checkTCP(ctx context.Context, c policy.MoveCheck, address string) (rollout.Answer, error) {
	target, err := fill(c.TCP, place{address})
	if err != nil {
		return rollout.Answer{}, err
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", target)
	switch {
	case err == nil:
		return rollout.Answer{OK: true}, conn.Close()
	case errors.Is(err, syscall.ECONNREFUSED):
		return no("nobody listens at %s", target), nil
	}
	return rollout.Answer{}, ended(ctx, err)
}

const maxWords = 200

func (p *Prober) checkExec(ctx context.Context, c policy.MoveCheck, address string) (rollout.Answer, error) {
	args := make([]string, len(c.Exec))
	for i, text := range c.Exec {
		var err error
		if args[i], err = fill(text, place{address}); err != nil {
			return rollout.Answer{}, err
		}
	}
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.WaitDelay = time.Second // a child of it may hold its output open
	err := cmd.Run()
	if context.Cause(ctx) != nil {
		return rollout.Answer{}, context.Cause(ctx)
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		words := []rune(strings.Join(strings.Fields(said.String()), " "))
		return no("%s: %s", exit, string(words[max(0, len(words)-maxWords):])), nil
	}
	if err != nil {
		return rollout.Answer{}, refused(args[0], err)
	}
	return rollout.Answer{OK: true}, nil
}

// Identity implements runner.Prober. Any answer below 500 tells who gave it.
func (p *Prober) Identity(ctx context.Context, id policy.MoveIdentity, address string) (rollout.Answer, error) {
	ctx, cancel := p.within(ctx)
	defer cancel()
	target := address
	if !strings.Contains(target, "://") {
		target = "http://" + target
	}
	target += "/" + strings.TrimPrefix(id.Path, "/")
	r, err := p.ask(ctx, question{method: http.MethodGet, url: target}, false)
	if err != nil {
		return rollout.Answer{}, fmt.Errorf("ask who is at %s: %w", address, err)
	}
	a := rollout.Answer{World: r.header.Get(id.Header), OK: r.status < 500}
	if id.VersionHeader != "" {
		a.Version = r.header.Get(id.VersionHeader)
	}
	if !a.OK {
		a.Why = fmt.Sprintf("answered %d", r.status)
	}
	return a, nil
}

// Query implements runner.Prober by an instant query. An expression with several
// values has none: which one counts would be a guess.
func (p *Prober) Query(ctx context.Context, prometheus, query string) (float64, bool, error) {
	ctx, cancel := p.within(ctx)
	defer cancel()
	v, ok, err := p.query(ctx, prometheus, query)
	if err != nil {
		return 0, false, fmt.Errorf("query %s: %w", query, err)
	}
	return v, ok, nil
}

func (p *Prober) query(ctx context.Context, prometheus, query string) (float64, bool, error) {
	target := strings.TrimRight(prometheus, "/") + "/api/v1/query?" + url.Values{"query": {query}}.Encode()
	r, err := p.ask(ctx, question{method: http.MethodGet, url: target}, true)
	if err != nil {
		return 0, false, err
	}
	var answer struct {
		Status string `json:"status"`
		Error  string `json:"error"`
		Data   struct {
			Kind   string          `json:"resultType"`
			Result json.RawMessage `json:"result"`
		} `json:"data"`
	}
	err = json.Unmarshal(r.body, &answer)
	switch {
	case err == nil && answer.Status == "error" && r.status < 500:
		return 0, false, refused("Prometheus", errors.New(answer.Error))
	case r.status != http.StatusOK:
		return 0, false, fmt.Errorf("answered %d %s", r.status, answer.Error)
	case err != nil:
		return 0, false, fmt.Errorf("read the answer: %w", err)
	}
	switch answer.Data.Kind {
	case "scalar":
		return value(answer.Data.Result)
	case "vector":
		var series []struct {
			Value json.RawMessage `json:"value"`
		}
		if err := json.Unmarshal(answer.Data.Result, &series); err != nil {
			return 0, false, fmt.Errorf("read the answer: %w", err)
		}
		switch len(series) {
		case 0:
			return 0, false, nil
		case 1:
			return value(series[0].Value)
		}
		return 0, false, refused("expression", fmt.Errorf("it has %d values: make it one, as with sum or min", len(series)))
	}
	return 0, false, refused("expression", fmt.Errorf("it gives a %s, want one value", answer.Data.Kind))
}

// value reads a sample: [time, "value"].
func value(raw json.RawMessage) (float64, bool, error) {
	var at float64
	var text string
	if err := json.Unmarshal(raw, &[]any{&at, &text}); err != nil {
		return 0, false, fmt.Errorf("read the answer: %w", err)
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, false, fmt.Errorf("read the answer: %w", err)
	}
	return v, true, nil
}
