// Package keep writes and reads the old world's state files.
//
// Input: a value and a path. Output: a JSON file that is there as a whole or not at all. It never leaves half a file
// under the name that is read.
package keep

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Save replaces the file by the value.
func Save(path string, value any) error {
	text, err := json.MarshalIndent(value, "", " ")
	if err != nil {
		return fmt.Errorf("keep %s: %w", filepath.Base(path), err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("keep %s: %w", filepath.Base(path), err)
	}
	// A name of its own for each writer: two that save at once must not write into one file.
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return fmt.Errorf("keep %s: %w", filepath.Base(path), err)
	}
	_, err = f.Write(append(text, '\n'))
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // nobody reads it under this name
		return fmt.Errorf("keep %s: %w", filepath.Base(path), err)
	}
	return nil
}

// Load reads what Save wrote, and tells whether there was anything.
func Load(path string, into any) (bool, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read state: %w", err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		return false, fmt.Errorf("read state %s: %w", path, err)
	}
	return true, nil
}
