#!/bin/sh
# Has real judges hold what tranship plans and renders: kube-scheduler, an integer solver, kube-apiserver. `make
# integration` runs it; README.md beside it says what is real.
#
# usage: integration.sh [flags of dryrun, such as -only EXPRESSION]
# PARTS               what to judge, of "plans packing corpus"; default: all
# TRANSHIP_CORPUS     the corpus of definitions; default: the folder shared/corpus beside one of the folders above
# TRANSHIP_LAB_CACHE  where the programs are kept; default: .cache/lab
set -eu
lab=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$lab")
cache=${TRANSHIP_LAB_CACHE:-$root/.cache/lab}
mkdir -p "$cache/bin"
cache=$(cd "$cache" && pwd)
export TRANSHIP_LAB_CACHE="$cache" CGO_ENABLED=0
parts=" ${PARTS:-plans packing corpus} "
part() { case $parts in *" $1 "*) return 0 ;; esac; return 1; }

corpus=${TRANSHIP_CORPUS:-}
if [ -z "$corpus" ]; then
	above=$root
	while [ "$above" != / ]; do
		above=$(dirname "$above")
		if [ -d "$above/shared/corpus" ]; then
			corpus=$above/shared/corpus
			break
		fi
	done
fi
if [ -n "$corpus" ] && [ -d "$corpus" ]; then
	corpus=$(cd "$corpus" && pwd)
fi

# An integer solver from Debian, where it is not there and can be had.
if part packing && ! command -v cbc >/dev/null; then
	if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
		echo "== installing coinor-cbc" >&2
		DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends coinor-cbc >&2 ||
			{ apt-get update >&2 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends coinor-cbc >&2; }
	else
		echo "integration: cbc is not there: install Debian's coinor-cbc, or leave packing out of PARTS" >&2
		exit 1
	fi
fi

cd "$lab"
echo "== programs" >&2
for p in dryrun carryout oracle webestate; do
	go build -o "$cache/bin/$p" "./$p"
done
"$cache/bin/carryout" -build-only
tranship=$cache/bin/tranship
(cd "$root" && go build -trimpath -o "$tranship" ./cmd/tranship)

echo "== can the judges fail" >&2
packages="./cluster ./crd ./judge ./dryrun ./program"
if part plans; then packages="$packages ./fleet"; fi
if part packing; then packages="$packages ./oracle"; fi
go test -count=1 -tags integration -timeout 20m $packages

bad=0
if part plans; then
	work=$cache/plans
	rm -rf "$work"
	mkdir -p "$work"

	echo "== the example's plan" >&2
	(cd "$root" && sh examples/telemetry/demo.sh "$tranship" examples/telemetry/snapshot) >"$work/demo.txt" 2>&1 ||
		{ tail -n 40 "$work/demo.txt" >&2; exit 1; }
	"$cache/bin/carryout" -name "example" -plan "$root/out/plan.json" -manifests "$root/out/kubernetes" || bad=1

	echo "== a plan of 5,000 copies" >&2
	"$cache/bin/webestate" >"$work/estate.json"
	"$tranship" --config "$lab/webestate/tranship.yaml" plan "$work/estate.json" --as-of 2026-11-24 --out "$work/plan.json" >"$work/plan.txt" 2>&1 ||
		{ grep -E 'error|tranship:' "$work/plan.txt" >&2 || true; bad=1; }
	"$tranship" render "$work/plan.json" --out "$work/rendered" >"$work/render.txt" 2>&1
	"$cache/bin/carryout" -name "5,000 copies" -losses 20 -plan "$work/plan.json" -manifests "$work/rendered/kubernetes" || bad=1
fi

if part packing; then
	echo "== packing against integer programs" >&2
	"$cache/bin/oracle" -tranship "$tranship" || bad=1
fi

if part corpus; then
	if [ -z "$corpus" ] || [ ! -d "$corpus" ]; then
		echo "skipped: no corpus"
	else
		echo "== corpus" >&2
		"$cache/bin/dryrun" -tranship "$tranship" -corpus "$corpus" "$@" || bad=1
	fi
fi
exit $bad
