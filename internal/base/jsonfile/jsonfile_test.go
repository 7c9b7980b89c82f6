package jsonfile_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/tranship/tranship/internal/base/jsonfile"
)

type file struct {
	Zulu  string         `json:"zulu"`
	Alpha map[string]any `json:"alpha"`
	Items []int          `json:"items"`
}

// TestCanonicalFormDoesNotDependOnHowItIsWritten: streamed or not, the bytes
// are those of RFC 8785 for the same value.
func TestCanonicalFormDoesNotDependOnHowItIsWritten(t *testing.T) {
	v := file{Zulu: "a<b>\u2028\\u2028 é", Alpha: map[string]any{"b": 1.5, "a": nil}, Items: []int{3, 1}}
	const want = "{\"alpha\":{\"a\":null,\"b\":1.5},\"items\":[3,1],\"zulu\":\"a<b>\u2028\\\\u2028 é\"}"
	var whole, streamed, broken bytes.Buffer
	if err := jsonfile.Canonical(&whole, v, nil); err != nil {
		t.Fatal(err)
	}
	s := jsonfile.Streams{"/items": jsonfile.Elements(v.Items)}
	v.Items = nil
	if err := jsonfile.Canonical(&streamed, v, s); err != nil {
		t.Fatal(err)
	}
	if whole.String() != want || streamed.String() != want {
		t.Errorf("whole    %s\nstreamed %s\nwant     %s", &whole, &streamed, want)
	}
	if err := jsonfile.Write(&broken, v, s); err != nil {
		t.Fatal(err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, broken.Bytes()); err != nil || compact.String() != want {
		t.Errorf("written with line breaks it is %s, %v", &compact, err)
	}
}

func TestSliceReadsElementByElement(t *testing.T) {
	dec := json.NewDecoder(bytes.NewReader([]byte(`{"items":[1,2],"zulu":null}`)))
	var items, none []int
	err := jsonfile.Object(dec, func(key string) error {
		if key == "items" {
			return jsonfile.Slice(dec, &items)
		}
		return jsonfile.Slice(dec, &none)
	})
	if err != nil || len(items) != 2 || none != nil {
		t.Errorf("items %v, none %v, %v", items, none, err)
	}
}
