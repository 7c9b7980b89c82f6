// Package reading is what devices send: its JSON, read and checked. In: a request's body. Out: readings. It never changes
// what a device said.
package reading

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"
)

// Reading is one value of one device. Device and Seq together name it for ever: sent twice, it is the same reading.
type Reading struct {
	Device string    `json:"device"`
	Seq    int64     `json:"seq"`
	At     time.Time `json:"at"`
	Value  float64   `json:"value"`
}

// Most is how many readings one request may carry.
const Most = 5000

// Parse reads one reading or an array of them.
func Parse(body []byte) ([]Reading, error) {
	var batch []Reading
	if text := bytes.TrimLeft(body, " \t\r\n"); len(text) > 0 && text[0] == '[' {
		if err := json.Unmarshal(body, &batch); err != nil {
			return nil, fmt.Errorf("read batch: %w", err)
		}
	} else {
		batch = make([]Reading, 1)
		if err := json.Unmarshal(body, &batch[0]); err != nil {
			return nil, fmt.Errorf("read reading: %w", err)
		}
	}
	if len(batch) == 0 || len(batch) > Most {
		return nil, fmt.Errorf("a batch has 1 to %d readings, this one %d", Most, len(batch))
	}
	for i, r := range batch {
		if err := r.check(); err != nil {
			return nil, fmt.Errorf("reading %d: %w", i+1, err)
		}
	}
	return batch, nil
}

func (r Reading) check() error {
	switch {
	case r.Device == "" || len(r.Device) > 128:
		return errors.New("device: has 1 to 128 bytes")
	case r.Seq < 1:
		return errors.New("seq: begins at 1")
	case r.At.IsZero():
		return errors.New("at: is missing")
	case math.IsNaN(r.Value) || math.IsInf(r.Value, 0):
		return errors.New("value: is no number")
	}
	return nil
}
