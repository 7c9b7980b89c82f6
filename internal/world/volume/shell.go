package volume

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"syscall"
	"time"
)

// Shell runs commands.
type Shell interface {
	// Run runs a command to its end and gives what it wrote to its standard error.
	// A command that ended badly is an *Exit. Once ctx has ended nothing of the
	// command runs any more.
	Run(ctx context.Context, argv []string, in io.Reader, out io.Writer) (stderr string, err error)
}

// Exit is how a command ended that did not end well.
type Exit struct {
	Code int // -1 if a signal ended it
	How  string
}

func (e *Exit) Error() string { return e.How }

// Local runs commands on this machine, each in a process group of its own.
type Local struct{}

// keptStderr is how much is kept of what a command says.
const keptStderr = 1 << 20

// Run implements Shell.
func (Local) Run(ctx context.Context, argv []string, in io.Reader, out io.Writer) (string, error) {
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	said := &bounded{left: keptStderr}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, out, said
	err := cmd.Run()
	if ctx.Err() != nil {
		return said.String(), context.Cause(ctx)
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return said.String(), &Exit{Code: exit.ExitCode(), How: exit.String()}
	}
	if err != nil {
		return said.String(), fmt.Errorf("run %s: %w", argv[0], err)
	}
	return said.String(), nil
}

// bounded keeps the beginning of what is written to it.
type bounded struct {
	bytes.Buffer
	left int
}

// Write implements io.Writer.
func (b *bounded) Write(p []byte) (int, error) {
	n := min(len(p), b.left)
	b.left -= n
	b.Buffer.Write(p[:n])
	return len(p), nil
}
