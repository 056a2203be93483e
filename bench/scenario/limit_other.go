//go:build !linux && !darwin

package scenario

import "math"

// descriptorLimit returns how many files may be open: not known here.
func descriptorLimit() int { return math.MaxInt32 }
