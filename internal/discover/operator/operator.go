// Package operator knows what takes the place of a framework on Kubernetes. It
// takes the name of a Universe package, or the name under which a framework
// registered, and gives the estate's advice. It never advises to copy a
// database's files: data moves by the product's own replication.
package operator

import (
	"strings"

	"github.com/tranship/tranship/internal/estate"
)

type successor struct{ packages, name, advice string }

const (
	drop      = "part of the old platform: nothing of it is moved"
	chart     = "install its Helm chart and load its data by its own export"
	replicate = "set the new cluster up beside the old one and let the product replicate: "
)

// successors, one line for each product. Packages are separated by spaces.
var successors = []successor{
	{"kafka confluent-kafka portworx-kafka", "Strimzi or Amazon MSK", replicate + "MirrorMaker 2 with offset translation, consumers last"},
	{"kafka-zookeeper confluent-zookeeper zookeeper", "Strimzi (KRaft) or a ZooKeeper operator", "Kafka by KRaft needs none; other clients: add members, then move the ensemble"},
	{"confluent-connect confluent-control-center confluent-replicator confluent-rest-proxy confluent-schema-registry schema-registry kafka-manager", "Strimzi or Confluent for Kubernetes", "it has no state of its own but topics: install it beside the moved Kafka"},
	{"cassandra portworx-cassandra", "K8ssandra (cass-operator)", replicate + "a second Cassandra data centre, then rebuild and repair"},
	{"dse datastax-dse datastax-ops datastax-data-science beta-datastax-dse beta-datastax-ops portworx-datastax-dse", "cass-operator or DataStax Mission Control", replicate + "a second data centre"},
	{"elastic elasticsearch portworx-elastic kibana beta-elastic beta-kibana", "ECK or OpenSearch", "snapshot and restore, or cross-cluster replication"},
	{"hdfs hadoop portworx-hdfs beta-hdfs", "Amazon S3, or the vendor's operator", "copy with DistCp, switch readers by path"},
	{"spark spark-history spark-shuffle dcos-spark", "Spark operator or Amazon EMR on EKS", "jobs are submitted to the new cluster; nothing runs between them"},
	{"flink", "Flink Kubernetes Operator", "stop with a savepoint, start from it"},
	{"jenkins", "Jenkins Helm chart with the Kubernetes plugin", "copy JENKINS_HOME while it is stopped; agents move from the Mesos plugin"},
	{"mongodb mongodb-replicaset mongodb-enterprise percona-server-mongodb percona-mongo portworx-percona-mongo", "Percona Operator for MongoDB", replicate + "added members of the replica set"},
	{"postgresql postgres crunchy-postgresql", "CloudNativePG or Amazon RDS", replicate + "logical replication"},
	{"mysql mariadb galera mariadb-galera percona-pxc percona-pxc-mysql mysql-admin", "Percona Operator for MySQL or Amazon RDS", replicate + "asynchronous replication"},
	{"redis mr-redis redislabs", "Valkey operator or Amazon ElastiCache", replicate + "REPLICAOF, then promote"},
	{"rabbitmq", "RabbitMQ Cluster Operator", "federate or shovel queues, producers first"},
	{"nifi", "NiFiKop", "export flows by the registry"},
	{"couchbase", "Couchbase Autonomous Operator", replicate + "XDCR"},
	{"cockroachdb", "CockroachDB operator", replicate + "added nodes, then decommission"},
	{"crate", "CrateDB operator", "snapshot and restore"},
	{"arangodb arangodb3", "kube-arangodb", replicate + "DC2DC, or dump and restore"},
	{"memsql quobyte portworx hivemq scylladb riak riak-ts influxdb datadog-operator", "the vendor's operator", "ask the vendor for its way between clusters"},
	{"prometheus dcos-monitoring beta-dcos-monitoring grafana alertmanager", "kube-prometheus-stack", "run both side by side; history stays at the old one until it ages out"},
	{"etcd", "etcd operator or chart", replicate + "a mirror, then switch"},
	{"consul", "Consul Helm chart", "join the data centres by WAN federation"},
	{"vault", "Vault Helm chart", "raft snapshot and restore; unseal keys stay with their holders"},
	{"minio", "MinIO operator or Amazon S3", "mirror buckets"},
	{"gitlab gitlab-dev nexus artifactory artifactory-lb artifactory-pro wordpress drupal ghost redmine sonarqube mattermost osticket", "its Helm chart", chart},
	{"marathon", "none: its apps are moved one by one", "export its groups too; nothing of the scheduler itself is moved"},
	{"marathon-lb edgelb edgelb-pool edge-lb traefik-marathon bamboo nginx-marathon linkerd", "an ingress controller", drop},
	{"kubernetes beta-mke beta-kubernetes kubernetes-cluster dcos-mke", "none: it is Kubernetes already", "move its workloads by backup and restore of its objects"},
	{"metronome chronos", "CronJob", "its jobs are moved one by one; nothing of the scheduler itself is"},
	{"storm zeppelin jupyter jupyterlab beakerx tensorflow beta-tensorflow horovod", "its Helm chart or Kubeflow", chart},
	{"calico dcos-enterprise-cli bootstrap-dcos cadvisor dcos-net package-registry marathon-slack mesos-dns", "nothing", drop},
	{"aurora singularity eremetic", "Kubernetes itself", "its jobs are not read yet: export them and write them anew"},
}

// For gives what takes the place of a package or framework. It knows names with
// a folder before them ("/prod/kafka") and with a version or number behind
// ("chronos-2.4.0"). Of an unknown one it says that a person must choose.
func For(name string) *estate.Operator {
	n := strings.ToLower(strings.Trim(name, "/"))
	n = n[strings.LastIndexByte(n, '/')+1:]
	if _, last, ok := strings.Cut(n, "__"); ok {
		n = last
	}
	for try := n; try != ""; {
		if s := find(try); s != nil {
			return &estate.Operator{Package: try, Name: s.name, Advice: s.advice}
		}
		i := strings.LastIndexAny(try, "-_. ")
		if i < 0 {
			break
		}
		try = try[:i]
	}
	return &estate.Operator{Package: n, Name: "unknown", Advice: "its scheduler is not known: find the operator or chart of this product"}
}

func find(name string) *successor {
	for i, s := range successors {
		for p := range strings.FieldsSeq(s.packages) {
			if p == name {
				return &successors[i]
			}
		}
	}
	return nil
}

// Known reports whether For has an advice of its own for the name.
func Known(name string) bool { return For(name).Name != "unknown" }
