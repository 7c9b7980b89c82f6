#!/bin/sh
# The whole way on one snapshot: discover, plan, render. Called by make demo.
# Usage: demo.sh TRANSHIP SNAPSHOT
set -eu
tranship=$1
snapshot=$2
out=out
date=2024-05-28 # the snapshot's own date: the same input gives the same plan
mkdir -p "$out"
cd "$out"
tranship=../$tranship
snapshot=../$snapshot
policy=../examples/telemetry/tranship.yaml
step() { printf '\n== %s\n' "$*"; }

step "discover: what runs today"
"$tranship" --config "$policy" discover "$snapshot" --out estate.json --fields fields.jsonl
step "plan: sizes and waves, sealed"
"$tranship" --config "$policy" plan estate.json --as-of "$date" --out plan.json
step "render: files to review, keep in Git and apply"
"$tranship" render plan.json --out .
