// Package arch checks the shape of the code: who imports whom, the sizes of files and
// functions, that every goroutine has a documented end, and what lies at the top.
package arch
