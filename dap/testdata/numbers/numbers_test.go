// Package numbers makes machines and removes them, so that labels, and at last
// the runtime's numbers, belong to several one after the other.
package numbers

import (
	"fmt"
	"os"
	"testing"

	"github.com/restep/restep/sim"
)

// count is what a machine is: its place among those of its label.
var count int

func boot(label string, n int) sim.Machine {
	return sim.NewMachine(sim.MachineConfig{Label: label, MainFunc: func() {
		count = n
		f, err := os.Create(fmt.Sprint("/file", n))
		if err != nil {
			panic(err)
		}
		fmt.Println("here", count, f.Name()) // a breakpoint
	}})
}

// TestLabels has a label three times.
func TestLabels(t *testing.T) {
	for n := range 3 {
		m := boot("server", n+1)
		m.Wait()
		m.Remove()
	}
}

// TestNumbers has more machines than the runtime has numbers.
func TestNumbers(t *testing.T) {
	for n := range 4095 {
		m := sim.NewMachine(sim.MachineConfig{Label: fmt.Sprint("old", n), MainFunc: func() {}})
		m.Wait()
		m.Remove()
	}
	for n := range 3 {
		m := boot(fmt.Sprint("new", n+1), n+1)
		m.Wait()
		m.Remove()
	}
}
