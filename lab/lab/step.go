package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A board tells what is done and how long it took, one line a step, whichever of several ends first.
type board struct {
	mu    sync.Mutex
	out   io.Writer
	start time.Time
}

func newBoard(out io.Writer, start time.Time) *board { return &board{out: out, start: start} }

// step does one thing and prints its line.
func (b *board) step(ctx context.Context, name string, do func(context.Context) error) error {
	start := time.Now()
	if err := do(ctx); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	b.line("%-26s %6.1f s", name, time.Since(start).Seconds())
	return nil
}

func (b *board) line(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	fmt.Fprintf(b.out, format+"\n", args...)
}

// Write lets programs' output pass between the lines.
func (b *board) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.out.Write(p)
}

// lock lets one command at a time change a lab. Who waits is told whom for.
func (l Layout) lock(ctx context.Context, log io.Writer) (unlock func(), err error) {
	if err := os.MkdirAll(filepath.Dir(l.Dir), 0o755); err != nil {
		return nil, fmt.Errorf("lock the lab: %w", err)
	}
	f, err := os.OpenFile(l.Dir+".lock", os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("lock the lab: %w", err)
	}
	for told := false; ; {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			break
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			f.Close()
			return nil, fmt.Errorf("lock the lab: %w", err)
		}
		if !told {
			who, _ := os.ReadFile(f.Name())
			fmt.Fprintf(log, "waiting for another command on this lab (process %s)\n", strings.TrimSpace(string(who)))
			told = true
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, context.Cause(ctx)
		case <-time.After(200 * time.Millisecond):
		}
	}
	if err := f.Truncate(0); err == nil {
		_, err = f.WriteAt(fmt.Appendf(nil, "%d\n", os.Getpid()), 0)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("lock the lab: %w", err)
	}
	return func() { f.Close() }, nil
}

// claim makes this folder the owner of the prefix's namespaces: two labs of one prefix would share them.
func (l Layout) claim() error {
	file := l.claimFile()
	if text, err := os.ReadFile(file); err == nil {
		other := strings.TrimSpace(string(text))
		if other != l.Dir && len(Layout{Dir: other}.table().Marked()) > 0 {
			return fmt.Errorf("another lab is up, in %s: take it down with `lab down --dir %s`, or give this one another --prefix", other, other)
		}
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return fmt.Errorf("claim namespaces: %w", err)
	}
	if err := os.WriteFile(file, []byte(l.Dir+"\n"), 0o644); err != nil {
		return fmt.Errorf("claim namespaces: %w", err)
	}
	return nil
}

func (l Layout) claimFile() string { return filepath.Join("/run/tranship-lab", l.Prefix) }
