package bbolt

import (
	"errors"
	"fmt"
	"log"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/restep/restep/sim"
	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

var bucket = []byte("numbers")

// writer commits one key after the other, with values of many sizes, and
// deletes some; acked is the last one whose commit returned.
func writer(acked *int, options bolt.Options) {
	db, err := bolt.Open("/data.db", 0o600, &options)
	if err != nil {
		log.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for i := 1; ; i++ {
		err := db.Update(func(tx *bolt.Tx) error {
			b, err := tx.CreateBucketIfNotExists(bucket)
			if err != nil {
				return err
			}
			if err := b.Delete(key(i - 10)); err != nil {
				return err
			}
			return b.Put(key(i), make([]byte, 1+r.IntN(3000)))
		})
		if err != nil {
			log.Fatal(err)
		}
		*acked = i
	}
}

func key(i int) []byte { return fmt.Appendf(nil, "%08d", i) }

// check opens what a power failure has left: it must be a sound database that
// ends with commit low, or a later one up to high.
func check(low, high int) error {
	db, err := bolt.Open("/data.db", 0o600, &bolt.Options{Timeout: time.Second})
	if err != nil {
		if low == 0 {
			return nil // no commit was promised
		}
		return fmt.Errorf("open: %w", err)
	}
	defer db.Close()
	return db.View(func(tx *bolt.Tx) error {
		for err := range tx.Check() {
			return fmt.Errorf("check: %w", err)
		}
		last := 0
		if b := tx.Bucket(bucket); b != nil {
			if k, _ := b.Cursor().Last(); k != nil {
				if _, err := fmt.Sscanf(string(k), "%d", &last); err != nil {
					return err
				}
			}
			for i := last; i > max(0, last-10); i-- {
				if b.Get(key(i)) == nil {
					return fmt.Errorf("of the last ten keys, %d is missing and %d there", i, last)
				}
			}
		}
		if last < low || last > high {
			return fmt.Errorf("the last commit is %d, not one from %d to %d", last, low, high)
		}
		return nil
	})
}

// cutPower stops a writer at moments drawn by the seed, boots a machine with
// each disk that a power failure could leave, and returns how many disks it
// looked at and what was wrong first. It ends when it has seen as many disks as
// wanted; a moment at which nothing is unsynced gives but one.
func cutPower(options bolt.Options, wanted, states int) (disks int, first error) {
	acked := 0
	m := sim.NewMachine(sim.MachineConfig{Label: "db", MainFunc: func() { writer(&acked, options) }})
	for cuts := 0; disks < wanted && cuts < 1000; cuts++ {
		for range rand.IntN(400) {
			sim.Yield()
		}
		low := acked
		found := m.CrashStates(states)
		high := acked + 1 // one more may be on its way
		for _, s := range found {
			disks++
			var err error
			c := sim.NewMachine(sim.MachineConfig{
				Label: "check", Disk: sim.Disk{From: s}, MayExit: true, MainFunc: func() { err = check(low, high) },
			})
			c.Wait()
			if code := c.ExitCode(); err == nil && code != 0 {
				err = fmt.Errorf("the program ended with %d", code)
			}
			c.Remove()
			if err != nil {
				return disks, fmt.Errorf("after %d commits, with %v: %w", low, s, err)
			}
		}
	}
	return disks, nil
}

// TestPowerCuts: whatever a power failure leaves, bbolt opens it, finds no
// fault in it, and has every commit that was acknowledged.
func TestPowerCuts(t *testing.T) {
	disks, err := cutPower(bolt.Options{}, 150, 60)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d disks", disks)
	if disks < 150 {
		t.Errorf("only %d disks", disks)
	}
}

// TestPowerCutsWithoutSync: with the sync left out, some power failure does
// damage. It shows that TestPowerCuts can fail.
func TestPowerCutsWithoutSync(t *testing.T) {
	_, err := cutPower(bolt.Options{NoSync: true}, 2000, 60)
	if err == nil {
		t.Fatal("2000 disks after power failures without fdatasync were sound")
	}
	t.Log("found:", err)
}

// TestLock: a second process that opens the database waits for the first.
func TestLock(t *testing.T) {
	a, err := bolt.Open(t.TempDir()+"/db", 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bolt.Open(a.Path(), 0o600, &bolt.Options{Timeout: time.Second}); !errors.Is(err, bolterrors.ErrTimeout) {
		t.Errorf("a database that is open: %v", err)
	}
	opened := make(chan error)
	go func() {
		b, err := bolt.Open(a.Path(), 0o600, nil)
		if err == nil {
			err = b.Close()
		}
		opened <- err
	}()
	time.Sleep(time.Second) // sim:ok simulated time: the other opener must not get in during it
	select {
	case err := <-opened:
		t.Errorf("a database that is open: %v", err)
	default:
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-opened; err != nil {
		t.Error(err)
	}
}
