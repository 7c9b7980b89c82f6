// Package schema holds the JSON schemas of the files that stages hand on and
// of tranship.yaml. They are generated from the Go types; a test fails when
// they are stale.
package schema

import "embed"

// FS holds one file a contract: "migration.schema.json", "estate.schema.json",
// "plan.schema.json", "ledger.schema.json", "snapshot.schema.json", what a move's
// witness says, "witness.schema.json", and what `plan pack` reads and prints: "pack-in-v1.schema.json", "pack-out-v1.schema.json".
//
//go:embed *.schema.json
var FS embed.FS
