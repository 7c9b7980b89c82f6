#!/bin/sh
# The whole way on one snapshot: discover, plan, render. Called by make demo.
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
step "plan: sizes and waves, sealed"
"$tranship" --config "$policy" plan "$out/estate.json" --as-of "$date" --out "$out/plan.json"
step "render: files to review, keep in Git and apply"
"$tranship" render "$out/plan.json" --out "$out"
