package report

import (
	"encoding/json"
	"os"

	"github.com/actorgrid/actorgrid/bench/peers/result"
)

// JSON writes all samples and figures.
func JSON(path string, r *result.Run) error {
	b, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o644)
}
