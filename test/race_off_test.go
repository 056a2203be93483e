//go:build !race

package test

const underRace = 1
