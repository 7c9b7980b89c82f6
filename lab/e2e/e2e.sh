#!/bin/sh
# Moves the lab's estate for real and counts what was lost: `make e2e`. As root. FULL=1 is the whole, minutes become an hour.
# PARTS  which parts: story,after,database,kills,faults; default: all
# ADAPTERS=1 (and FULL=1) runs the adapters' conformance suites on the real things first
# MOVES and FAULT narrow kills and faults: so many moves, the faults whose names have this
# KEEP=1 leaves the lab up
# IF_ABLE=1 leaves all of it out, and says why, on a machine that cannot carry the lab
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
cache=${TRANSHIP_LAB_CACHE:-$root/.cache/lab}
mkdir -p "$cache/bin"
export CGO_ENABLED=0
cd "$root"
go build -trimpath -o "$cache/bin/tranship" ./cmd/tranship
cd "$root/lab"
go build -trimpath -o "$cache/bin/lab" ./cmd/lab
go build -trimpath -o "$cache/bin/load" ./load/cmd/load
go build -trimpath -o "$cache/bin/migrate" ./cargo/cmd/migrate
go build -trimpath -o "$cache/bin/e2e" ./e2e
cd "$root"
if [ -n "${IF_ABLE:-}" ]; then
	able=0
	"$cache/bin/lab" able || able=$?
	if [ "$able" = 3 ]; then
		echo "e2e: LEFT OUT, nothing was moved: see the line above" >&2
		exit 0
	fi
	[ "$able" = 0 ] || exit "$able"
fi
"$cache/bin/lab" up --nodes "${NODES:-2}"
bad=0
if [ -n "${ADAPTERS:-}${FULL:-}" ]; then
	echo "== the adapters' suites on the real things" >&2
	suites="./internal/world/kube/... ./internal/world/haproxy ./internal/world/postgres ./internal/world/volume
		./internal/world/marathon ./internal/world/mesos ./internal/world/aws/..."
	# They run inside of the lab, from where alone the cluster is reached; modules are fetched before, from outside.
	go test -tags integration -run 'CanBeHad$' $suites >/dev/null || bad=1
	"$cache/bin/lab" exec -- env TRANSHIP_LAB="$cache/run/lab.json" go test -count=1 -tags integration -timeout 30m $suites || bad=1
fi
"$cache/bin/e2e" -lab "$cache/run/lab.json" -tranship "$cache/bin/tranship" -bin "$cache/bin" -dir "$cache/e2e" \
	-parts "${PARTS:-story,after,database,kills,faults}" ${FULL:+-full} ${MOVES:+-moves "$MOVES"} ${FAULT:+-fault "$FAULT"} || bad=1
if [ -z "${KEEP:-}" ]; then
	# What it says would push what failed out of the last lines.
	"$cache/bin/lab" down >"$cache/down.log" 2>&1 || { cat "$cache/down.log" >&2 && bad=1; }
	"$cache/bin/lab" down --verify || bad=1
fi
exit $bad
