package sqlite

import (
	"database/sql"
	"fmt"
	"log"
	"math/rand/v2"
	"testing"

	"github.com/restep/restep/sim"
	_ "modernc.org/sqlite"
)

const (
	accounts = 8
	total    = 1000 * accounts
	anything = 1 << 30 // transactions that may be lost
)

// mode is the values of two pragmas.
type mode struct{ journal, synchronous string }

// open opens the machine's database in this mode.
func (m mode) open() (*sql.DB, error) {
	const name = "file:/data.db?_txlock=immediate&_busy_timeout=1000"
	db, err := sql.Open("sqlite", fmt.Sprintf("%s&_pragma=journal_mode(%s)&_pragma=synchronous(%s)", name, m.journal, m.synchronous))
	if err == nil {
		db.SetMaxOpenConns(1)
	}
	return db, err
}

// bank moves money between accounts, one transaction after the other, each with
// its number in the database; acked is the last one whose commit returned.
func bank(m mode, acked *int) {
	db, err := m.open()
	if err != nil {
		log.Fatal(err)
	}
	r := rand.New(rand.NewPCG(3, 4))
	for i := 1; ; i++ {
		if err := transfer(db, i, r); err != nil {
			log.Fatal(err)
		}
		*acked = i
	}
}

// transfer is transaction i; the first one makes the tables.
func transfer(db *sql.DB, i int, r *rand.Rand) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	do := func(query string, args ...any) {
		if err == nil {
			_, err = tx.Exec(query, args...)
		}
	}
	if i == 1 {
		do("create table last(n integer)")
		do("insert into last values(0)")
		do("create table account(id integer primary key, balance integer, note blob)")
		for id := range accounts {
			do("insert into account values(?, ?, '')", id, total/accounts)
		}
	}
	amount := r.IntN(50)
	do("update account set balance = balance - ?, note = zeroblob(?) where id = ?", amount, r.IntN(3000), r.IntN(accounts))
	do("update account set balance = balance + ? where id = ?", amount, r.IntN(accounts))
	do("update last set n = ?", i)
	if err != nil {
		return err
	}
	return tx.Commit()
}

// check opens what a power failure has left: it must be a sound database, its
// money complete, that ends with transaction low, or a later one up to high.
func check(m mode, low, high int) error {
	db, err := m.open()
	if err != nil {
		return err
	}
	defer db.Close()
	var verdict string
	if err := db.QueryRow("pragma integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
		return fmt.Errorf("integrity_check: %s, %v", verdict, err)
	}
	var tables, last, sum int
	if err := db.QueryRow("select count(*) from sqlite_master where type = 'table'").Scan(&tables); err != nil {
		return err
	}
	if tables > 0 {
		if err := db.QueryRow("select n, (select sum(balance) from account) from last").Scan(&last, &sum); err != nil {
			return err
		}
		if sum != total {
			return fmt.Errorf("after transaction %d the accounts have %d, not %d", last, sum, total)
		}
	}
	if last < low || last > high {
		return fmt.Errorf("the last transaction is %d, not one from %d to %d", last, low, high)
	}
	return nil
}

// cutPower stops a bank at moments drawn by the seed, boots a machine with each
// disk that a power failure could leave, and returns how many disks it looked
// at and what was wrong first. As many acknowledged transactions may be lost as
// lost says.
func cutPower(mo mode, lost, wanted int) (disks int, first error) {
	acked := 0
	m := sim.NewMachine(sim.MachineConfig{Label: "db", MainFunc: func() { bank(mo, &acked) }})
	defer m.Remove()
	defer m.Crash()
	for cuts := 0; disks < wanted && cuts < 1000; cuts++ {
		for range rand.IntN(400) {
			sim.Yield()
		}
		then := acked
		low := max(0, then-lost)
		found := m.CrashStates(40)
		high := acked + 1 // one more may be on its way
		for _, s := range found {
			disks++
			var err error
			c := sim.NewMachine(sim.MachineConfig{
				Label: "check", Disk: sim.Disk{From: s}, MayExit: true, MainFunc: func() { err = check(mo, low, high) },
			})
			c.Wait()
			if code := c.ExitCode(); err == nil && code != 0 {
				err = fmt.Errorf("the program ended with %d", code)
			}
			c.Remove()
			if err != nil {
				return disks, fmt.Errorf("after %d transactions, with %v: %w", then, s, err)
			}
		}
	}
	return disks, nil
}

// TestPowerCuts: in each mode that promises it, SQLite opens whatever a power
// failure leaves, finds no fault in it, and has every transaction that was
// acknowledged.
func TestPowerCuts(t *testing.T) {
	for _, m := range []mode{{"wal", "full"}, {"delete", "extra"}, {"truncate", "full"}, {"persist", "full"}} {
		t.Run(m.journal+" "+m.synchronous, func(t *testing.T) {
			disks, err := cutPower(m, 0, 100)
			if err != nil || disks < 100 {
				t.Errorf("%d disks, %v", disks, err)
			}
		})
	}
}

// TestLastCommit: what SQLite's manual says of synchronous in other modes. A
// journal that is unlinked without a sync of its folder can come back and undo
// the last transaction, and no other; with a log that is not synced at each
// commit, later ones are lost but nothing is damaged.
func TestLastCommit(t *testing.T) {
	for _, c := range []struct {
		mode mode
		lost int
	}{{mode{"delete", "full"}, 1}, {mode{"wal", "normal"}, anything}} {
		t.Run(c.mode.journal+" "+c.mode.synchronous, func(t *testing.T) {
			if disks, err := cutPower(c.mode, c.lost, 100); err != nil || disks < 100 {
				t.Errorf("%d disks, %v", disks, err)
			}
			_, err := cutPower(c.mode, 0, 1000)
			if err == nil {
				t.Fatal("1000 disks after power failures have every transaction")
			}
			t.Log("found:", err)
		})
	}
}

// TestWithoutSync: with synchronous off some power failure does damage. It
// shows that TestPowerCuts can fail.
func TestWithoutSync(t *testing.T) {
	_, err := cutPower(mode{"delete", "off"}, anything, 2000)
	if err == nil {
		t.Fatal("2000 disks after power failures without fsync were sound")
	}
	t.Log("found:", err)
}
