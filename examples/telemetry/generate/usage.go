package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

type job struct {
	ID  string `json:"id"`
	Run struct {
		CPUs float64 `json:"cpus"`
		Mem  float64 `json:"mem"`
	} `json:"run"`
	Schedules []struct {
		Cron string `json:"cron"`
	} `json:"schedules"`
}

func readJobs(file string) ([]job, error) {
	var out []job
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return out, json.Unmarshal(data, &out)
}

// begins reports whether a run starts within the step from at on.
func (j job) begins(at time.Time) (bool, error) {
	for _, s := range j.Schedules {
		times, err := cron.ParseStandard(s.Cron)
		if err != nil {
			return false, fmt.Errorf("%s: %w", j.ID, err)
		}
		if times.Next(at.Add(-time.Second)).Before(at.Add(step)) {
			return true, nil
		}
	}
	return false, nil
}

// length of a run: those of every hour are short.
func (j job) length() time.Duration {
	for _, s := range j.Schedules {
		if f := strings.Fields(s.Cron); len(f) == 5 && f[1] == "*" {
			return 15 * time.Minute
		}
	}
	return 50 * time.Minute
}

// writeUsage writes time, workload, CPU in cores and memory in MiB of all
// copies together: a day's swing, a weekend's dip, noise, and the long reads
// of the query services that pull CPU and memory up for an hour.
func writeUsage(file string, apps []app, jobs []job) (err error) {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer func() {
		if e := f.Close(); err == nil {
			err = e
		}
	}()
	w := bufio.NewWriter(f)
	fmt.Fprintln(w, "time,workload,cpu_cores,memory_mib")
	start := taken.Add(-points * step)
	for i, a := range apps {
		if a.Instances == 0 {
			continue
		}
		rng := rand.New(rand.NewPCG(seed, uint64(i)+2))
		cpu, mem := a.CPUs*float64(a.Instances), a.Mem*float64(a.Instances)
		base, long := 0.10+0.15*rng.Float64(), strings.Contains(a.ID, "/query/")
		level, until := 0.0, 0
		for n := range points {
			at := start.Add(time.Duration(n) * step)
			day := 0.6 + 0.4*math.Sin(2*math.Pi*(float64(at.Hour())+float64(at.Minute())/60-9)/24)
			if wd := at.Weekday(); wd == time.Saturday || wd == time.Sunday {
				day *= 0.7
			}
			if long && n >= until && rng.Float64() < 0.006 {
				level, until = 0.5+0.4*rng.Float64(), n+6+rng.IntN(12)
			}
			burst := 0.0
			if n < until {
				burst = level
			}
			c := cpu * min(1, base*day*(1+0.15*rng.NormFloat64())+burst*0.6)
			m := mem * min(0.97, 0.18+0.10*day+0.02*rng.NormFloat64()+burst*0.4)
			fmt.Fprintf(w, "%s,%s,%.4f,%.1f\n", at.Format(time.RFC3339), a.ID, max(c, 0.001), max(m, 8))
		}
	}
	for i, j := range jobs {
		rng := rand.New(rand.NewPCG(seed, uint64(i)+1000))
		level := 0.30 + 0.15*rng.Float64()
		until := time.Time{}
		for n := range points {
			at := start.Add(time.Duration(n) * step)
			starts, err := j.begins(at)
			if err != nil {
				return err
			}
			if starts {
				until = at.Add(j.length())
			}
			if at.Before(until) {
				fmt.Fprintf(w, "%s,%s,%.4f,%.1f\n", at.Format(time.RFC3339), j.ID,
					j.Run.CPUs*min(1, level+0.1*rng.NormFloat64()), j.Run.Mem*min(0.95, 0.3+level+0.05*rng.NormFloat64()))
			}
		}
	}
	return w.Flush()
}
