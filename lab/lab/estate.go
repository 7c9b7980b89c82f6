package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"

	"github.com/tranship/tranship/lab/netns"
	"github.com/tranship/tranship/lab/tool"
)

// estateFolder holds the telemetry estate: group.json for Marathon, jobs.json for Metronome.
const estateFolder = "cargo/estate"

// errAbsent is an answer that says that what was asked for is not there.
var errAbsent = errors.New("not there")

// estate has the old world run the telemetry services, where it does not know them yet: what was moved or changed since
// stays as it is.
func (u *lifting) estate(ctx context.Context) error {
	group, err := os.ReadFile(filepath.Join(u.Module, estateFolder, "group.json"))
	if err != nil {
		return fmt.Errorf("read the estate: %w", err)
	}
	text, err := os.ReadFile(filepath.Join(u.Module, estateFolder, "jobs.json"))
	if err != nil {
		return fmt.Errorf("read the estate: %w", err)
	}
	var jobs []map[string]any
	if err := json.Unmarshal(text, &jobs); err != nil {
		return fmt.Errorf("read the estate's jobs: %w", err)
	}
	// The tables first: services that start without them are restarted by nobody, here of all places.
	source := u.source()
	line := tool.Inside(u.Old(), "env", "DATABASE_URL="+source.DSN(source.Owner), filepath.Join(u.Bin, "migrate"))
	if _, err := tool.Run(ctx, line[0], line[1:]...); err != nil {
		return err
	}
	facts := u.facts(u.ca).OldWorld
	client := netns.Client(u.Old())
	if err := unlessThere(ctx, client, facts.Marathon+"/v2/groups//telemetry", func() error {
		return send(ctx, client, http.MethodPut, facts.Marathon+"/v2/groups//telemetry", group)
	}); err != nil {
		return err
	}
	for _, j := range jobs {
		if err := install(ctx, client, facts.Metronome, j); err != nil {
			return err
		}
	}
	return nil
}

// install makes a job and its schedules, as two kinds of requests: Metronome's v1 takes them apart.
func install(ctx context.Context, client *http.Client, metronome string, job map[string]any) error {
	id, _ := job["id"].(string)
	schedules, _ := job["schedules"].([]any)
	delete(job, "schedules")
	return unlessThere(ctx, client, metronome+"/v1/jobs/"+id, func() error {
		text, err := json.Marshal(job)
		if err != nil {
			return fmt.Errorf("write job %s: %w", id, err)
		}
		if err := send(ctx, client, http.MethodPost, metronome+"/v1/jobs", text); err != nil {
			return err
		}
		for _, s := range schedules {
			text, err := json.Marshal(s)
			if err != nil {
				return fmt.Errorf("write schedule of job %s: %w", id, err)
			}
			if err := send(ctx, client, http.MethodPost, metronome+"/v1/jobs/"+id+"/schedules", text); err != nil {
				return err
			}
		}
		return nil
	})
}

// unlessThere does something when a URL says that it is not there.
func unlessThere(ctx context.Context, client *http.Client, url string, do func() error) error {
	err := get(ctx, client, url)
	if errors.Is(err, errAbsent) {
		return do()
	}
	return err
}

func get(ctx context.Context, client *http.Client, url string) error {
	return send(ctx, client, http.MethodGet, url, nil)
}

// send gives an error for any answer but a good one; errAbsent for 404.
func send(ctx context.Context, client *http.Client, method, url string, body []byte) error {
	request, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("ask: %w", err)
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	answer, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("ask: %w", err)
	}
	defer answer.Body.Close()
	said, err := io.ReadAll(io.LimitReader(answer.Body, 4096))
	switch {
	case err != nil:
		return fmt.Errorf("%s %s: %w", method, url, err)
	case answer.StatusCode == http.StatusNotFound:
		return fmt.Errorf("%s %s: %w", method, url, errAbsent)
	case answer.StatusCode >= 300:
		return fmt.Errorf("%s %s: %s: %s", method, url, answer.Status, bytes.TrimSpace(said))
	}
	return nil
}
