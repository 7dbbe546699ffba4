// Race comes to one line as fast as it can.
package main

import "example.org/processes/work"

func main() {
	for i := range 15 {
		work.Do("race", i)
	}
}
