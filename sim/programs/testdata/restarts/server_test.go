package restarts

import (
	"context"
	"io"
	"iter"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// serve is the server's program: HTTP, and a goroutine that waits on each thing
// there is to wait on. None of the waits ends while the machine is up.
func serve(w *witness) {
	w.boots++
	boot := w.boots
	park := func(what string, f func()) {
		go func() {
			defer w.seen(boot, "deferred: "+what)
			f()
			w.seen(boot, what)
		}()
	}
	parkOnChannels(w, park)
	parkOnLocks(w, park)
	parkOnTimers(w, boot, park)
	parkOnNetwork(park)
	parkOnCoroutines(w, park)
	park("flock", func() { lockTwice("/lock") })
	park("signal", func() {
		c := make(chan os.Signal, 1)
		signal.Notify(c, syscall.SIGUSR1)
		<-c
	})
	leaveGarbage(w, boot)
	http.HandleFunc("/", func(rw http.ResponseWriter, r *http.Request) {
		served++
		w.seen(boot, "handler")
		io.WriteString(rw, "ok")
	})
	http.HandleFunc("/slow", func(rw http.ResponseWriter, r *http.Request) {
		defer w.seen(boot, "deferred: slow handler")
		<-r.Context().Done()
		w.seen(boot, "slow handler")
	})
	log.Fatal(http.ListenAndServe("10.0.0.1:80", nil))
}

func parkOnChannels(w *witness, park func(string, func())) {
	park("receive", func() { <-w.never })
	park("send", func() { w.never <- 1 })
	park("select", func() {
		own := make(chan int)
		select {
		case <-w.never:
		case w.never <- 1:
		case <-own:
		case <-time.After(1000 * time.Hour):
		}
	})
	park("nil channel", func() { <-chan int(nil) })
	park("empty select", func() { select {} })
}

func parkOnLocks(w *witness, park func(string, func())) {
	park("Mutex", w.held.Lock)
	park("RWMutex.RLock", w.rw.RLock)
	park("RWMutex.Lock", w.rw.Lock)
	park("Cond", w.cond.Wait)
	park("WaitGroup", w.wg.Wait)
	var own sync.Mutex
	own.Lock()
	park("own Mutex", own.Lock)
	cond := sync.NewCond(new(sync.Mutex))
	park("own Cond", func() { cond.L.Lock(); cond.Wait() })
	var once sync.Once
	park("Once", func() { once.Do(func() { select {} }) })
	park("Once", func() { once.Do(func() {}) })
}

func parkOnTimers(w *witness, boot int, park func(string, func())) {
	park("Sleep", func() { time.Sleep(1000 * time.Hour) })
	park("short Sleep", func() {
		for {
			time.Sleep(time.Millisecond)
			served++
			w.seen(boot, "short Sleep")
		}
	})
	park("ticker", func() {
		for range time.Tick(time.Millisecond) {
			served++
			w.seen(boot, "ticker")
		}
	})
	time.AfterFunc(8*time.Second, func() { w.seen(boot, "AfterFunc") })
	time.AfterFunc(1000*time.Hour, func() { w.seen(boot, "late AfterFunc") })
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	park("context", func() {
		defer cancel()
		<-ctx.Done()
	})
}

func parkOnNetwork(park func(string, func())) {
	park("accept", func() {
		l, err := net.Listen("tcp", "10.0.0.1:81")
		if err != nil {
			log.Fatal(err)
		}
		l.Accept()
	})
	dial := func() net.Conn {
		c, err := net.Dial("tcp", "main:99")
		if err != nil {
			log.Fatal(err)
		}
		return c
	}
	park("read", func() { dial().Read(make([]byte, 10)) })
	park("read with deadline", func() {
		c := dial()
		c.SetDeadline(time.Now().Add(time.Hour))
		c.Read(make([]byte, 10))
	})
	park("write", func() {
		c, block := dial(), make([]byte, 1<<16)
		for {
			if _, err := c.Write(block); err != nil {
				log.Fatal(err)
			}
		}
	})
	park("UDP", func() {
		c, err := net.ListenPacket("udp", "10.0.0.1:82")
		if err != nil {
			log.Fatal(err)
		}
		c.ReadFrom(make([]byte, 10))
	})
	park("pipe", func() {
		r, _, err := os.Pipe()
		if err != nil {
			log.Fatal(err)
		}
		r.Read(make([]byte, 10))
	})
}

func parkOnCoroutines(w *witness, park func(string, func())) {
	var blocks iter.Seq[int] = func(yield func(int) bool) {
		if yield(1) {
			<-w.never
		}
	}
	next, _ := iter.Pull(blocks) // not started
	park("coroutine", func() {
		next, _ := iter.Pull(blocks)
		next() // now it waits in yield
		park("coroutine's caller", func() { next() })
		<-w.never
	})
	park("coroutine not started", func() {
		<-w.never
		next()
	})
}

// lockTwice waits for a lock that another description of the file has.
func lockTwice(name string) {
	var files [2]*os.File
	for i := range files {
		f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			log.Fatal(err)
		}
		files[i] = f // or the collector closes it, and the lock is gone
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
			log.Fatal(err)
		}
	}
	runtime.KeepAlive(files)
}

// leaveGarbage leaves objects whose finalizer and cleanup wait for ever, as soon
// as a collection finds them.
func leaveGarbage(w *witness, boot int) {
	a, b := new([64]int), new([64]int)
	runtime.SetFinalizer(a, func(*[64]int) {
		defer w.seen(boot, "deferred: finalizer")
		<-w.never
		w.seen(boot, "finalizer")
	})
	runtime.AddCleanup(b, func(int) {
		defer w.seen(boot, "deferred: cleanup")
		<-w.never
		w.seen(boot, "cleanup")
	}, 0)
}
