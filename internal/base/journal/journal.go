// Package journal keeps a record of decisions and acts that nobody can change
// unseen: one JSON object a line, appended, synced to disk before Append
// returns, each holding the hash of the one before. It takes records and gives
// them back, verified. It never rewrites a line that was acknowledged.
package journal

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// Version of the format. Every version is read for ever.
const Version = 1

// The errors that Open and Read promise.
var (
	// ErrDamaged: a line is not what was written, or one is missing.
	ErrDamaged = errors.New("the journal is damaged")
	// ErrBusy: another process appends to it.
	ErrBusy = errors.New("another process writes this journal")
)

// A Record is one line.
type Record struct {
	Version int             `json:"v"`
	Number  int64           `json:"n"` // from 1, without gaps
	At      time.Time       `json:"at"`
	Kind    string          `json:"kind"`
	Subject string          `json:"subject,omitempty"`
	Body    json.RawMessage `json:"body,omitempty"`
	// Prev is the Hash of the record before, empty in the first. Hash is the
	// SHA-256, in hex, of the line's JSON with an empty Hash.
	Prev string `json:"prev,omitempty"`
	Hash string `json:"hash"`
}

// sum gives the record's hash. The fields stand in a fixed order and Body is
// kept byte by byte, so the JSON is the same whoever makes it.
func (r Record) sum() (string, error) {
	r.Hash = ""
	data, err := json.Marshal(r)
	if err != nil {
		return "", err
	}
	h := sha256.Sum256(data)
	return hex.EncodeToString(h[:]), nil
}

// A Journal is open for appending. It is safe for concurrent use.
type Journal struct {
	mu     sync.Mutex
	file   *os.File
	number int64
	head   string
	bad    error // the disk failed once: nothing more is promised
}

// Open opens or makes the journal at path, verifies all of it and gives its
// records. A last line that a crash cut short was never acknowledged: it is
// taken away. ErrBusy, ErrDamaged.
func Open(path string) (*Journal, []Record, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("open journal: %w", err)
	}
	j := &Journal{file: f}
	records, err := j.load(path)
	if err != nil {
		_ = f.Close()
		return nil, nil, err
	}
	return j, records, nil
}

// Busy reports whether another process appends to the journal at path. It changes
// nothing; no journal is not busy.
func Busy(path string) (bool, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("open journal: %w", err)
	}
	defer f.Close()
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return true, nil
	}
	return false, err
}

// lock waits a moment: whoever asks Busy holds the lock for an instant.
func (j *Journal) lock(path string) error {
	for tries := 25; ; tries-- {
		err := syscall.Flock(int(j.file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, syscall.EWOULDBLOCK):
			return fmt.Errorf("lock journal %s: %w", path, err)
		case tries == 0:
			return fmt.Errorf("open journal %s: %w", path, ErrBusy)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (j *Journal) load(path string) ([]Record, error) {
	if err := j.lock(path); err != nil {
		return nil, err
	}
	records, good, err := read(j.file)
	if err != nil {
		return nil, fmt.Errorf("read journal %s: %w", path, err)
	}
	if err := j.file.Truncate(good); err != nil {
		return nil, fmt.Errorf("open journal %s: %w", path, err)
	}
	if _, err := j.file.Seek(good, io.SeekStart); err != nil {
		return nil, fmt.Errorf("open journal %s: %w", path, err)
	}
	// The name has to outlive a crash as well as the lines.
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("open journal's folder: %w", err)
	}
	defer dir.Close()
	if err := errors.Join(j.file.Sync(), dir.Sync()); err != nil {
		return nil, fmt.Errorf("sync journal %s: %w", path, err)
	}
	if n := len(records); n > 0 {
		j.number, j.head = records[n-1].Number, records[n-1].Hash
	}
	return records, nil
}

// Append writes a record and returns once it is on disk. After an error the
// journal takes nothing more: what is on disk is not known.
func (j *Journal) Append(at time.Time, kind, subject string, body any) (Record, error) {
	raw, err := marshal(body)
	if err != nil {
		return Record{}, fmt.Errorf("write %s of %s to the journal: %w", kind, subject, err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.bad != nil {
		return Record{}, j.bad
	}
	r := Record{Version: Version, Number: j.number + 1, At: at.UTC().Round(0), Kind: kind, Subject: subject, Body: raw, Prev: j.head}
	if r.Hash, err = r.sum(); err != nil {
		return Record{}, fmt.Errorf("write %s of %s to the journal: %w", kind, subject, err)
	}
	line, err := json.Marshal(r)
	if err != nil {
		return Record{}, fmt.Errorf("write %s of %s to the journal: %w", kind, subject, err)
	}
	_, err = j.file.Write(append(line, '\n'))
	if err == nil {
		err = j.file.Sync()
	}
	if err != nil {
		j.bad = fmt.Errorf("write the journal: %w", err)
		return Record{}, j.bad
	}
	j.number, j.head = r.Number, r.Hash
	return r, nil
}

// Head gives the last record's hash: whoever keeps it can tell later that
// nothing before it was changed.
func (j *Journal) Head() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.head
}

// Close gives the file back. Nothing is left to be written.
func (j *Journal) Close() error { return j.file.Close() }

// Read reads and verifies a journal that somebody else may be appending to; a
// last line without its end is not there yet. ErrDamaged.
func Read(r io.Reader) ([]Record, error) {
	records, _, err := read(r)
	return records, err
}

// read gives the records and the length of the lines that hold them.
func read(r io.Reader) (records []Record, good int64, err error) {
	in := bufio.NewReaderSize(r, 1<<16)
	prev := ""
	for n := int64(1); ; n++ {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return records, good, nil
		}
		if err != nil {
			return nil, 0, err
		}
		rec, err := parse(line, n, prev)
		if err != nil {
			return nil, 0, fmt.Errorf("%w: line %d: %w", ErrDamaged, n, err)
		}
		records, prev = append(records, rec), rec.Hash
		good += int64(len(line))
	}
}

func parse(line []byte, number int64, prev string) (Record, error) {
	var rec Record
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&rec); err != nil {
		return rec, fmt.Errorf("is no record: %w", err)
	}
	if rec.Version != Version {
		return rec, fmt.Errorf("has version %d, this program reads %d", rec.Version, Version)
	}
	// The line itself is compared too: JSON has many spellings of one value.
	again, err := json.Marshal(rec)
	if err != nil {
		return rec, err
	}
	sum, err := rec.sum()
	switch {
	case err != nil:
		return rec, err
	case rec.Number != number:
		return rec, fmt.Errorf("has number %d, so lines are missing", rec.Number)
	case rec.Prev != prev:
		return rec, errors.New("does not follow the line before it")
	case sum != rec.Hash || !bytes.Equal(again, bytes.TrimSuffix(line, []byte("\n"))):
		return rec, errors.New("was changed")
	}
	return rec, nil
}

// marshal gives compact JSON, as it will be after a round trip.
func marshal(body any) (json.RawMessage, error) {
	if body == nil {
		return nil, nil
	}
	return json.Marshal(body)
}
