// Command peers compares actorgrid with other ways for Go servers to call each
// other. README.md says what is measured and how.
package main
