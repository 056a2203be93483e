//go:build !(linux || darwin || dragonfly || freebsd || netbsd || openbsd)

package wsnet

const havePoller = false
