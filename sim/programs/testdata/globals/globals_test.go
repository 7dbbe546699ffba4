// Package globals has one variable of every class that the linker lays out
// somewhere else, and looks at each from several machines.
package globals

import (
	"context"
	"encoding/json"
	"errors"
	"expvar"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/restep/restep/sim"
)

type config struct {
	n    int
	name string
}

var (
	number  int                              // .noptrbss
	preset  = 7                              // .noptrdata
	pointer *config                          // .bss
	table   = []int{1, 2, 3}                 // slice header in .data, array a static temporary
	made    = &config{1, "made"}             // object a static temporary
	dict    = map[string]int{"a": 1, "b": 2} // made by init
	fn      = func() int { return number }
	mutex   sync.Mutex
	pool    = sync.Pool{New: func() any { return new(config) }}
	once    sync.Once
	value   atomic.Value
	inited  = time.Now()
	flags   = flag.Int("globals.n", 5, "a flag of the package")
	big     [1000]int
	errMine = errors.New("sentinel")
	local   = fmt.Errorf("made at init")
)

var inits int

func init() {
	inits++
	pointer = &config{2, "init"}
	http.HandleFunc("/globals", func(http.ResponseWriter, *http.Request) {})
	expvar.NewInt("globals")
}

// state describes every variable.
func state() string {
	c := 0
	once.Do(func() { c = 1 })
	v, _ := value.Load().(string)
	return fmt.Sprint(number, preset, *pointer, table, *made, dict, fn(), c, v, *flags, big[999], inits, pool.Get().(*config).n)
}

func change() {
	number, preset, pointer, table[0], made.n, dict["a"] = 10, 20, nil, 30, 40, 50
	value.Store("stored")
	*flags, big[999], inits = 60, 70, 80
	pointer = &config{90, "changed"}
	pool.Put(&config{n: 100})
	http.DefaultServeMux = http.NewServeMux()
	os.Args = []string{"changed"}
	os.Setenv("CHANGED", "1")
}

// TestOwn: each machine starts with the variables as written and init run
// once, and changes on one are not seen on another, nor after a restart.
func TestOwn(t *testing.T) {
	want := state()
	results := make(chan string, 1)
	program := func() {
		s := state()
		if os.Getenv("CHANGED") != "" || os.Args[0] == "changed" {
			s += " sees another machine's os"
		}
		change()
		results <- s
		select {}
	}
	a := sim.NewMachine(sim.MachineConfig{Label: "a", MainFunc: program})
	if got := <-results; got != want {
		t.Errorf("machine a starts with\n%s\nwant\n%s", got, want)
	}
	sim.NewMachine(sim.MachineConfig{Label: "b", MainFunc: program})
	if got := <-results; got != want {
		t.Errorf("machine b starts with\n%s\nwant\n%s", got, want)
	}
	a.Crash()
	a.Restart()
	if got := <-results; got != want {
		t.Errorf("after a restart machine a starts with\n%s\nwant\n%s", got, want)
	}
	if number != 0 || table[0] != 1 || made.n != 1 || dict["a"] != 1 || os.Getenv("CHANGED") != "" {
		t.Error("changes of a machine reached main:", number, table, made.n, dict)
	}
	if !inited.Equal(time.Date(2020, 1, 15, 14, 10, 3, inited.Nanosecond(), time.UTC)) {
		t.Error("init ran outside of simulated time:", inited)
	}
}

// TestMutex: one global mutex is as many mutexes as there are machines.
func TestMutex(t *testing.T) {
	mutex.Lock()
	done := make(chan string)
	sim.NewSimpleMachine(func() {
		mutex.Lock()
		go func() {
			time.Sleep(time.Second)
			mutex.Unlock()
		}()
		mutex.Lock() // waits for this machine's own goroutine
		done <- "locked"
	})
	if got := <-done; got != "locked" {
		t.Error(got)
	}
	mutex.Unlock()
}

