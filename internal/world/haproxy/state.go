package haproxy

import (
	"context"
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tranship/tranship/internal/rollout/runner"
)

// A state is what the running HAProxy says of a backend.
type state struct {
	pid     int
	dropped int64 // log lines that found no room in a ring
	tcp     bool
	servers []server
	// unmade counts requests without a connection, of whichever server or of none.
	unmade int64
}

// A server as it runs.
type server struct {
	name, address  string
	ours, backup   bool
	up             bool
	maintenance    bool
	judged         bool // a check has ended, or there are none
	weight         int  // that was set
	initial        int  // that its configuration gave
	sessions       int
	assigned, ends int64 // requests that it was given, and that ended
	errors         int64
	unmade         int64 // of errors: no connection
}

func (s *state) find(name string) *server {
	for i := range s.servers {
		if s.servers[i].name == name {
			return &s.servers[i]
		}
	}
	return nil
}

// sides gives the source's servers and ours.
func (s *state) sides() (source, target []server) {
	for _, v := range s.servers {
		switch {
		case v.ours:
			target = append(target, v)
		case !v.backup:
			source = append(source, v)
		}
	}
	return source, target
}

// ours reports whether any server is.
func (s *state) ours() bool {
	return slices.ContainsFunc(s.servers, func(v server) bool { return v.ours })
}

// look asks for the state of a backend. A frontend may have the same name, and
// "show stat" would take that one: so the backend's number is asked for first.
func (s socket) look(ctx context.Context, backend string) (*state, error) {
	first, err := s.ask(ctx, "show servers state "+backend)
	if err != nil {
		return nil, err
	}
	_, states, found := strings.Cut(first, "# be_id ")
	_, rows, _ := strings.Cut(states, "\n")
	number, _, _ := strings.Cut(rows, " ")
	switch {
	case strings.Contains(first, "Permission denied"):
		return nil, fmt.Errorf("haproxy's socket is not of level admin: %w", runner.ErrRefused)
	case strings.Contains(first, "Can't find backend"):
		return nil, fmt.Errorf("haproxy has no backend %s: %w", backend, runner.ErrAbsent)
	case !found || !digits(number):
		return nil, fmt.Errorf("haproxy tells no server of backend %s: %.80q", backend, first)
	}
	answer, err := s.ask(ctx, "show info", "show stat "+number+" 6 -1")
	if err != nil {
		return nil, err
	}
	st := &state{}
	for line := range strings.Lines(answer) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch key {
		case "Pid":
			st.pid, _ = strconv.Atoi(value)
		case "DroppedLogs":
			st.dropped, _ = strconv.ParseInt(value, 10, 64)
		}
	}
	_, stats, found := strings.Cut(answer, "# pxname,")
	if st.pid == 0 || !found {
		return nil, fmt.Errorf("haproxy does not tell its state: %.80q", answer)
	}
	if err := st.stats(backend, "pxname,"+stats); err != nil {
		return nil, fmt.Errorf("read haproxy's statistics: %w", err)
	}
	st.initials("be_id " + states)
	return st, nil
}

// stats reads what "show stat" answers, as CSV with a row for each server and one for all.
func (s *state) stats(backend, text string) error {
	text, _, _ = strings.Cut(text, "\n\n")
	r := csv.NewReader(strings.NewReader(text))
	r.FieldsPerRecord = -1
	rows, err := r.ReadAll()
	if err != nil {
		return err
	}
	whole := false
	for _, row := range rows[1:] {
		f := fields{rows[0], row}
		if f.text("pxname") != backend {
			return fmt.Errorf("they are those of %s: haproxy was reloaded meanwhile", f.text("pxname"))
		}
		bad := f.number("hrsp_5xx") + f.number("eresp") + f.number("econ") + f.number("wredis")
		if f.text("svname") == "BACKEND" {
			s.tcp = f.text("mode") == "tcp"
			s.unmade, whole = f.number("econ"), true
			continue
		}
		status, check := f.text("status"), f.text("check_status")
		v := server{
			name: f.text("svname"), address: f.text("addr"), backup: f.number("bck") == 1, sessions: int(f.number("scur") + f.number("qcur")),
			ours:        ourServer.MatchString(f.text("svname")),
			up:          strings.HasPrefix(status, "UP") || status == "no check" || strings.HasPrefix(status, "DRAIN"),
			maintenance: strings.HasPrefix(status, "MAINT"),
			judged:      check != "INI" && check != "" || status == "no check",
			weight:      int(f.number("uweight")),
			assigned:    f.number("stot"), ends: f.number("stot") - f.number("scur"),
			errors: bad, unmade: f.number("econ"),
		}
		s.servers = append(s.servers, v)
	}
	if !whole {
		return fmt.Errorf("they do not tell backend %s", backend)
	}
	return nil
}

// initials reads the configured weights from "show servers state".
func (s *state) initials(text string) {
	var head []string
	for line := range strings.Lines(text) {
		f := fields{head, strings.Fields(line)}
		if head == nil {
			head = f.row
			continue
		}
		if v := s.find(f.text("srv_name")); v != nil {
			v.initial = int(f.number("srv_iweight"))
		}
	}
}

type fields struct{ head, row []string }

func (f fields) text(name string) string {
	for i, h := range f.head {
		if h == name && i < len(f.row) {
			return f.row[i]
		}
	}
	return ""
}

func (f fields) number(name string) int64 {
	n, err := strconv.ParseInt(f.text(name), 10, 64)
	if err != nil {
		return 0 // an empty field is one that does not apply
	}
	return n
}
