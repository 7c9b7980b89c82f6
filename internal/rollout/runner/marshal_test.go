package runner_test

import "encoding/json"

func marshal(v any) (json.RawMessage, error) { return json.Marshal(v) }
