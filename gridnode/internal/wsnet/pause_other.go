//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package wsnet

import "github.com/lesismal/nbio"

// pause does nothing here: nbio's pollers wait by themselves.
type pause struct{}

type none struct{}

func newPause(*nbio.Engine, int) *pause { return nil }
func (p *pause) wait(any)               {}
func (p *pause) close()                 {}
