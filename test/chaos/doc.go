// Package chaos breaks grids while they work, and keeps the books: every call must end
// in exactly one way, no handler may run twice for one call, nothing that was cut short
// may look complete, and every connection must be back soon.
//
// The default run is short. The long ones:
//
//	go test ./test/chaos -run Cuts -chaos.cuts=2000            # cuts on each network
//	go test ./test/chaos -run Soak -chaos.duration=1h -timeout=0
//	go test ./test/chaos -run Fair -chaos.fair -v              # 64 MiB beside tiny calls
//
// A failing run names its seed; -chaos.seed repeats its plan of calls and cuts. The
// scheduler's choices are not repeated.
package chaos
