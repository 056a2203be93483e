//go:build race

package chaos

// underRace divides the volume of the quick runs.
const underRace = 3
