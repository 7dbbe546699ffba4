// Package work is what all programs of the test have in common.
package work

import "fmt"

// Count is a variable of each process.
var Count int

// Do is where breakpoints are set.
func Do(who string, n int) string {
	text := fmt.Sprintf("%s works on %d", who, n)
	Count++
	return text // a breakpoint for all
}