// TestShared: what a closure captures is shared, and so are the types and the
// sentinels of the binary.
func TestShared(t *testing.T) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	seen := map[string]int{}
	for range 3 {
		wg.Add(1)
		sim.NewSimpleMachine(func() {
			defer wg.Done()
			mu.Lock()
			defer mu.Unlock()
			seen[sim.CurrentMachine().Label()]++
		})
	}
	wg.Wait()
	if len(seen) != 3 {
		t.Error("seen", seen)
	}
	errs := make(chan error, 4)
	types := make(chan reflect.Type, 2)
	sim.NewSimpleMachine(func() {
		_, err := io.ReadAll(&io.LimitedReader{R: strings.NewReader(""), N: 0})
		if err != nil {
			panic(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		errs <- ctx.Err()
		errs <- errMine
		_, err = os.Open("/nope")
		errs <- err
		errs <- local
		types <- reflect.StructOf([]reflect.StructField{{Name: "X", Type: reflect.TypeFor[int]()}})
		types <- reflect.SliceOf(reflect.TypeFor[config]())
	})
	if err := <-errs; err != context.Canceled {
		t.Error("context.Canceled of another machine differs")
	}
	if err := <-errs; err == errMine {
		t.Error("a sentinel of a package under test is a variable, and is expected to differ between machines")
	}
	if err := <-errs; !errors.Is(err, os.ErrNotExist) {
		t.Error("os.ErrNotExist of another machine differs:", err)
	}
	if err := <-errs; err == local {
		t.Error("fmt.Errorf at package level is expected to differ between machines")
	}
	if <-types != reflect.StructOf([]reflect.StructField{{Name: "X", Type: reflect.TypeFor[int]()}}) {
		t.Error("a type made at run time differs between machines")
	}
	if <-types != reflect.SliceOf(reflect.TypeFor[config]()) {
		t.Error("a slice type differs between machines")
	}
	if _, err := json.Marshal(seen); err != nil {
		t.Error(err)
	}
}

// TestSendVariable: the value of a variable arrives as the sender had it, also
// when it is too large to be copied first.
func TestSendVariable(t *testing.T) {
	big[0], big[999] = 1, 2
	ch := make(chan [1000]int)
	got := make(chan int, 2)
	sim.NewSimpleMachine(func() {
		time.Sleep(time.Second)
		v := <-ch
		got <- v[0] + v[999]
		big[0], big[999] = 30, 40
		ch <- big
	})
	ch <- big
	if v := <-got; v != 3 {
		t.Error("receiver read its own variable:", v)
	}
	time.Sleep(time.Second)
	big = <-ch
	if big[0]+big[999] != 70 {
		t.Error("received", big[0], big[999])
	}
}

// untouched lies among variables that are not written as a rule.
var untouched = [600]int{599: 1}

// TestReceiveVariable: what is sent to a variable arrives in that of the
// machine that waits, also when nobody has written it before.
func TestReceiveVariable(t *testing.T) {
	ch, closed, got := make(chan [600]int), make(chan [600]int), make(chan int)
	sim.NewSimpleMachine(func() {
		untouched = <-ch
		time.Sleep(time.Second) // others run meanwhile
		got <- untouched[0] + untouched[599]
		untouched = <-closed
		time.Sleep(time.Second)
		got <- untouched[0] + untouched[599]
	})
	time.Sleep(time.Second)
	ch <- [600]int{10, 599: 20}
	if v := <-got; v != 30 {
		t.Error("the machine that waited has", v)
	}
	time.Sleep(time.Second)
	close(closed)
	if v := <-got; v != 0 {
		t.Error("after close it has", v)
	}
	if untouched[599] != 1 {
		t.Error("the sender's own variable is", untouched[599])
	}
}

// TestTimers: a timer's function runs with the variables of its machine.
func TestTimers(t *testing.T) {
	got := make(chan int, 3)
	for i := 1; i <= 3; i++ {
		sim.NewSimpleMachine(func() {
			number = i
			time.AfterFunc(time.Second, func() { got <- number })
			select {}
		})
	}
	sum := <-got + <-got + <-got
	if sum != 6 || number != 0 {
		t.Error("timers saw", sum, "main has", number)
	}
}

// TestFinalizers: an unreachable file of one machine closes no descriptor of
// another.
func TestFinalizers(t *testing.T) {
	lost, done := make(chan bool), make(chan string)
	sim.NewSimpleMachine(func() {
		for range 20 {
			if _, err := os.Create("/tmp/lost"); err != nil {
				panic(err)
			}
		}
		lost <- true
		select {}
	})
	sim.NewSimpleMachine(func() {
		<-lost
		f, err := os.Create("/tmp/kept")
		if err != nil {
			panic(err)
		}
		for range 50 {
			garbage = append(garbage[:0], make([]byte, 1<<20)...)
			time.Sleep(time.Millisecond)
		}
		if _, err := f.WriteString("still open"); err != nil {
			done <- err.Error()
		}
		done <- "ok"
	})
	if got := <-done; got != "ok" {
		t.Error(got)
	}
}

var garbage []byte
