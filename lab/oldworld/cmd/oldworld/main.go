// Command oldworld is a double of Mesos, Marathon, Metronome and marathon-lb that really runs tasks.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
	_ "time/tzdata" // schedules have zones, and not every machine has them

	"github.com/tranship/tranship/lab/oldworld"
	"github.com/tranship/tranship/lab/oldworld/fault"
	"github.com/tranship/tranship/lab/oldworld/mesos"
	"github.com/tranship/tranship/lab/process"
)

func main() { os.Exit(run(os.Args[1:])) }

const usage = `usage: oldworld --state FOLDER [flags]

A double of the old world: Marathon (/v2), Metronome (/v1), Mesos (/master, /api/v1) and its agents, whose tasks are real
processes, behind a real HAProxy configured as marathon-lb would. /lab/v1 switches its faults and is no part of any real API.

`

func run(args []string) int {
	if len(args) == 2 && args[0] == "executor" {
		return mesos.Execute(args[1])
	}
	logger := log.New(os.Stderr, "", log.LstdFlags|log.Lmicroseconds)
	c, err := parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintln(os.Stderr, "oldworld:", err)
		return 2
	}
	c.Log = logger
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	w, err := oldworld.New(c)
	if err == nil {
		logger.Printf("marathon :%d, metronome :%d, mesos :%d at %s, %d agents, state in %s", c.Marathon, c.Metronome, c.Mesos, c.Address, len(c.Agents), c.State)
		err = w.Run(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "oldworld:", err)
		return 1
	}
	return 0
}

func parse(args []string) (oldworld.Config, error) {
	set := flag.NewFlagSet("oldworld", flag.ContinueOnError)
	set.Usage = func() {
		fmt.Fprint(set.Output(), usage)
		set.PrintDefaults()
	}
	var (
		c        oldworld.Config
		facts    = set.String("facts", "", "lab.json of a lab: addresses, agents and images are taken from it unless said otherwise")
		agents   = set.String("agents", "", "agents, with commas: ADDRESS[/cpus=N][/mem=MiB][/disk=MiB][/ports=A-B][/zone=Z][/region=R][/hostname=H][/attr.NAME=VALUE] (default 127.0.0.1 three times)")
		groups   = set.String("lb-groups", "external", "HAPROXY_GROUPs that the load balancer serves, with commas; * is all")
		restart  = set.Bool("restart-failed", true, "start tasks again that failed; false is the story's fault")
		slow     = set.Duration("slow-start", 0, "how long every start of a task waits")
		token    = set.String("token", "", "token that the interfaces ask for")
		executor = set.String("executor", "", "program that is started as an executor (default this one)")
	)
	set.StringVar(&c.Address, "address", "", "address of the masters (default 127.0.0.1)")
	set.IntVar(&c.Marathon, "marathon-port", 8080, "port of Marathon")
	set.IntVar(&c.Metronome, "metronome-port", 9000, "port of Metronome")
	set.IntVar(&c.Mesos, "mesos-port", 5050, "port of the Mesos master")
	set.StringVar(&c.State, "state", "", "folder for state, sandboxes and volumes")
	set.StringVar(&c.Images.Dir, "images", "", "image store: a folder for each image, with image.json")
	set.StringVar(&c.Images.Bin, "programs", "", "folder of programs that are images lab.local/cargo/NAME:TAG")
	set.StringVar(&c.Edge.Address, "lb-address", "", "address at which service ports are served; none: no load balancer")
	set.StringVar(&c.Edge.Dir, "lb-config", "", "folder of the load balancer's configuration and sockets (default STATE/lb)")
	set.StringVar(&c.Edge.Program, "haproxy", "haproxy", "the program")
	set.IntVar(&c.Edge.HTTP, "lb-http-port", 80, "port of the frontend by host names; 0: none")
	set.IntVar(&c.Edge.AppID, "lb-appid-port", 9091, "port of the frontend by X-Marathon-App-Id; 0: none")
	set.IntVar(&c.Edge.Stats, "lb-stats-port", 9090, "port of statistics and metrics; 0: none")
	set.DurationVar(&c.StopIn, "stop-in", 6*time.Second, "how long tasks have to end when all ends")
	if err := set.Parse(args); err != nil {
		return c, err
	}
	if set.NArg() > 0 {
		return c, fmt.Errorf("unexpected %q", set.Arg(0))
	}
	if c.State == "" {
		return c, errors.New("no --state")
	}
	var err error
	if c.State, err = filepath.Abs(c.State); err != nil {
		return c, err
	}
	if *facts != "" {
		if err := fromFacts(*facts, &c, agents); err != nil {
			return c, err
		}
	}
	if c.Address == "" {
		c.Address = "127.0.0.1"
	}
	if *agents == "" {
		*agents = "127.0.0.1,127.0.0.1,127.0.0.1"
	}
	if c.Agents, err = mesos.ParseAgents(*agents); err != nil {
		return c, err
	}
	c.Images.Programs = "lab.local/cargo/"
	if c.Edge.Dir == "" {
		c.Edge.Dir = filepath.Join(c.State, "lb")
	}
	c.Edge.Groups = strings.Split(*groups, ",")
	c.Faults = fault.Faults{RestartFailed: *restart, Token: *token}
	if *slow > 0 {
		c.Faults.SlowStart = slow.String()
	}
	set.Visit(func(f *flag.Flag) {
		c.Said = c.Said || f.Name == "restart-failed" || f.Name == "token" || f.Name == "slow-start"
	})
	if *executor == "" {
		if *executor, err = os.Executable(); err != nil {
			return c, fmt.Errorf("find this program: %w", err)
		}
	}
	c.Executor = []string{*executor, "executor"}
	if mark := os.Getenv(process.Mark); mark != "" {
		// By it the lab finds everything that it has started; the name of our own entry must not be passed on.
		c.Env = []string{process.Mark + "=" + mark}
	}
	return c, nil
}

// fromFacts fills in what a lab's lab.json says of the old world.
func fromFacts(file string, c *oldworld.Config, agents *string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("read facts: %w", err)
	}
	var f struct {
		Version  int    `json:"version"`
		Bin      string `json:"bin"`
		OldWorld struct {
			Marathon  string   `json:"marathon"`
			Metronome string   `json:"metronome"`
			Mesos     string   `json:"mesos"`
			Agents    []string `json:"agents"`
		} `json:"oldWorld"`
	}
	if err := json.Unmarshal(text, &f); err != nil {
		return fmt.Errorf("read facts %s: %w", file, err)
	}
	if f.Version != 1 {
		return fmt.Errorf("read facts %s: version %d, want 1", file, f.Version)
	}
	for _, x := range []struct {
		from string
		port *int
	}{{f.OldWorld.Marathon, &c.Marathon}, {f.OldWorld.Metronome, &c.Metronome}, {f.OldWorld.Mesos, &c.Mesos}} {
		u, err := url.Parse(x.from)
		if err != nil {
			return fmt.Errorf("read facts %s: %w", file, err)
		}
		if n, err := strconv.Atoi(u.Port()); err == nil {
			*x.port = n
		}
		if c.Address == "" {
			c.Address = u.Hostname()
		}
	}
	if *agents == "" {
		*agents = strings.Join(f.OldWorld.Agents, ",")
	}
	if c.Images.Bin == "" {
		c.Images.Bin = f.Bin
	}
	if c.Edge.Address == "" {
		c.Edge.Address = c.Address
	}
	return nil
}
