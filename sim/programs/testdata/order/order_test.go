// Package order logs the order of a map, which is a choice.
package order

import "testing"

func TestOrder(t *testing.T) {
	m := map[int]bool{}
	for i := range 100 {
		m[i] = true
	}
	t.Log("before the choice")
	for i := range m {
		t.Log(i)
	}
}
