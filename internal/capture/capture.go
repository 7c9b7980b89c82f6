package capture

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tranship/tranship/internal/base/snapshot"
)

const (
	firstWait   = 500 * time.Millisecond
	longestWait = 30 * time.Second
)

// Options change how sources are asked. The zero value asks carefully.
type Options struct {
	// Fresh forgets what the folder has and asks everything again.
	Fresh bool
	// Rate is how many questions a second one source gets at most; 0 is 5.
	Rate float64
	// Tries is how often one question is put at most; 0 is 5.
	Tries int
	// Idle is how long a source may be silent within an answer; 0 is a minute.
	Idle time.Duration
	// MaxWait is the longest rest that a source may ask for; 0 is two minutes.
	MaxWait time.Duration
	// MaxBytes is the largest answer, unpacked; 0 is 2 GiB.
	MaxBytes int64
	// CA holds the authorities to trust, in PEM; those of the system if empty.
	CA []byte
	// Proxy names the proxy for a request; nil asks directly. The environment's
	// is http.ProxyFromEnvironment.
	Proxy func(*http.Request) (*url.URL, error)
	// Dial makes connections, such as through a bastion; nil dials directly.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// UserAgent names the asker in the sources' logs; empty is "tranship".
	UserAgent string
	// Progress is told of events; nil tells nobody.
	Progress Progress
}

func (o Options) withDefaults() Options {
	if o.Rate <= 0 {
		o.Rate = 5
	}
	if o.Tries <= 0 {
		o.Tries = 5
	}
	if o.Idle <= 0 {
		o.Idle = time.Minute
	}
	if o.MaxWait <= 0 {
		o.MaxWait = 2 * time.Minute
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = 2 << 30
	}
	if o.UserAgent == "" {
		o.UserAgent = "tranship"
	}
	return o
}

// A Capture is ready to take a snapshot.
type Capture struct {
	sources   []address
	folder    Folder
	now       func() time.Time
	opts      Options
	transport *http.Transport
	tellMu    sync.Mutex
}

// New checks what it is given and starts nothing. now gives the time that the
// snapshot is dated with.
func New(sources []Source, folder Folder, now func() time.Time, opts Options) (*Capture, error) {
	addresses, err := checkSources(sources)
	if err != nil {
		return nil, err
	}
	opts = opts.withDefaults()
	transport, err := newTransport(opts)
	if err != nil {
		return nil, err
	}
	return &Capture{sources: addresses, folder: folder, now: now, opts: opts, transport: transport}, nil
}

// Run asks all sources, side by side, and blocks until all that it started has
// ended. It returns an error only where the run itself could not go on: the
// folder cannot be written, or ctx ended. What a source did not answer is in
// the Report, which holds in either case what was settled until then.
func (c *Capture) Run(ctx context.Context) (Report, error) {
	defer c.transport.CloseIdleConnections()
	rec, err := openRecord(c.folder, c.now, c.opts.Fresh)
	if err != nil {
		return Report{}, err
	}
	runs := make([]*run, len(c.sources))
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(len(c.sources))
	for i, source := range c.sources {
		asker := newAsker(source, c.transport, c.folder, c.opts)
		asker.now = c.now
		r := &run{asker: asker, record: rec, tell: c.tell}
		asker.tell = r.event
		runs[i] = r
		group.Go(func() error { return r.all(gctx) })
	}
	err = group.Wait()
	report := Report{Snapshot: rec.snapshot()}
	for _, r := range runs {
		report.Outcomes = append(report.Outcomes, r.outcomes...)
	}
	if cause := context.Cause(ctx); cause != nil {
		return report, fmt.Errorf("capture was interrupted: %w", cause)
	}
	return report, err
}

func (c *Capture) tell(e Event) {
	if c.opts.Progress == nil {
		return
	}
	c.tellMu.Lock()
	defer c.tellMu.Unlock()
	c.opts.Progress.Progress(e)
}

// A run is one source's part.
type run struct {
	asker    *asker
	record   *record
	tell     func(Event)
	outcomes []Outcome
	total    int
	stopped  string // why the source is asked nothing more
}

func (r *run) event(e Event) {
	e.Source, e.Done, e.Total = r.asker.source.Name, len(r.outcomes), max(r.total, len(r.outcomes))
	r.tell(e)
}

