package mesos

import (
	"slices"
	"time"
)

// State is a task's state, by the names of mesos.proto.
type State string

// The states that are met here.
const (
	Staging     State = "TASK_STAGING"
	Starting    State = "TASK_STARTING"
	Running     State = "TASK_RUNNING"
	Killing     State = "TASK_KILLING"
	Finished    State = "TASK_FINISHED"
	Failed      State = "TASK_FAILED"
	Killed      State = "TASK_KILLED"
	Lost        State = "TASK_LOST"
	Unreachable State = "TASK_UNREACHABLE"
	Gone        State = "TASK_GONE_BY_OPERATOR"
	Errored     State = "TASK_ERROR"
)

// Terminal tells whether a task in this state has ended.
func (s State) Terminal() bool {
	return slices.Contains([]State{Finished, Failed, Killed, Lost, Gone, Errored}, s)
}

// Resources are what a task is given, or an agent has. Memory and disk are in MiB.
type Resources struct {
	CPUs  float64 `json:"cpus"`
	Mem   float64 `json:"mem"`
	Disk  float64 `json:"disk"`
	GPUs  float64 `json:"gpus"`
	Ports []int   `json:"ports,omitempty"`
}

func (r Resources) plus(o Resources) Resources {
	return Resources{
		CPUs: r.CPUs + o.CPUs, Mem: r.Mem + o.Mem, Disk: r.Disk + o.Disk, GPUs: r.GPUs + o.GPUs,
		Ports: append(slices.Clone(r.Ports), o.Ports...),
	}
}

// Volume is a folder that a task sees.
type Volume struct {
	ID            string  `json:"id,omitempty"` // of a persistent one
	ContainerPath string  `json:"containerPath"`
	HostPath      string  `json:"hostPath,omitempty"` // of one that is the agent's own folder
	ReadOnly      bool    `json:"readOnly,omitempty"`
	Size          float64 `json:"size,omitempty"` // MiB
}

// Port is one that a task tells to service discovery.
type Port struct {
	Number   int               `json:"number"`
	Name     string            `json:"name,omitempty"`
	Protocol string            `json:"protocol"`
	Labels   map[string]string `json:"labels,omitempty"`
}

// Info is what a framework launches.
type Info struct {
	ID        string            `json:"id"`
	Name      string            `json:"name"`
	Resources Resources         `json:"resources"`
	Shell     string            `json:"shell,omitempty"` // run by /bin/sh -c
	Args      []string          `json:"args,omitempty"`  // else: arguments, of the image or by themselves
	Env       map[string]string `json:"env,omitempty"`
	Image     string            `json:"image,omitempty"`
	Docker    bool              `json:"docker,omitempty"` // else Mesos' own containerizer
	Grace     time.Duration     `json:"grace"`            // between SIGTERM and SIGKILL
	Labels    map[string]string `json:"labels,omitempty"`
	Ports     []Port            `json:"ports,omitempty"`
	Volumes   []Volume          `json:"volumes,omitempty"`
	Checked   bool              `json:"checked,omitempty"` // Mesos itself checks its health
}

// Status is one status of a task.
type Status struct {
	State   State     `json:"state"`
	At      time.Time `json:"at"`
	Healthy *bool     `json:"healthy,omitempty"`
	Message string    `json:"message,omitempty"`
	Reason  string    `json:"reason,omitempty"`
	Source  string    `json:"source,omitempty"`
}

// Task is a task of an agent, as the master knows it.
type Task struct {
	Info
	Framework string   `json:"framework"`
	Agent     string   `json:"agent"` // its ID
	Statuses  []Status `json:"statuses"`
	Asked     string   `json:"asked,omitempty"` // who asked it to end
}

// Now is the newest status.
func (t Task) Now() Status {
	if len(t.Statuses) == 0 {
		return Status{State: Staging}
	}
	return t.Statuses[len(t.Statuses)-1]
}

// Since is when the task came into its first status of a state; zero if it never was.
func (t Task) Since(s State) time.Time {
	for _, st := range t.Statuses {
		if st.State == s {
			return st.At
		}
	}
	return time.Time{}
}

// Update is a status, as its framework is told.
type Update struct {
	Task   Task
	Status Status
}
