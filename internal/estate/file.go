package estate

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"

	"github.com/tranship/tranship/internal/base/jsonfile"
)

// Write writes the estate's file: one workload, dependency, endpoint and
// ledger entry a line.
func (e *Estate) Write(w io.Writer) error {
	shell := *e
	s := e.Streams("")
	shell.Workloads, shell.Dependencies, shell.Endpoints = nil, nil, nil
	if len(e.Ledger) > 0 {
		shell.Ledger = e.Ledger[:1]
	}
	buf := bufio.NewWriterSize(w, 1<<16)
	if err := jsonfile.Write(buf, shell, s); err != nil {
		return err
	}
	return buf.Flush()
}

// Streams gives the estate's large arrays for package jsonfile, under prefix.
func (e *Estate) Streams(prefix string) jsonfile.Streams {
	s := jsonfile.Streams{
		prefix + "/workloads":    jsonfile.Elements(e.Workloads),
		prefix + "/dependencies": jsonfile.Elements(e.Dependencies),
		prefix + "/endpoints":    jsonfile.Elements(e.Endpoints),
	}
	if len(e.Ledger) > 0 {
		s[prefix+"/ledger"] = jsonfile.Elements(e.Ledger)
	}
	return s
}

// Read reads an estate's file and checks its version.
func Read(r io.Reader) (Estate, error) {
	var e Estate
	dec := json.NewDecoder(bufio.NewReaderSize(r, 1<<16))
	dec.DisallowUnknownFields()
	if err := e.Decode(dec); err != nil {
		return Estate{}, fmt.Errorf("not an estate file: %w", err)
	}
	if e.Version != Version {
		return Estate{}, fmt.Errorf("estate has version %d, this program reads %d", e.Version, Version)
	}
	return e, nil
}

// Decode reads the estate that dec stands before, element by element.
func (e *Estate) Decode(dec *json.Decoder) error {
	return jsonfile.Object(dec, func(key string) error {
		switch key {
		case "version":
			return dec.Decode(&e.Version)
		case "snapshotSha256":
			return dec.Decode(&e.SnapshotSHA256)
		case "workloads":
			return jsonfile.Slice(dec, &e.Workloads)
		case "hosts":
			return jsonfile.Slice(dec, &e.Hosts)
		case "endpoints":
			return jsonfile.Slice(dec, &e.Endpoints)
		case "dependencies":
			return jsonfile.Slice(dec, &e.Dependencies)
		case "quotas":
			return jsonfile.Slice(dec, &e.Quotas)
		case "networks":
			return jsonfile.Slice(dec, &e.Networks)
		case "ledger":
			return jsonfile.Slice(dec, &e.Ledger)
		}
		return fmt.Errorf("is no field of an estate")
	})
}
