package volume

import (
	"archive/tar"
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// manifest is what a volume holds, by path.
type manifest map[string]file

// file is all that has to be the same of one. Times are not: reading changes them.
type file struct {
	kind     byte // a type flag of tar
	size     int64
	hash     string // SHA-256, of regular files
	mode     int64
	link     string // where a symbolic link leads, or a device's numbers
	uid, gid int    // -1 if not known
}

// clean is a path as manifests have it.
func clean(name string) string {
	return strings.TrimPrefix(path.Clean("/"+name), "/")
}

// readTar reads a stream of tar to the end of the archive.
func readTar(r io.Reader) (manifest, error) {
	m := manifest{}
	t := tar.NewReader(r)
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read tar: %w", err)
		}
		name := clean(h.Name)
		f := file{kind: h.Typeflag, mode: h.Mode & 0o7777, uid: h.Uid, gid: h.Gid}
		switch h.Typeflag {
		case tar.TypeReg, tar.TypeGNUSparse:
			f.kind = tar.TypeReg
			sum := sha256.New()
			if f.size, err = io.Copy(sum, t); err != nil {
				return nil, fmt.Errorf("read tar: %s: %w", name, err)
			}
			f.hash = hex.EncodeToString(sum.Sum(nil))
		case tar.TypeLink:
			// Which of its names comes first may differ: each is the file.
			first, ok := m[clean(h.Linkname)]
			if !ok {
				return nil, fmt.Errorf("read tar: %s is a link to %s, which does not come before it", name, h.Linkname)
			}
			f = first
		case tar.TypeSymlink:
			f.link, f.mode = h.Linkname, 0
		case tar.TypeChar, tar.TypeBlock:
			f.link = fmt.Sprintf("%d:%d", h.Devmajor, h.Devminor)
		case tar.TypeDir, tar.TypeFifo:
		default:
			continue // headers about headers
		}
		if name != "" {
			m[name] = f
		}
	}
	// A file system's own folder is no part of what is kept.
	if f, ok := m["lost+found"]; ok && f.kind == tar.TypeDir {
		delete(m, "lost+found")
	}
	return m, nil
}

// readSums reads lines "SHA256  SIZE  MODE  PATH". A folder has "-" for its sum
// and a mode such as d755, a symbolic link l777 and "PATH -> WHERE". As with
// sha256sum a line that begins with a backslash has \n and \\ in its path.
func readSums(r io.Reader) (manifest, error) {
	m := manifest{}
	s := bufio.NewScanner(r)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		if s.Text() == "" {
			continue
		}
		name, f, err := readSum(s.Text())
		if err != nil {
			return nil, err
		}
		m[name] = f
	}
	return m, s.Err()
}

func readSum(line string) (string, file, error) {
	bad := fmt.Errorf("%q is no line \"SHA256  SIZE  MODE  PATH\"", line)
	rest, escaped := strings.CutPrefix(line, `\`)
	var fields [3]string
	for i := range fields {
		var ok bool
		if fields[i], rest, ok = strings.Cut(rest, " "); !ok {
			return "", file{}, bad
		}
		rest = strings.TrimPrefix(rest, " ")
	}
	f := file{kind: tar.TypeReg, uid: -1, gid: -1}
	switch mode := fields[2]; {
	case strings.HasPrefix(mode, "d"):
		f.kind, fields[2] = tar.TypeDir, mode[1:]
	case strings.HasPrefix(mode, "l"):
		f.kind, fields[2] = tar.TypeSymlink, mode[1:]
	}
	mode, err := strconv.ParseInt(fields[2], 8, 32)
	if err != nil || rest == "" {
		return "", file{}, bad
	}
	f.mode = mode & 0o7777
	switch f.kind {
	case tar.TypeReg:
		f.hash = strings.ToLower(fields[0])
		if f.size, err = strconv.ParseInt(fields[1], 10, 64); err != nil || len(f.hash) != 2*sha256.Size {
			return "", file{}, bad
		}
	case tar.TypeSymlink:
		f.mode = 0
		if rest, f.link, _ = strings.Cut(rest, " -> "); f.link == "" {
			return "", file{}, bad
		}
	}
	if escaped {
		rest = strings.NewReplacer(`\\`, `\`, `\n`, "\n").Replace(rest)
	}
	name := clean(rest)
	if !fs.ValidPath(name) || name == "." {
		return "", file{}, bad
	}
	return name, f, nil
}

// onlyFiles reports whether a manifest was made by a command that lists files alone.
func (m manifest) onlyFiles() bool {
	for _, f := range m {
		if f.kind != tar.TypeReg || f.uid >= 0 {
			return false
		}
	}
	return len(m) > 0
}

func (m manifest) files() manifest {
	out := manifest{}
	for name, f := range m {
		if f.kind == tar.TypeReg {
			out[name] = f
		}
	}
	return out
}

// differ names what is not the same, and counts what b lacks and has too many.
func differ(a, b manifest) (names []string, missing, extra int64) {
	if a.onlyFiles() || b.onlyFiles() {
		a, b = a.files(), b.files()
	}
	for name, f := range a {
		g, ok := b[name]
		if !ok {
			missing++
		}
		if !ok || !f.same(g) {
			names = append(names, name)
		}
	}
	for name := range b {
		if _, ok := a[name]; !ok {
			extra++
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, missing, extra
}

func (f file) same(g file) bool {
	if f.uid < 0 || g.uid < 0 {
		f.uid, f.gid, g.uid, g.gid = 0, 0, 0, 0
	}
	return f == g
}
