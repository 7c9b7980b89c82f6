// Package acked keeps which readings were acknowledged, in a file that outlives the driver. In: each device's last one.
// Out: lines "device from to" as it goes. It never says that one was acknowledged which was not.
package acked

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// File is open for more lines.
type File struct {
	file *os.File
	last map[string]int64
}

// Open reads what a former driver left and goes on after it.
func Open(path string) (*File, error) {
	last, whole, err := read(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open acknowledged readings: %w", err)
	}
	// A line that was cut off goes: what follows would stand behind it.
	if err := f.Truncate(whole); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("cut %s: %w", path, err)
	}
	if _, err := f.Seek(0, io.SeekEnd); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("go to the end of %s: %w", path, err)
	}
	return &File{file: f, last: last}, nil
}

// Last is the last acknowledged reading of a device, 0 if there is none.
func (f *File) Last(device string) int64 { return f.last[device] }

// Write notes how far devices have come; those that stand where they stood cost nothing.
func (f *File) Write(progress func(yield func(device string, last int64) bool)) error {
	var lines strings.Builder
	progress(func(device string, last int64) bool {
		if from := f.last[device]; last > from {
			fmt.Fprintf(&lines, "%s %d %d\n", device, from+1, last)
			f.last[device] = last
		}
		return true
	})
	if lines.Len() == 0 {
		return nil
	}
	if _, err := f.file.WriteString(lines.String()); err != nil {
		return fmt.Errorf("note acknowledged readings: %w", err)
	}
	return nil
}

// Close has everything on disk.
func (f *File) Close() error {
	return errors.Join(f.file.Sync(), f.file.Close())
}

// Read gives the last acknowledged reading of each device: it and all before it were acknowledged.
func Read(path string) (map[string]int64, error) {
	last, _, err := read(path)
	return last, err
}

func read(path string) (last map[string]int64, whole int64, err error) {
	last = map[string]int64{}
	f, err := os.Open(path)
	if err != nil {
		return last, 0, fmt.Errorf("open acknowledged readings: %w", err)
	}
	defer f.Close()
	in := bufio.NewReader(f)
	for n := 1; ; n++ {
		line, err := in.ReadString('\n')
		if errors.Is(err, io.EOF) {
			// What has no end of line was being written when the driver ended.
			return last, whole, nil
		}
		if err != nil {
			return last, whole, fmt.Errorf("read %s: %w", path, err)
		}
		var device string
		var from, to int64
		if _, err := fmt.Sscanf(line, "%s %d %d", &device, &from, &to); err != nil || from != last[device]+1 || to < from {
			return last, whole, fmt.Errorf("%s:%d: %q does not go on from %d", path, n, strings.TrimSpace(line), last[device])
		}
		last[device] = to
		whole += int64(len(line))
	}
}
