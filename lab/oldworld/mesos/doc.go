// Package mesos is a double of a Mesos cluster: agents that are addresses of this machine, and tasks on them that are
// real processes.
//
// Input: agents, a folder for state, an image store. Output: offers, running processes, status updates to frameworks, and
// what the master's API tells. It never signals a process whose id and start time it has not recorded itself.
//
// # Tasks outlive the program
//
// As in Mesos, an executor stands between agent and task: this program started once more as `oldworld executor FOLDER`,
// in a session of its own. It starts the task, waits for it and writes down how it ended, whether or not the agent is
// there. After kill -9 of the program the next one finds executors and tasks by their folders:
//
//	STATE/agents/AGENT/runs/TASK/task.json      what was to run, and its statuses
//	                            /launch.json    program, environment, folder
//	                            /executor.json  id and start of the executor
//	                            /process.json   id and start of the task
//	                            /exit.json      how it ended
//	                            /sandbox/       working folder, stdout, stderr
//	STATE/agents/AGENT/volumes/VOLUME/          a persistent volume
//	STATE/master.json                           ids, drains, maintenance
//
// # Images
//
// There is no container runtime: a task with an image runs the image's program as a process in the old world's own
// namespaces, in its sandbox as the working folder. The store has one folder for each image, named by the reference:
//
//	IMAGES/lab.local/cargo/gateway:1/image.json   {"entrypoint": ["gateway"], "cmd": [], "env": ["PATH=/"]}
//	                                /gateway      a static program
//
// A program without a slash is looked for in the folder first. A second source of images is a folder of programs: with
// Programs "lab.local/cargo/" the image lab.local/cargo/NAME:TAG is the program NAME in that folder.
//
// # What differs from Mesos
//
// Memory is held to its limit by looking five times a second, not by a cgroup; CPU is not held at all. Volumes are links
// in the sandbox, at their containerPath without the leading slash, because a process without a mount namespace cannot
// have them elsewhere. All networks are the host's. Tasks run as the user that runs the program. Offers are taken at once
// by who asks first: there is no fair sharing, no revocation, no quota.
package mesos
