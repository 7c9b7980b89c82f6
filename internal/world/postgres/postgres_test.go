package postgres

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/rollout/runner"
)

func TestNamesAreOfOneDatabaseAndFitAServer(t *testing.T) {
	slot := regexp.MustCompile(`^[a-z0-9_]{1,63}$`)
	seen := map[string]string{}
	for _, name := range []string{"telemetry", "Telemetry", "tele-metry", "tele_metry", "", "données", strings.Repeat("long", 40), strings.Repeat("long", 41)} {
		n := namesOf(policy.MoveDatabase{Name: name})
		for _, s := range []string{n.schema, n.publication, n.toTarget, n.toSource} {
			if !slot.MatchString(s) {
				t.Errorf("%q: a server takes no slot named %q", name, s)
			}
		}
		for _, s := range []string{n.toTarget, n.toSource, fmt.Sprint(n.mutex), fmt.Sprint(n.gate)} {
			if of, taken := seen[s]; taken {
				t.Errorf("%q and %q share %s", of, name, s)
			}
			seen[s] = name
		}
	}
}

func TestErrorsSayNoPasswordAndKeepTheirCause(t *testing.T) {
	d := New(map[string]string{
		"URL":  "postgres://mover:p%40ss%2Fw@db.example:5432/telemetry",
		"WORD": "host=db.example user=mover password='s p a c e' dbname=telemetry",
	}, Options{})
	cause := &pgconn.PgError{Code: "28P01", Message: `connection "postgres://mover:p%40ss%2Fw@db.example" with p@ss/w or s p a c e`}
	err := d.told("replicate", policy.MoveDatabase{Name: "telemetry"}, cause)
	for _, secret := range []string{"p@ss/w", "p%40ss", "s p a c e"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("%q says %q", err, secret)
		}
	}
	if !errors.Is(err, runner.ErrRefused) || !errors.Is(err, cause) {
		t.Errorf("%v lost its cause, or is no refusal", err)
	}
	if d.told("replicate", policy.MoveDatabase{}, nil) != nil {
		t.Error("no error became one")
	}
}

func TestUnansweredIsNotRefused(t *testing.T) {
	for code, refused := range map[string]bool{"42501": true, "28P01": true, "3D000": true, "57P01": false, "53300": false, "55P03": false} {
		err := New(nil, Options{}).told("replicate", policy.MoveDatabase{}, &pgconn.PgError{Code: code})
		if errors.Is(err, runner.ErrRefused) != refused {
			t.Errorf("SQLSTATE %s is refused: %t, want %t", code, !refused, refused)
		}
	}
}

func TestLiteralsCannotEnd(t *testing.T) {
	for in, want := range map[string]string{"": "''", "a": "'a'", "it's": "'it''s'", `\'; DROP`: `E'\\''; DROP'`} {
		if got := literal(in); got != want {
			t.Errorf("literal(%s) = %s, want %s", in, got, want)
		}
	}
}

func TestSpansAreSaidAndAskedAsRanges(t *testing.T) {
	x := table{name: "public.readings", key: []string{"device", "at"}, types: []string{"text", "date"}}
	for _, c := range []struct {
		span  span
		say   string
		where string
		args  []any
	}{
		{span{}, "readings", "true", nil},
		{span{to: []string{"b", "2"}}, "readings ..b,2", "(device, at) <= ($1::text::text, $2::text::date)", []any{"b", "2"}},
		{span{from: []string{"a", "1"}}, "readings a,1..", "(device, at) > ($1::text::text, $2::text::date)", []any{"a", "1"}},
		{
			span{[]string{"a", "1"}, []string{"b", "2"}},
			"readings a,1..b,2",
			"(device, at) > ($1::text::text, $2::text::date) AND (device, at) <= ($3::text::text, $4::text::date)",
			[]any{"a", "1", "b", "2"},
		},
	} {
		if got := x.say(c.span); got != c.say {
			t.Errorf("say(%v) = %s, want %s", c.span, got, c.say)
		}
		where, args := x.within(c.span)
		if where != c.where || !cmp.Equal(args, c.args) {
			t.Errorf("within(%v) = %s %v, want %s %v", c.span, where, args, c.where, c.args)
		}
	}
}

func TestScriptsOfPgDumpRunWithoutPsql(t *testing.T) {
	script := "\\restrict abc\nCREATE SCHEMA public;\nCREATE SCHEMA \"a b\";\nCREATE TABLE t (x text DEFAULT '\\restrict');\n\\unrestrict abc\n"
	want := "\nCREATE SCHEMA IF NOT EXISTS public;\nCREATE SCHEMA IF NOT EXISTS \"a b\";\nCREATE TABLE t (x text DEFAULT '\\restrict');\n\n"
	if got := forServer(script); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
