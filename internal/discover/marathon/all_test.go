package marathon_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/discover/discovertest"
)

// whole are definitions that use, between them, every field of Marathon's
// schema and of its older forms.
var whole = map[string]string{
	"mapped.json": `{
  "id": "/shop/cart", "args": ["--port", "$PORT0", "http://db-shop.marathon.mesos:5432"], "cpus": 0.25, "mem": 256, "disk": 64, "gpus": 1,
  "instances": 3, "user": "www", "tty": true, "role": "shop", "acceptedResourceRoles": ["*", "shop"], "executor": "",
  "executorResources": {"cpus": 0.1, "mem": 32, "disk": 10}, "resourceLimits": {"cpus": 2, "mem": 512},
  "backoffSeconds": 2, "backoffFactor": 1.3, "maxLaunchDelaySeconds": 60, "taskKillGracePeriodSeconds": 20, "killSelection": "OLDEST_FIRST",
  "constraints": [["hostname", "UNIQUE"], ["rack", "LIKE", "a.*"], ["@zone", "GROUP_BY", "3"], ["rack", "MAX_PER", "2"], ["os", "IS", "linux"]],
  "dependencies": ["../db", "/auth"], "labels": {"team": "till", "MARATHON_SINGLE_INSTANCE_APP": "false", "repo": "https://git.example.com/x"},
  "env": {"A": "1", "DB_PASSWORD": "canary-1", "S": {"secret": "s"}, "URL": "http://u:canary-2@x/", "bad name": "1", "MY_HOST": "$HOST:$PORT_WEB"},
  "secrets": {"s": {"source": "shop/s"}}, "version": "2020-01-01T00:00:00.000Z",
  "versionInfo": {"lastScalingAt": "2020-01-01T00:00:00.000Z", "lastConfigChangeAt": "2020-01-01T00:00:00.000Z"},
  "networks": [{"mode": "container", "name": "dcos", "labels": {"k": "v"}}],
  "container": {"type": "MESOS",
    "docker": {"image": "shop/cart:1.2", "forcePullImage": false, "pullConfig": {"secret": "s"}},
    "linuxInfo": {"seccomp": {"profileName": "p", "unconfined": false}, "ipcInfo": {"mode": "PRIVATE", "shmSize": 64}},
    "portMappings": [
      {"containerPort": 8080, "hostPort": 0, "servicePort": 10001, "protocol": "tcp", "name": "web", "labels": {"VIP_0": "/cart:80", "VIP_1": "11.2.3.4:80", "x": "y"}, "networkNames": ["dcos"]},
      {"containerPort": 0, "protocol": "udp,tcp", "name": "a-name-that-is-too-long", "hostPort": 9999}],
    "volumes": [
      {"containerPath": "data", "mode": "RW", "persistent": {"type": "mount", "size": 100, "maxSize": 200, "profileName": "fast", "constraints": [["path", "LIKE", "/d.*"]]}},
      {"containerPath": "/var/data", "hostPath": "data", "mode": "RO"},
      {"containerPath": "own", "mode": "RO", "persistent": {"size": 10}},
      {"containerPath": "/etc/x", "hostPath": "/etc/x", "mode": "RO"},
      {"containerPath": "/scratch", "hostPath": "scratch", "mode": "RW"},
      {"containerPath": "/run/s", "secret": "s"},
      {"containerPath": "/ext", "mode": "RW", "external": {"name": "vol-1", "size": 5, "provider": "dvdi", "shared": true, "options": {"dvdi/driver": "rexray"}}},
      {"containerPath": "/csi", "mode": "RW", "external": {"name": "vol-2", "provider": "csi", "options": {"pluginName": "ebs.csi", "capability": {"accessMode": "SINGLE_NODE_WRITER", "accessType": "mount", "fsType": "ext4", "mountFlags": ["noatime"]}, "nodeStageSecret": {"u": "s"}, "volumeContext": {"a": "b"}}}}]},
  "fetch": [{"uri": "https://x.example.com/a.tgz", "extract": true, "executable": false, "cache": true, "destPath": "a/b"}, {"uri": "file:///etc/docker.tar.gz"}],
  "healthChecks": [{"protocol": "MESOS_HTTP", "path": "/health", "portIndex": 0, "gracePeriodSeconds": 30, "intervalSeconds": 10, "timeoutSeconds": 5, "maxConsecutiveFailures": 2, "delaySeconds": 5, "ignoreHttp1xx": false, "ipProtocol": "IPv4"}],
  "readinessChecks": [{"name": "r", "protocol": "HTTP", "path": "/ready", "portName": "web", "intervalSeconds": 5, "timeoutSeconds": 2, "httpStatusCodesForReady": [200, 204], "preserveLastResponse": true}],
  "check": {"http": {"portIndex": 0, "path": "/c", "scheme": "HTTPS"}, "intervalSeconds": 9, "timeoutSeconds": 3, "delaySeconds": 4},
  "residency": {"relaunchEscalationTimeoutSeconds": 10, "taskLostBehavior": "WAIT_FOREVER"},
  "upgradeStrategy": {"minimumHealthCapacity": 0.5, "maximumOverCapacity": 0.2},
  "unreachableStrategy": {"inactiveAfterSeconds": 60, "expungeAfterSeconds": 120}, "requirePorts": true,
  "tasksStaged": 0, "tasksRunning": 3, "tasks": [{"id": "a.1", "ports": [31000]}], "deployments": [], "lastTaskFailure": {"message": "x"}
}`,
	"hosted.json": `{
  "id": "/edge", "cmd": "exec nginx -p $PORT_HTTP && echo $MARATHON_APP_LABEL_TEAM $MESOS_SANDBOX ${HOST}", "cpus": 1, "mem": 64,
  "labels": {"TEAM": "edge"}, "portDefinitions": [{"port": 80, "name": "http", "protocol": "tcp"}, {"port": 0, "protocol": "udp", "labels": {"VIP_0": "/edge:443"}}],
  "requirePorts": true, "networks": [{"mode": "host", "name": "x", "labels": {"a": "b"}}],
  "unreachableStrategy": "disabled", "resourceLimits": {"cpus": "unlimited", "mem": "unlimited"},
  "container": {"type": "DOCKER", "docker": {"image": "nginx", "privileged": true, "parameters": [
    {"key": "env", "value": "P=1"}, {"key": "label", "value": "l=1"}, {"key": "volume", "value": "/a:/b:ro"}, {"key": "log-driver", "value": "syslog"},
    {"key": "user", "value": "1000"}, {"key": "pid", "value": "host"}, {"key": "ipc", "value": "host"}, {"key": "name", "value": "n"}, {"key": "net", "value": "host"},
    {"key": "hostname", "value": "h"}, {"key": "add-host", "value": "x:10.0.0.1"}, {"key": "dns", "value": "1.1.1.1"}, {"key": "dns-search", "value": "a.b"},
    {"key": "dns-opt", "value": "ndots:2"}, {"key": "cap-add", "value": "NET_ADMIN"}, {"key": "cap-drop", "value": "ALL"}, {"key": "security-opt", "value": "no-new-privileges"},
    {"key": "security-opt", "value": "seccomp=unconfined"}, {"key": "ulimit", "value": "nofile=1"}, {"key": "sysctl", "value": "net.core.somaxconn=1"}, {"key": "shm-size", "value": "64m"},
    {"key": "tmpfs", "value": "/t:size=1m"}, {"key": "device", "value": "/dev/x"}, {"key": "memory-swap", "value": "-1"}, {"key": "init", "value": "true"},
    {"key": "workdir", "value": "/w"}, {"key": "read-only", "value": "true"}, {"key": "group-add", "value": "7"}, {"key": "entrypoint", "value": "/e"},
    {"key": "env", "value": "DB_TOKEN=canary-3"}, {"key": "colour", "value": "green"}]}},
  "healthChecks": [{"protocol": "HTTP", "port": 80, "path": "/", "maxConsecutiveFailures": 0, "delaySeconds": 3, "timeoutSeconds": 0},
    {"protocol": "COMMAND", "command": {"value": "curl -f \"http://$HOST:$PORT0/\""}, "portIndex": 0, "maxConsecutiveFailures": 0}],
  "check": {"exec": {"command": {"shell": "true"}}}
}`,
	"old.json": `{
  "id": "old", "cmd": "java -jar app.jar", "ports": [0, 10002], "uris": ["https://x.example.com/app.jar", "https://u:canary-4@x.example.com/b.tgz", "/etc/.dockercfg"],
  "storeUrls": [], "instances": 1, "executor": "//cmd", "dependencies": [], "user": null, "args": null, "env": {}, "constraints": [],
  "container": {"type": "DOCKER", "volumes": [], "docker": {"image": "x/y:latest", "network": "BRIDGE", "portMappings": [{"containerPort": 80, "hostPort": 0, "servicePort": 9000, "protocol": "tcp"}],
    "credential": {"principal": "me", "secret": "canary-5"}}},
  "healthChecks": [{"protocol": "TCP", "portIndex": 0, "gracePeriodSeconds": 300, "intervalSeconds": 60, "timeoutSeconds": 20, "maxConsecutiveFailures": 3, "ignoreHttp1xx": false}],
  "upgradeStrategy": {"minimumHealthCapacity": 1, "maximumOverCapacity": 0}, "residency": null
}`,
	"named.json": `{"id": "/n", "cmd": "true", "ipAddress": {"networkName": "n", "groups": ["g"], "labels": {"a": "b"}, "discovery": {"ports": [{"number": 80, "name": "web", "protocol": "tcp", "labels": {"VIP_0": "n:80"}}]}},
  "healthChecks": [{"protocol": "MESOS_TCP", "maxConsecutiveFailures": 1}]}`,
	"group.json": `{"id": "/", "version": "2020", "dependencies": [], "enforceRole": true, "apps": [{"id": "top", "cmd": "true"}],
  "groups": [{"id": "g", "dependencies": ["/h"], "enforceRole": false, "apps": [{"id": "a", "cmd": "true", "dependencies": ["../h/b", "/g/c"]}, {"id": "/g/c", "cmd": "true"}]},
    {"id": "/h", "scaleBy": 2, "apps": [{"id": "b", "cmd": "true"}, null, {"id": "kafka", "cmd": "true", "env": {"A": "b"}, "labels": {"DCOS_PACKAGE_NAME": "kafka", "DCOS_PACKAGE_IS_FRAMEWORK": "true"}}]}]}`,
	"scaled.json": `{"id": "/s", "cmd": "true", "instances": 2, "labels": {"use_marathon_autoscaler": "1", "min_instances": "2", "max_instances": "8", "mode": "cpu", "max_range": "70", "min_range": "30"}}`,
	"plain.json":  `{"id": "/p", "cmd": "true", "labels": {"mode": "fast", "min_instances": "2"}}`,
	"list.json":   `{"apps": [{"id": "/l", "cmd": "true", "appc": 1, "container": {"type": "MESOS", "appc": {"image": "x", "id": "y"}}}]}`,
	"none.json":   `{"id": "/none", "container": {"docker": {"image": "x:1", "network": "NONE"}}}`,
}

