// Package scenario is what the bench command measures: grids of real nodes over
// loopback TCP, and the ways to load them.
//
//	g, err := scenario.Start(ctx, scenario.Config{Nodes: 8, Size: 512})
//	defer g.Close()
//	for _, s := range scenario.All() {
//		result, err := scenario.Run(ctx, g, s, 64, time.Second)
//	}
//
// The nodes of a Grid live in this process, or each in one of its own
// (Config.Processes). A Pass is one run of one scenario: it opens the callers, lets
// them go at once, and counts. Run is a warm-up pass and a measured one.
//
// Every operation that is started is waited for and counted, those under way at the
// end of the time included, and the clock stops when the last has ended. So slow
// calls are not left out of the percentiles.
package scenario
