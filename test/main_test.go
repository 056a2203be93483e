package test

import (
	"testing"

	"go.uber.org/goleak"
)

// Every node of every test is closed by its end, so nothing may be left.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
