#!/bin/sh
# Has the real scheduler carry out the nine plans of docs/benchmarks.md, "The story's bill". It prints the table, and
# then a line a plan.
#
# usage: story.sh
# BUDGET              seconds to plan a row in; default: 1
# TRANSHIP_LAB_CACHE  where the lab's programs are kept; default: .cache/lab
set -eu
lab=$(cd "$(dirname "$0")/.." && pwd)
root=$(dirname "$lab")
cache=${TRANSHIP_LAB_CACHE:-$root/.cache/lab}
work=$cache/story
rm -rf "$work"
mkdir -p "$work" "$cache/bin"
work=$(cd "$work" && pwd)
cache=$(cd "$cache" && pwd)
export TRANSHIP_LAB_CACHE="$cache" CGO_ENABLED=0

cd "$root"
go build -trimpath -o "$cache/bin/tranship" ./cmd/tranship
go test ./internal/plan/propose -run Story -v -count=1 -timeout 30m -args -write "$work" -budget "${BUDGET:-1}" >"$work/table.txt" 2>&1 ||
	{ tail -n 40 "$work/table.txt" >&2; exit 1; }
sed -n 's/^ *story_test.go:[0-9]*: //p' "$work/table.txt"
cd "$lab"
go build -o "$cache/bin/carryout" ./carryout
bad=0
for plan in "$work"/*.json; do
	name=$(basename "$plan" .json)
	"$cache/bin/tranship" render "$plan" --out "$work/$name" >"$work/$name.txt" 2>&1
	"$cache/bin/carryout" -name "$name" -plan "$plan" -manifests "$work/$name/kubernetes" 2>"$work/$name.log" || bad=1
done
exit $bad
