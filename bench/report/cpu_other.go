//go:build !linux && !darwin

package report

import "os"

// cpuModel is known where the system says it in the environment, as Windows does.
func cpuModel() string { return os.Getenv("PROCESSOR_IDENTIFIER") }
