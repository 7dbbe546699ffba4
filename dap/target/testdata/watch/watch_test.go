// Package watch writes to variables of all kinds.
package watch

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/restep/restep/sim"
)

var count int

type account struct {
	owner   string
	balance int
}

func (a *account) pay(n int) {
	a.balance -= n
}

func deep(n int) int {
	var room [512]byte
	if n == 0 {
		return int(room[7])
	}
	return deep(n-1) + int(room[n])
}

func TestWatch(t *testing.T) {
	sim.NewMachine(sim.MachineConfig{
		Label: "server", Addr: netip.MustParseAddr("10.0.0.1"),
		MainFunc: func() {
			for i := range 20 {
				count = 100 + i
				time.Sleep(time.Millisecond)
			}
			fmt.Println("server done")
		},
	})
	a := &account{owner: "ann", balance: 100}
	local := 1
	t.Log("begin")
	a.pay(10)
	count = 1
	time.Sleep(5 * time.Millisecond)
	local = 2
	deep(40) // the stack moves
	t.Log("middle", a.balance)
	local += 5
	a.owner = "bob"
	count = 2
	time.Sleep(50 * time.Millisecond)
	a.pay(20)
	done := make(chan bool)
	go func() {
		a.pay(30)
		close(done)
	}()
	<-done
	t.Log("end", a.balance, a.owner, local, count)
}
