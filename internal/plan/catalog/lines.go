package catalog

import (
	"bytes"
	"io"
	"maps"
	"slices"
	"sort"
)

// lines passes bytes on and remembers where lines begin, as far back as it was
// not told to forget.
type lines struct {
	r      io.Reader
	read   int64
	begins []int64 // offsets of the bytes after a line's end
	before int     // lines that were forgotten
	begin  int64   // of the last line that was forgotten
}

func (l *lines) Read(b []byte) (int, error) {
	n, err := l.r.Read(b)
	for from := 0; ; {
		i := bytes.IndexByte(b[from:n], '\n')
		if i < 0 {
			break
		}
		from += i + 1
		l.begins = append(l.begins, l.read+int64(from))
	}
	l.read += int64(n)
	return n, err
}

// forget lets go of the lines before an offset that will not be asked for.
func (l *lines) forget(offset int64) {
	n := sort.Search(len(l.begins), func(i int) bool { return l.begins[i] > offset })
	if n > 0 {
		l.before += n
		l.begin = l.begins[n-1]
		l.begins = slices.Delete(l.begins, 0, n)
	}
}

// place gives the line and column of an offset, both from 1.
func (l *lines) place(offset int64) (line, column int) {
	n := sort.Search(len(l.begins), func(i int) bool { return l.begins[i] > offset })
	begin := l.begin
	if n > 0 {
		begin = l.begins[n-1]
	}
	return l.before + n + 1, int(max(offset-begin, 0)) + 1
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
