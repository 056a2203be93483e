//go:build race

package test

// underRace divides the volume of the tests that need a large one.
const underRace = 10
