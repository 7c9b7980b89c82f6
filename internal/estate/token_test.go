package estate

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestTokenIsWhatCanBeAHostWithItsPort(t *testing.T) {
	for text, want := range map[string][]Token{
		"db.mesos:80":           {{Host: "db.mesos", Port: 80, Start: 0, End: 11}},
		"http://u:p@db.mesos/x": {{Host: "http", End: 4}, {Host: "u", Start: 7, End: 8}, {Host: "p", Start: 9, End: 10}, {Host: "db.mesos", Start: 11, End: 19}, {Host: "x", Start: 20, End: 21}},
		"a.mesos:1,b.mesos:2":   {{Host: "a.mesos", Port: 1, Start: 0, End: 9}, {Host: "b.mesos", Port: 2, Start: 10, End: 19}},
		"db.mesos.":             {{Host: "db.mesos", Start: 0, End: 8}},
		"db.mesos.:80":          {{Host: "db.mesos", Port: 80, Start: 0, End: 12}},
		"db.mesos:${P}":         {{Host: "db.mesos", Start: 0, End: 8}, {Host: "P", Start: 11, End: 12}},
		"${E}.mesos":            {{Host: "E", Start: 2, End: 3}, {Host: "mesos", Start: 5, End: 10, Glued: true}},
		"$E.mesos":              {{Host: "E.mesos", Start: 1, End: 8, Glued: true}},
		"db.mesos-$X":           {{Host: "db.mesos", Start: 0, End: 9, Glued: true}, {Host: "X", Start: 10, End: 11, Glued: true}},
		"db:99999":              {{Host: "db", Start: 0, End: 2}, {Host: "99999", Start: 3, End: 8}},
		"--host=db":             {{Host: "host", Start: 2, End: 6}, {Host: "db", Start: 7, End: 9}},
		"...":                   nil,
		"":                      nil,
	} {
		var got []Token
		for tok := range Tokens(text) {
			got = append(got, tok)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Tokens(%q) (-want +got):\n%s", text, diff)
		}
	}
}

func TestOnlyWholeTokensAreSubstituted(t *testing.T) {
	names := map[string]string{"db.mesos:80": "new:81", "db.mesos": "new"}
	for text, want := range map[string]string{
		"http://db.mesos:80/,db.mesos": "http://new:81/,new",
		"my-db.mesos:80 db.mesos:801":  "my-db.mesos:80 db.mesos:801",
		"db.mesos.example":             "db.mesos.example",
		"${X}.db.mesos":                "${X}.db.mesos",
	} {
		if got := Substitute(text, names); got != want {
			t.Errorf("Substitute(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestSubstitutingNothingChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		same := map[string]string{}
		for tok := range Tokens(text) {
			if tok.Start >= tok.End || !strings.HasPrefix(text[tok.Start:tok.End], tok.Host) {
				t.Fatalf("token %+v of %q is not where it says", tok, text)
			}
			same[text[tok.Start:tok.End]] = text[tok.Start:tok.End]
		}
		if got := Substitute(text, same); got != text {
			t.Fatalf("Substitute(%q) = %q", text, got)
		}
	})
}
