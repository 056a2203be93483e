package test

import (
	"flag"
	"testing"

	"go.uber.org/goleak"
)

// Every node of every test is closed by its end, so nothing may be left.
func TestMain(m *testing.M) {
	// The tests that run beside each other mostly wait: as many as there are processors
	// would leave those idle. The command line still has the last word.
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}
