#!/bin/sh
# The whole way on one snapshot: discover, usage, plan, render. Called by make demo.
# Usage: demo.sh TRANSHIP SNAPSHOT
set -eu
tranship=$1
snapshot=$2
policy=examples/telemetry/tranship.yaml
date=2024-05-28 # the snapshot's own date: the same input gives the same plan
out=out
mkdir -p "$out"
step() { printf '\n== %s\n' "$*"; }

step "discover: what runs today"
"$tranship" --config "$policy" discover "$snapshot" --out "$out/estate.json" --fields "$out/fields.jsonl"
usage=
if [ "$snapshot" = examples/telemetry/snapshot ]; then
	step "usage: two weeks at five minutes, as a monitoring system would export it"
	go run ./examples/telemetry/generate -usage "$out/usage.csv"
	usage="--usage $out/usage.csv"
fi
step "plan: sizes from usage, the cheapest nodes that outlive any one of them, the bill, waves; sealed"
# shellcheck disable=SC2086 # two words or none
"$tranship" --config "$policy" plan "$out/estate.json" $usage --as-of "$date" --out "$out/plan.json"
step "render: files to review, keep in Git and apply"
"$tranship" render "$out/plan.json" --out "$out"
