package capture

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	// reportEvery is how many bytes lie between two events of one answer.
	reportEvery = 1 << 20
	// What a JSON body may ask of memory while it is checked. The largest value
	// known of is a Mesos label of some kilobytes.
	maxJSONDepth = 1000
	maxJSONValue = 16 << 20
)

// received is a body that lies whole on disk.
type received struct {
	sha256 string
	bytes  int64
}

// receive streams a response into the folder: hashed, checked for being whole
// JSON, and in place under its name only if it is. idle is put off by every
// byte that comes.
func (a *asker) receive(ctx context.Context, resp *http.Response, path string, idle *time.Timer) (received, *fault) {
	file, err := a.folder.Create(path)
	if err != nil {
		return received{}, &fault{local: err}
	}
	hash := sha256.New()
	in := &meter{r: resp.Body, max: a.opts.MaxBytes, idle: idle, every: a.opts.Idle, tell: func(n int64) {
		a.tell(Event{Path: path, State: Receiving, Bytes: n})
	}}
	pr, pw := io.Pipe()
	var check errgroup.Group
	check.Go(func() error {
		err := wholeJSON(pr)
		if err == nil {
			err = errPastEnd
		}
		_ = pr.CloseWithError(err) // a PipeReader never fails to close
		return err
	})
	out := &localWriter{w: file}
	_, copyErr := io.Copy(io.MultiWriter(out, hash, pw), in)
	_ = pw.CloseWithError(copyErr) // nor does a PipeWriter
	jsonErr := check.Wait()
	f := a.bodyOutcome(ctx, copyErr, jsonErr, out.err, in)
	if f != nil {
		if err := file.Discard(); err != nil && f.local == nil {
			f.local = err
		}
		return received{}, f
	}
	if err := file.Commit(); err != nil {
		return received{}, &fault{local: err}
	}
	return received{sha256: hex.EncodeToString(hash.Sum(nil)), bytes: in.n}, nil
}

// errPastEnd closes the checker's end of the pipe once it has seen all.
var errPastEnd = errors.New("checked")

// bodyOutcome weighs what the three readers of one body saw. The disk comes
// first: nothing else is true of a body that could not be written.
func (a *asker) bodyOutcome(ctx context.Context, copyErr, jsonErr, diskErr error, in *meter) *fault {
	var broken *notJSONError
	switch {
	case diskErr != nil:
		return &fault{local: diskErr}
	case errors.As(jsonErr, &broken):
		broken.hint = "check that the URL is that of the interface itself"
		if looksLikePage(in.head.Bytes()) {
			broken.hint = "looks like a login page: give a token"
		}
		return a.bodyFault(ctx, broken)
	case copyErr != nil && !errors.Is(copyErr, errPastEnd):
		return a.bodyFault(ctx, copyErr)
	case !errors.Is(jsonErr, errPastEnd):
		return a.bodyFault(ctx, jsonErr)
	}
	return nil
}

func looksLikePage(head []byte) bool {
	return strings.HasPrefix(strings.TrimLeft(string(head), " \t\r\n\ufeff"), "<")
}

// A localWriter tells errors of this side's disk from those of the wire.
type localWriter struct {
	w   io.Writer
	err error
}

func (l *localWriter) Write(p []byte) (int, error) {
	n, err := l.w.Write(p)
	if err != nil {
		l.err = err
	}
	return n, err
}

// A meter counts what comes, holds it to the cap and reports it.
type meter struct {
	r     io.Reader
	n     int64
	told  int64
	max   int64
	idle  *time.Timer
	every time.Duration
	tell  func(int64)
	head  bytes.Buffer // the first bytes, to tell a page by
}

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	if n > 0 {
		m.idle.Reset(m.every)
		if room := 512 - m.head.Len(); room > 0 {
			m.head.Write(p[:min(n, room)])
		}
	}
	m.n += int64(n)
	if m.n > m.max {
		return 0, errLarge
	}
	if m.n-m.told >= reportEvery {
		m.told = m.n
		m.tell(m.n)
	}
	return n, err
}

// A notJSONError is the first thing in a body that JSON cannot have.
type notJSONError struct {
	what string
	hint string
}

func (e *notJSONError) Error() string { return e.what }

// wholeJSON reads one JSON object or list to its end. It returns errCut for one
// that ends too early, a notJSONError for what is none, and in memory keeps no
// more than the value it stands at.
func wholeJSON(r io.Reader) error {
	in := &bounded{r: r}
	in.dec = json.NewDecoder(in)
	in.dec.UseNumber()
	depth, values := 0, 0
	for {
		token, err := in.dec.Token()
		switch {
		case errors.Is(err, io.EOF) && depth == 0 && values == 1:
			return nil
		case errors.Is(err, io.EOF) && depth == 0:
			return &notJSONError{what: "it is empty"}
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return errCut
		case err != nil:
			return jsonError(err, in.dec.InputOffset())
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		default:
			if depth == 0 {
				return &notJSONError{what: "it is neither an object nor a list"}
			}
		}
		if depth > maxJSONDepth {
			return &notJSONError{what: fmt.Sprintf("it is more than %d levels deep", maxJSONDepth)}
		}
		if depth == 0 {
			if values++; values > 1 {
				return &notJSONError{what: "more follows after its end"}
			}
		}
	}
}

// jsonError keeps what the wire reported, and calls the rest not JSON.
func jsonError(err error, offset int64) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return &notJSONError{what: fmt.Sprintf("%s, after byte %d", syntax.Error(), offset)}
	}
	if errors.Is(err, errValue) {
		return &notJSONError{what: fmt.Sprintf("a single value at byte %d is larger than %d bytes", offset, maxJSONValue)}
	}
	return err
}

var errValue = errors.New("value too large")

// bounded stops a decoder that would have to keep too much at once.
type bounded struct {
	r     io.Reader
	dec   *json.Decoder
	given int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.given-b.dec.InputOffset() > maxJSONValue {
		return 0, errValue
	}
	n, err := b.r.Read(p)
	b.given += int64(n)
	return n, err
}
