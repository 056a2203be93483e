// Package process runs grids whose nodes are processes of their own, kills them, stops
// them and starts them again. It needs Linux.
//
//	go test ./test/process -run Stopped -process.defaults -v    # with the default timeouts
package process
