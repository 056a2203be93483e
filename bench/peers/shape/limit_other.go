//go:build !unix

package shape

// descriptorLimit is how many files this process may have open.
func descriptorLimit() int { return 1 << 20 }
