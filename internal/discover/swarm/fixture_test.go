package swarm_test

// everyKey uses all keys of the specification that a service can have.
const everyKey = `
name: till
x-team: shop
x-list: [a, {b: c}]
services:
  web:
    image: registry.example.com/shop/web:1.2
    platform: linux/amd64
    pull_policy: always
    command: serve --port 8080 "two words"
    entrypoint: ["/bin/tini", "--"]
    working_dir: /srv
    user: "1000:1000"
    group_add: ["2000", audio]
    tty: true
    stdin_open: true
    init: true
    hostname: web-host
    domainname: example.com
    container_name: the-web
    privileged: true
    read_only: true
    environment:
      COLOUR: green
      COUNT: 3
      DEBUG: "false"
      EMPTY: ""
      FROM_SHELL:
      DB_PASSWORD: not-here
      REPO: https://me:not-here@git.example.com/x
      COST: "5$$"
    env_file:
      - path: web.env
        required: true
      - absent.env
    ports:
      - "8080:80"
      - "9000-9002"
      - "127.0.0.1:7000:7000/udp"
      - target: 443
        published: "8443"
        protocol: tcp
        mode: host
        host_ip: 10.0.0.9
        name: tls
        app_protocol: https
    expose: ["3000", "3001-3003", "80"]
    networks:
      back:
        aliases: [www, site]
        ipv4_address: 10.5.0.4
        priority: 5
      front:
    links: ["db:database"]
    external_links: ["legacy:old"]
    depends_on:
      db: {condition: service_healthy, restart: true, required: true}
    volumes:
      - data:/var/data
      - ./site.conf:/etc/site.conf:ro
      - ./assets:/assets
      - /var/log:/host/log:ro,rslave
      - /anonymous
      - type: tmpfs
        target: /scratch
        tmpfs: {size: 64m, mode: 0o1777}
      - type: volume
        source: shared
        target: /shared
        read_only: true
        volume: {nocopy: true, subpath: part}
      - type: bind
        source: /etc/certs
        target: /certs
        consistency: cached
        bind: {propagation: rshared, create_host_path: true, selinux: z}
    tmpfs: ["/run:size=32m,mode=755", /tmp]
    configs:
      - plain
      - source: site
        target: /etc/site.json
        uid: "103"
        gid: "103"
        mode: 0440
    secrets:
      - source: key
        target: server.key
        uid: "103"
        mode: 0400
      - cert
    healthcheck:
      test: ["CMD", "curl", "-f", "http://localhost/"]
      interval: 20s
      timeout: 5s
      retries: 5
      start_period: 40s
      start_interval: 5s
    stop_grace_period: 25s
    stop_signal: SIGINT
    restart: always
    extra_hosts: ["old:10.0.0.1", "gate=host-gateway"]
    dns: [10.0.0.2]
    dns_search: example.com
    dns_opt: ["ndots:2"]
    sysctls: {net.core.somaxconn: 1024}
    ulimits:
      nproc: 100
      nofile: {soft: 10, hard: 20}
    cap_add: [NET_ADMIN]
    cap_drop: [ALL]
    security_opt: ["seccomp:unconfined", "no-new-privileges:true", "apparmor:docker-default", "label:type:web_t"]
    shm_size: 128m
    pid: host
    ipc: host
    cpuset: "0-1"
    blkio_config: {weight: 300}
    oom_score_adj: 100
    mem_swappiness: 10
    memswap_limit: 2g
    mac_address: 02:42:ac:11:65:43
    userns_mode: host
    cgroup_parent: m-executor
    devices: ["/dev/fuse:/dev/fuse"]
    device_cgroup_rules: ["c 1:3 mr"]
    logging: {driver: gelf, options: {gelf-address: "udp://10.0.0.1:12201"}}
    labels: {com.example.team: shop, com.example.cost: "3"}
    annotations: {com.example.note: hello}
    profiles: [shop]
    attach: false
    x-note: unused
    develop: {watch: [{path: ./src, action: sync, target: /src}]}
    post_start: [{command: ./hook, user: root}]
    deploy:
      mode: replicated
      replicas: 4
      endpoint_mode: dnsrr
      labels: {com.example.lb: "on"}
      update_config: {parallelism: 2, delay: 10s, failure_action: rollback, monitor: 60s, max_failure_ratio: 0.3, order: start-first}
      rollback_config: {parallelism: 1, delay: 1s, failure_action: pause, monitor: 5s, max_failure_ratio: 0.1, order: stop-first}
      restart_policy: {condition: any, delay: 5s, max_attempts: 3, window: 120s}
      placement:
        constraints:
          - node.labels.disk == ssd
          - node.role != manager
          - node.hostname == box-7
          - engine.labels.os==ubuntu
          - node.platform.arch == x86_64
        preferences: [{spread: node.labels.rack}]
        max_replicas_per_node: 2
      resources:
        limits: {cpus: "0.50", memory: 512M, pids: 100}
        reservations:
          cpus: "0.25"
          memory: 256M
          devices: [{capabilities: [gpu], count: 1, driver: nvidia}]
          generic_resources: [{discrete_resource_spec: {kind: gpu, value: 2}}]
  db:
    build: {context: ./db, dockerfile: Dockerfile.db, args: {VERSION: "12"}, target: final}
    scale: 2
    mem_limit: 1g
    mem_reservation: 512m
    cpus: 1.5
    cpu_shares: 512
    pids_limit: 50
    network_mode: bridge
    restart: unless-stopped
    healthcheck: {disable: true}
    volumes: ["shared:/shared"]
    volumes_from: ["web:ro"]
  agent:
    image: agent
    labels: ["a.b=c", "d.e", "a.b=z"]
    environment: ["A=1", "B", "A=2", "TOKEN=not-here"]
    extra_hosts: {old: 10.0.0.1, two: [10.0.0.2, 10.0.0.3]}
    deploy: {mode: global, replicas: 3}
    healthcheck: {test: curl localhost, interval: 10s}
    user: nobody
  once:
    image: once
    restart: "no"
    deploy: {mode: replicated-job, replicas: 3, restart_policy: {condition: on-failure, max_attempts: 2}}
networks:
  back: {driver: overlay, internal: true, attachable: true, driver_opts: {encrypted: "true"}, labels: {a: b}}
  front: {external: true, name: the-front}
  unused: {driver: bridge, ipam: {driver: default, config: [{subnet: 10.5.0.0/16}]}}
volumes:
  data: {driver: rexray/ebs, driver_opts: {size: "10"}}
  shared: {driver: local, driver_opts: {type: nfs, o: "addr=10.0.0.5,rw", device: ":/export"}}
  spare: {driver: local, labels: {a: b}}
  empty:
configs:
  plain: {content: "green"}
  site: {file: ./site.conf, template_driver: golang}
  idle: {content: "blue"}
secrets:
  key: {file: ./server.key}
  cert: {external: true, name: the-cert}
  idle: {file: ./idle}
`

// oldFile is of version 1: the services are the top level.
const oldFile = `
web:
  build: .
  dockerfile: Dockerfile.old
  command: run
  links: [db, "cache:redis"]
  ports: ["80", "443:443"]
  volumes_from: [db]
  net: host
  log_driver: syslog
  log_opt: {tag: web}
  mem_limit: 64m
  cpu_shares: 100
db:
  image: postgres
  volumes: [/var/lib/postgresql]
  volume_driver: convoy
cache:
  image: redis
  environment: {A: 1}
`

// anchored uses anchors and merges in all places.
const anchored = `
x-env: &env {COLOUR: green, SIZE: "1"}
x-base: &base
  image: shop/base:1
  restart: always
  deploy: &deploy {replicas: 3, labels: {team: till}}
  environment: *env
x-unused: &unused {image: no}
services:
  a: &a
    <<: *base
    command: &run [run, --fast]
  b:
    <<: [*a, *base]
    image: shop/b:2
    environment:
      <<: *env
      SIZE: "2"
    deploy: {<<: *deploy, replicas: 1}
  c:
    image: c
    command: *run
    environment: *env
    labels: &labels {x: y}
  d:
    <<: *unused
    image: d
    labels: *labels
`
