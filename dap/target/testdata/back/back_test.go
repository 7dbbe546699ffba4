// Package back is walked through backwards.
package back

import "testing"

type counter struct{ n int }

func (c *counter) add(k int) {
	c.n += k
}

func fib(n int) int {
	if n < 2 {
		return n
	}
	a := fib(n - 1)
	b := fib(n - 2)
	return a + b
}

func TestBack(t *testing.T) {
	c := &counter{}
	t.Log("begin")
	for i := 0; i < 3; i++ {
		c.add(i)
		t.Log("turn", i, c.n)
	}
	for c.n < 1000 {
		c.n += 100
	}
	f := fib(3)
	done := make(chan int)
	go func() {
		done <- f + 1
	}()
	sum := <-done
	t.Log("end", sum, c.n)
}