// all asks the source's questions and, where a router leads to them, its agents.
func (r *run) all(ctx context.Context) error {
	qs := questions(r.asker.source.Kind)
	r.total = len(qs)
	for _, q := range qs {
		if _, err := r.ask(ctx, q); err != nil {
			return err
		}
	}
	if !r.asker.source.behindRouter() {
		return nil
	}
	ids := r.agents()
	r.total += len(ids)
	for _, id := range ids {
		state, err := r.ask(ctx, agentFlags(id))
		if err != nil {
			return err
		}
		if state == Absent {
			return nil // this router hands nothing through; the others would say the same
		}
	}
	return nil
}

// agents reads who there is from what was captured; nobody, if nothing was.
func (r *run) agents() []string {
	f, err := r.asker.folder.FS().Open(r.path(question{file: "GET_AGENTS.json"}))
	if err != nil {
		return nil
	}
	ids, err := agentIDs(f)
	if err := errors.Join(err, f.Close()); err != nil {
		return nil
	}
	return ids
}

func (r *run) path(q question) string { return r.asker.source.Name + "/" + q.file }

// ask settles one question, by what is there, by asking, or by what may be
// asked instead. Its error ends the run.
func (r *run) ask(ctx context.Context, q question) (State, error) {
	if cause := context.Cause(ctx); cause != nil {
		return Failed, cause
	}
	path := r.path(q)
	var others, urls []string
	for _, p := range q.paths {
		urls = append(urls, r.asker.source.at(q.root, p).String())
	}
	for _, other := range q.instead {
		others = append(others, r.path(other))
	}
	if a, ok := r.record.kept(path, urls); ok {
		r.settle(a, Kept, nil)
		return Kept, r.record.giveUp(others)
	}
	if r.stopped != "" {
		f := &fault{problem: "was not asked: the source " + r.stopped}
		a := snapshot.Answer{Source: r.asker.source.Name, URL: urls[0], Path: path, Error: f.text()}
		r.settle(a, Failed, f)
		return Failed, r.record.put(a)
	}
	a, f := r.fetch(ctx, q, path)
	switch {
	case f == nil:
		if err := r.record.put(a); err != nil {
			return Failed, err
		}
		r.settle(a, Taken, nil)
		return Taken, r.record.giveUp(others)
	case f.local != nil:
		return Failed, f.local
	case f.stop:
		r.stopped = f.problem
	}
	if q.extra && f.unknown {
		f.hint = "this version of the source does not have it"
		a.Error = f.text()
	}
	if err := r.record.put(a); err != nil {
		return Failed, err
	}
	state, err := r.askInstead(ctx, q, f)
	r.settle(a, state, f)
	return state, err
}

// fetch tries the question's paths in turn.
func (r *run) fetch(ctx context.Context, q question, path string) (a snapshot.Answer, f *fault) {
	r.event(Event{Path: path, State: Asking})
	for _, p := range q.paths {
		a, f = r.asker.fetch(ctx, q, r.asker.source.at(q.root, p), path)
		if f == nil || !f.unknown {
			break
		}
	}
	return a, f
}

// askInstead asks what makes up for a question that failed with f, and says
// what the question's state is by that.
func (r *run) askInstead(ctx context.Context, q question, f *fault) (State, error) {
	state := Failed
	if q.extra && f.unknown {
		state = Absent
	}
	if len(q.instead) == 0 || !f.instead {
		return state, nil
	}
	r.total += len(q.instead)
	state = Replaced
	for _, other := range q.instead {
		had, err := r.ask(ctx, other)
		if err != nil {
			return Failed, err
		}
		if had == Failed {
			state = Failed
		}
	}
	return state, nil
}

// settle notes an outcome and tells of it.
func (r *run) settle(a snapshot.Answer, state State, f *fault) {
	o := Outcome{Source: a.Source, URL: a.URL, Path: a.Path, State: state, Status: a.Status, Bytes: a.Bytes}
	if f != nil {
		o.Problem, o.Hint = f.problem, f.hint
	}
	r.outcomes = append(r.outcomes, o)
	r.event(Event{Path: a.Path, State: state, Bytes: a.Bytes, Problem: o.Problem})
}
