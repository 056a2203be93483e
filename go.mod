module github.com/actorgrid/actorgrid

go 1.26.0

require (
	github.com/gobwas/ws v1.5.0
	github.com/lesismal/nbio v1.6.9
	github.com/puzpuzpuz/xsync/v3 v3.5.1
	github.com/tinylib/msgp v1.6.5
	go.uber.org/goleak v1.3.0
	golang.org/x/sys v0.49.0
)

require (
	github.com/gobwas/httphead v0.1.0 // indirect
	github.com/philhofer/fwd v1.2.0 // indirect
)
