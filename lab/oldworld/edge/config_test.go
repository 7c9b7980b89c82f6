package edge_test

import (
	"strings"
	"testing"

	"github.com/tranship/tranship/lab/oldworld/definition"
	"github.com/tranship/tranship/lab/oldworld/edge"
	"github.com/tranship/tranship/lab/oldworld/marathon"
)

func app(t *testing.T, text string) *definition.App {
	t.Helper()
	a, err := definition.Parse([]byte(text), "/")
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestConfigurationIsMarathonLBs(t *testing.T) {
	nginx := app(t, `{"id":"/nginx","cmd":"x","ports":[10000],"labels":{"HAPROXY_GROUP":"external"},
		"healthChecks":[{"path":"/","portIndex":0,"intervalSeconds":2,"timeoutSeconds":10,"maxConsecutiveFailures":10}]}`)
	vhost := app(t, `{"id":"/g/site","cmd":"x","ports":[10001,10002],"labels":{"HAPROXY_0_GROUP":"external","HAPROXY_0_VHOST":"A.example,b.example","HAPROXY_0_PATH":"/p",
		"HAPROXY_0_STICKY":"true","HAPROXY_0_BALANCE":"leastconn","HAPROXY_1_ENABLED":"false"}}`)
	hidden := app(t, `{"id":"/hidden","cmd":"x","ports":[10003]}`)
	text := edge.Text([]marathon.Route{
		{App: nginx, TaskID: "n1", Host: "agent1", Address: "1.1.1.1", Ports: []int{1024}, Alive: true},
		{App: nginx, TaskID: "n2", Host: "1.1.1.2", Address: "1.1.1.2", Ports: []int{1024}, Alive: true, Ending: true},
		{App: nginx, TaskID: "n3", Host: "1.1.1.3", Address: "1.1.1.3", Ports: []int{1024}},
		{App: vhost, TaskID: "v1", Host: "agent1", Address: "1.1.1.1", Ports: []int{1025, 1026}, Alive: true},
		{App: hidden, TaskID: "h1", Host: "agent1", Address: "1.1.1.1", Ports: []int{1027}, Alive: true},
	}, edge.Config{Address: "10.200.0.10", Groups: []string{"external"}, HTTP: 80, AppID: 9091})
	// The ids 28363 and 19971 are those that marathon-lb's own tests expect for these two servers.
	for _, want := range []string{`
frontend nginx_10000
  bind 10.200.0.10:10000
  mode http
  use_backend nginx_10000
`, `
backend nginx_10000
  balance roundrobin
  mode http
  option forwardfor
  http-request set-header X-Forwarded-Port %[dst_port]
  http-request add-header X-Forwarded-Proto https if { ssl_fc }
  option  httpchk GET /
  timeout check 10s
  server 1_1_1_2_1024 1.1.1.2:1024 id `, ` check inter 2s fall 11 disabled
  server agent1_1_1_1_1_1024 1.1.1.1:1024 id 28363 check inter 2s fall 11
`, `
frontend marathon_http_in
  bind 10.200.0.10:80
  mode http
  acl host_a_example_g_site_10001 hdr(host) -i a.example
  acl path_g_site_10001 path_beg /p
  use_backend g_site_10001 if host_a_example_g_site_10001 path_g_site_10001
`, `
backend g_site_10001
  balance leastconn
  mode http
`, `  cookie mesosphere_server_id insert indirect nocache
  server agent1_1_1_1_1_1025 1.1.1.1:1025 id 19971 check cookie `, `
  acl app__nginx hdr(x-marathon-app-id) -i /nginx
  use_backend nginx_10000 if app__nginx
`} {
		if !strings.Contains(text, want) {
			t.Errorf("the configuration has no\n%s\nit is\n%s", want, text)
		}
	}
	for _, not := range []string{"1.1.1.3", "10002", "10003"} {
		if strings.Contains(text, not) {
			t.Errorf("the configuration has %s, want nothing of what is not alive, switched off, or of another group", not)
		}
	}
}
