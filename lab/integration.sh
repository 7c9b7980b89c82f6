#!/bin/sh
# Judges what tranship renders by a real kube-apiserver. `make integration` runs it; README.md beside it says what is real.
#
# usage: integration.sh [flags of dryrun, such as -only EXPRESSION]
# TRANSHIP_CORPUS     the corpus of definitions; default: the folder shared/corpus beside one of the folders above
# TRANSHIP_LAB_CACHE  where the control plane's program is kept; default: .cache/lab
set -eu
lab=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$lab")
cache=${TRANSHIP_LAB_CACHE:-$root/.cache/lab}
mkdir -p "$cache/bin"
cache=$(cd "$cache" && pwd)
export TRANSHIP_LAB_CACHE="$cache" CGO_ENABLED=0

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

cd "$lab"
echo "== control plane" >&2
go build -o "$cache/bin/dryrun" ./dryrun
"$cache/bin/dryrun" -build-only

echo "== can the judge fail" >&2
go test -count=1 -tags integration -timeout 20m ./cluster ./crd ./judge ./dryrun

if [ -z "$corpus" ] || [ ! -d "$corpus" ]; then
	echo "skipped: no corpus"
	exit 0
fi
echo "== corpus" >&2
(cd "$root" && go build -trimpath -o "$cache/bin/tranship" ./cmd/tranship)
exec "$cache/bin/dryrun" -tranship "$cache/bin/tranship" -corpus "$corpus" "$@"
