package kernel

import "github.com/restep/restep/sim/kernel/abi"

// tables are the parts of the system call table; each part stands beside the
// functions it names.
var tables = [...][]Entry{
	processEntries, identityEntries, childEntries, fileEntries, notifyEntries, memoryEntries, socketEntries,
}

// numbers is the size of the index by number: the newest calls are below 470.
const numbers = 512

// index maps a number to its row; it is filled by newIndex.
type index [numbers]*Entry

func newIndex() *index {
	ix := new(index)
	for _, rows := range tables {
		for i := range rows {
			e := &rows[i]
			if e.Nr >= abi.NoCall {
				continue
			}
			assert(e.Nr >= 0 && e.Nr < numbers && ix[e.Nr] == nil, "system call "+e.Name+" has two rows")
			ix[e.Nr] = e
		}
	}
	return ix
}

func (k *Kernel) lookup(nr uintptr) *Entry {
	if nr >= numbers {
		return nil
	}
	return k.calls[nr]
}

// Entries returns the rows of the system call table by number.
func Entries() []Entry {
	var rows []Entry
	for _, e := range newIndex() {
		if e != nil {
			rows = append(rows, *e)
		}
	}
	return rows
}