func TestEveryFieldOfTheSchemaHasOneEntryAndTellsTheTruth(t *testing.T) {
	for name, text := range whole {
		t.Run(name, func(t *testing.T) {
			fsys := fstest.MapFS{name: {Data: []byte(text)}}
			r := discovertest.Read(readers, map[string]string{name: text})
			discovertest.Covered(t, fsys, name, r)
			discovertest.Truth(t, readers, fsys, name)
			for _, e := range r.Ledger {
				if e.Code == "D006" && !strings.Contains(e.Pointer, "appc") {
					t.Errorf("%s is unknown", e.Pointer)
				}
			}
		})
	}
}

func TestNoSecretGoesOn(t *testing.T) {
	for name, text := range whole {
		r := discovertest.Read(readers, map[string]string{name: text})
		for where, out := range map[string]string{"estate": show(t, r.Estate), "ledger": show(t, r.Ledger), "diagnostics": show(t, r.Diags)} {
			if i := strings.Index(out, "canary"); i >= 0 {
				t.Errorf("%s: the %s holds ...%s...", name, where, out[max(0, i-60):min(len(out), i+20)])
			}
		}
	}
}

func TestUnknownKeyIsOneEntry(t *testing.T) {
	for name, text := range whole {
		before := discovertest.Read(readers, map[string]string{name: text})
		for _, key := range []string{`"id":`, `"cpus":`, `"docker": {`, `"protocol":`, `"containerPath":`, `"portIndex":`, `"uri":`, `"persistent": {`, `"healthChecks": [{`} {
			i := strings.Index(text, key)
			if i < 0 {
				continue
			}
			at := i
			if strings.HasSuffix(key, "{") {
				at += len(key)
			}
			for _, v := range []string{`1`, `{"deep": [1, {"a": null}]}`} {
				changed := text[:at] + `"favouriteColour": ` + v + `, ` + text[at:]
				after := discovertest.Read(readers, map[string]string{name: changed})
				if len(after.Ledger) != len(before.Ledger)+1 {
					t.Errorf("%s: an unknown key before %s adds %d entries", name, key, len(after.Ledger)-len(before.Ledger))
					continue
				}
				found := 0
				for _, e := range after.Ledger {
					if strings.HasSuffix(e.Pointer, "/favouriteColour") && e.Verdict == ledger.Dropped {
						found++
					}
				}
				if found != 1 {
					t.Errorf("%s: the unknown key before %s has %d entries of its own", name, key, found)
				}
			}
		}
	}
}
