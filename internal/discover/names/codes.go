package names

import "github.com/tranship/tranship/internal/base/diag"

// Codes of names and of what depends on what.
const (
	// NameRewritten is the ledger's code for a text with an old name that is
	// replaced by the new one.
	//
	// Example:
	//	[{"id": "/shop/db", "cmd": "true", "networks": [{"mode": "container/bridge"}], "container": {"portMappings": [
	//	    {"containerPort": 5432, "labels": {"VIP_0": "/shop/db:5432"}}]}},
	//	 {"id": "/shop/cart", "cmd": "true", "env": {"DB": "shopdb.marathon.l4lb.thisdcos.directory:5432"}}]
	NameRewritten diag.Code = "N101"

	// NameBridged is the ledger's code for a text with an old name that stays.
	//
	// Example:
	//	[{"id": "/shop/db", "cmd": "true", "container": {"portMappings": [{"containerPort": 5432}]}},
	//	 {"id": "/shop/cart", "cmd": "true", "env": {"DB": "db.shop.marathon.mesos"}}]
	NameBridged diag.Code = "N102"

	// UnknownName is reported for an old name that no definition stands behind.
	//
	// Example:
	//	{"id": "/shop/cart", "cmd": "true", "env": {"DB": "db.shop.marathon.mesos:31000"}}
	UnknownName diag.Code = "N103"

	// ControlPlaneName is reported for a name of Mesos, Marathon, ZooKeeper or
	// DC/OS themselves: what is asked there has no answer in Kubernetes.
	//
	// Example:
	//	{"id": "/shop/cart", "cmd": "curl http://leader.mesos:5050/state"}
	ControlPlaneName diag.Code = "N104"

	// FrameworkName is the ledger's code for the address of a framework's task.
	//
	// Example:
	//	{"id": "/shop/cart", "cmd": "true", "env": {"KAFKA": "broker.kafka.l4lb.thisdcos.directory:9092"}}
	FrameworkName diag.Code = "N105"

	// MachineName is reported for the name or address of a machine of the source.
	//
	// Example:
	//	{"slaves": [{"id": "S0", "hostname": "10.0.1.5"}]}
	//	{"id": "/shop/cart", "cmd": "true", "env": {"DB": "10.0.1.5:5432"}}
	MachineName diag.Code = "N106"

	// InjectedVariable is the ledger's code for a reference to a variable that
	// the old scheduler set.
	//
	// Example:
	//	{"id": "/shop/cart", "cmd": "serve --port $PORT0", "container": {"portMappings": [{"containerPort": 80}]}}
	InjectedVariable diag.Code = "N107"

	// UnknownVariable is reported for a reference to a variable that only Mesos,
	// or a port that is not there, could set.
	//
	// Example:
	//	{"id": "/shop/cart", "cmd": "serve --id $MESOS_FRAMEWORK_ID"}
	UnknownVariable diag.Code = "N108"

	// PlatformPath is reported for a path of the agent's own DC/OS installation.
	//
	// Example:
	//	{"id": "/shop/cart", "cmd": "/opt/mesosphere/bin/detect_ip"}
	PlatformPath diag.Code = "N109"

	// AddressVIP is reported for a virtual address that is an IP: no Service can
	// be promised that address.
	//
	// Example:
	//	[{"id": "/shop/db", "cmd": "true", "networks": [{"mode": "container/bridge"}], "container": {"portMappings": [
	//	    {"containerPort": 5432, "labels": {"VIP_0": "11.1.2.3:5432"}}]}},
	//	 {"id": "/shop/cart", "cmd": "true", "env": {"DB": "11.1.2.3:5432"}}]
	AddressVIP diag.Code = "N110"

	// AmbiguousName is reported for a name that several workloads answer to.
	//
	// Example:
	//	[{"id": "/shop/db", "cmd": "true"}, {"id": "/shop-x/db", "cmd": "true"}, {"id": "/x/db-shop", "cmd": "true"},
	//	 {"id": "/shop/cart", "cmd": "true", "env": {"DB": "db-shop-x.marathon.mesos:31000", "E": "db-x-shop.marathon.mesos"}},
	//	 {"id": "/x/shop/db", "cmd": "true"}]
	AmbiguousName diag.Code = "N111"

	// VariableInName is reported for a name that is put together from variables.
	//
	// Example:
	//	{"id": "/shop/cart", "cmd": "true", "env": {"DB": "${DB_APP}.marathon.mesos:5432"}}
	VariableInName diag.Code = "N112"

	// SRVName is the ledger's code for a name that is asked for with its port.
	//
	// Example:
	//	[{"id": "/shop/db", "cmd": "true", "container": {"portMappings": [{"containerPort": 5432, "name": "pg"}]}},
	//	 {"id": "/shop/cart", "cmd": "true", "env": {"DB": "_pg._db-shop._tcp.marathon.mesos"}}]
	SRVName diag.Code = "N113"

	// Cycle is reported for workloads that need each other.
	//
	// Example:
	//	[{"id": "/a", "cmd": "true", "dependencies": ["/b"]}, {"id": "/b", "cmd": "true", "dependencies": ["/a"]}]
	Cycle diag.Code = "N114"

	// UnknownDependency is reported for a declared dependency on what is not there.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "dependencies": ["/gone"]}
	UnknownDependency diag.Code = "N115"

	// PortLearned is reported when a service declares no port and others connect
	// to it at one.
	//
	// Example:
	//	services:
	//	  db:
	//	    image: postgres:16
	//	  api:
	//	    image: example.com/api:1
	//	    environment:
	//	      DATABASE_URL: postgres://db:5432/shop
	PortLearned diag.Code = "N116"

	// UnknownPort is reported for a port of the old load balancer or of a virtual
	// address that nobody owns.
	//
	// Example:
	//	{"id": "/shop/cart", "cmd": "true", "env": {"DB": "marathon-lb.marathon.mesos:10001"}}
	UnknownPort diag.Code = "N117"

	// NoHostsForPattern is the ledger's code for a LIKE or UNLIKE when no hosts
	// are known to compare with.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "constraints": [["rack", "LIKE", "r[12]"]]}
	NoHostsForPattern diag.Code = "N120"

	// UnsupportedPattern is reported for a regular expression of Java that cannot
	// be compared here.
	//
	// Example:
	//	{"slaves": [{"id": "S0", "hostname": "h1", "attributes": {"rack": "r1"}}]}
	//	{"id": "/a", "cmd": "true", "constraints": [["rack", "LIKE", "r(?!9).*"]]}
	UnsupportedPattern diag.Code = "N121"

	// PatternMatchesNothing is reported for a LIKE that no host fits.
	//
	// Example:
	//	{"slaves": [{"id": "S0", "hostname": "h1", "attributes": {"rack": "r1"}}]}
	//	{"id": "/a", "cmd": "true", "constraints": [["rack", "LIKE", "r9"]]}
	PatternMatchesNothing diag.Code = "N122"
)

// hint gives the next step for a code that is reported.
func hint(code diag.Code) string {
	switch code {
	case UnknownName:
		return "export the definition that answers to it too, or point the workload at where it is now"
	case ControlPlaneName:
		return "find out what the workload asks there, and ask Kubernetes or nobody"
	case FrameworkName:
		return "point it at the service that the operator makes, in an overlay"
	case MachineName:
		return "point it at a name: the machine will be switched off"
	case UnknownVariable:
		return "set the variable in an overlay, or stop reading it"
	case PlatformPath:
		return "bring what is needed in the image: nodes have no such folder"
	case AddressVIP:
		return "point it at the name of the Service"
	case AmbiguousName, VariableInName, UnknownPort:
		return "write the new name in an overlay"
	}
	return "look at the workload's definition"
}
