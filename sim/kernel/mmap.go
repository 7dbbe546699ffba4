package kernel

import (
	"github.com/restep/restep/sim/kernel/abi"
	"github.com/restep/restep/sim/kernel/vfs"
)

// Simulated mappings are private anonymous memory of the real process, at
// addresses that the kernel hands out in a window of its own. A file's bytes
// are copied in when it is mapped and whenever a system call changes them; what
// a process stores through a shared mapping is taken over (pulled) before any
// call looks at the file. Which pages that may be is known from faults: they
// are read-only until the first store. Where the host has no faults to offer,
// every page of a writable mapping is compared.
//
// Several mappings of one file see each other's stores without a system call,
// too: the page that one may write to is inaccessible through the others until
// they touch it.

// Memory is how the kernel reaches the memory of processes. Sizes and
// addresses are whole pages; prot is abi.PROT_READ and so on.
type Memory struct {
	// Base and Size are the window in which addresses are handed out.
	Base, Size uintptr
	// Map makes inaccessible memory, Unmap frees it; Protect changes what may
	// be done with it, Discard makes it read as zero.
	Map, Unmap, Discard func(addr, size uintptr) bool
	Protect             func(addr, size uintptr, prot int) bool
	// Store writes to memory that the process may not write to, which is much
	// faster than to protect it twice; nil, or false, where that cannot be done.
	Store func(addr uintptr, p []byte) bool
	// Faults says that Kernel.Fault is called for forbidden accesses.
	Faults bool
}

// mapping is one area that mmap(2) made, or what is left of it.
type mapping struct {
	p          *Process
	start, end uintptr
	prot       int
	shared     bool
	mayWrite   bool       // the file was open for writing
	inode      *vfs.Inode // nil for anonymous memory
	off        int64      // of the first page in the file
	path       string     // of the file, for /proc
	pages      []pageState
	// low and high bound which pages may differ: [low, high).
	low, high int
}

// pageState says what is known of a page of a shared mapping of a file.
type pageState uint8

const (
	pageDiffers pageState = 1 << iota // may differ from the file's bytes
	pageOpen                          // writable without a fault
	pageStale                         // another mapping has newer bytes; inaccessible
	pageShown                         // has the file's bytes, or had them before any of these
)

func (mp *mapping) size() uintptr { return mp.end - mp.start }

// writes reports whether stores through the mapping go to the file.
func (mp *mapping) writes() bool {
	return mp.shared && mp.inode != nil && mp.prot&abi.PROT_WRITE != 0
}

// valid is how many pages of the mapping lie inside the file.
func (mp *mapping) valid() int {
	n := int(mp.size() / abi.PageSize)
	if mp.inode == nil {
		return n
	}
	left := (mp.inode.Size() - mp.off + abi.PageSize - 1) / abi.PageSize
	return int(max(0, min(int64(n), left)))
}

// prots is the protection of the real memory of page i.
func (mp *mapping) protOf(i int) int {
	switch {
	case i >= mp.valid(), i >= len(mp.pages), mp.pages[i]&pageStale != 0:
		return abi.PROT_NONE
	case mp.writes() && mp.p.m.k.host.Memory.Faults && mp.pages[i]&pageOpen == 0:
		return mp.prot &^ abi.PROT_WRITE
	}
	return mp.prot
}

// protect gives the pages from first to last their protection.
func (mp *mapping) protect(first, last int) {
	if mp.inode == nil {
		mp.p.m.k.host.Memory.Protect(mp.start+uintptr(first)*abi.PageSize, uintptr(last-first)*abi.PageSize, mp.prot)
		return
	}
	inside := min(mp.valid(), len(mp.pages))
	for first < last {
		prot, next := mp.protOf(first), first+1
		if first >= inside {
			next = last
		}
		for next < last && next < inside && (mp.pages[next] == mp.pages[first] || mp.protOf(next) == prot) {
			next++
		}
		mp.p.m.k.host.Memory.Protect(mp.start+uintptr(first)*abi.PageSize, uintptr(next-first)*abi.PageSize, prot)
		first = next
	}
}

// page is the memory of page i.
func (mp *mapping) page(i int) *[abi.PageSize]byte {
	return (*[abi.PageSize]byte)(pointer(mp.start + uintptr(i)*abi.PageSize))
}

// fill copies the file's bytes into the pages from first to last, which become
// accessible, and closes those behind the end of the file. Where the file has a
// hole no memory is used; fresh says that it reads as zero already.
func (mp *mapping) fill(first, last int, fresh bool) {
	mem := &mp.p.m.k.host.Memory
	mp.grow()
	inside := min(last, mp.valid())
	for i := first; i < inside; {
		data := mp.nextData(i, inside)
		if i < data && !fresh {
			mem.Discard(mp.start+uintptr(i)*abi.PageSize, uintptr(data-i)*abi.PageSize)
		}
		for i = data; i < inside && mp.nextData(i, inside) == i; i++ {
		}
		if data < i {
			mem.Protect(mp.start+uintptr(data)*abi.PageSize, uintptr(i-data)*abi.PageSize, abi.PROT_READ|abi.PROT_WRITE)
		}
		for ; data < i; data++ {
			mp.inode.Peek(mp.page(data)[:], mp.off+int64(data)*abi.PageSize)
		}
	}
	for i := first; i < min(last, len(mp.pages)); i++ {
		mp.pages[i] = 0
		if i < inside {
			mp.pages[i] = pageShown
		}
	}
	mp.protect(first, last)
}

// storeMax is how many pages are written one by one rather than protected
// together.
const storeMax = 4

// store copies the file's bytes from off to end into pages that are accessible
// and stay so; false if there are others, or too many.
func (mp *mapping) store(off, end int64) bool {
	k := mp.p.m.k
	off, end = max(off, mp.off), min(end, mp.off+int64(mp.size()))
	if k.host.Memory.Store == nil || !mp.shared || off >= end || end > mp.inode.Size() {
		return false
	}
	first, last := int((off-mp.off)/abi.PageSize), int((end-mp.off+abi.PageSize-1)/abi.PageSize)
	if last-first > storeMax || last > len(mp.pages) {
		return false
	}
	for i := first; i < last; i++ {
		if mp.pages[i] != pageShown || mp.nextData(i, last) != i {
			return false
		}
	}
	if k.page == nil {
		k.page = new([abi.PageSize]byte)
	}
	for off < end {
		p := k.page[:min(end-off, abi.PageSize)]
		mp.inode.Peek(p, off)
		if !k.host.Memory.Store(mp.start+uintptr(off-mp.off), p) {
			return false
		}
		off += int64(len(p))
	}
	return true
}

// nextData is the first page from i on that is no hole of the file, last for
// none before it.
func (mp *mapping) nextData(i, last int) int {
	off := mp.inode.NextData(mp.off + int64(i)*abi.PageSize)
	if off < 0 {
		return last
	}
	return int(min(int64(last), (off-mp.off)/abi.PageSize))
}

// grow makes room for the states of all pages inside the file.
func (mp *mapping) grow() {
	if n := mp.valid(); n > len(mp.pages) {
		mp.pages = append(mp.pages, make([]pageState, n-len(mp.pages))...)
	}
}

// fileView is all mappings of one file: its vfs.View.
type fileView struct {
	maps []*mapping
}

// Pull takes over what was stored.
func (v *fileView) Pull() {
	for _, mp := range v.maps {
		if mp.writes() {
			mp.pull()
		}
	}
}

func (mp *mapping) pull() {
	faults := mp.p.m.k.host.Memory.Faults
	n := min(len(mp.pages), mp.valid())
	first := 0
	if faults {
		low, high := mp.low, mp.high
		mp.low, mp.high = max(low, min(n, high)), high // what lies behind the end of the file stays
		first, n = low, min(n, high)
	}
	for i := first; i < n; i++ {
		if faults && mp.pages[i]&pageDiffers == 0 {
			continue
		}
		changed := mp.inode.Store(mp.page(i), mp.off+int64(i)*abi.PageSize)
		if faults {
			mp.pages[i] &^= pageDiffers | pageOpen
			mp.protect(i, i+1)
		}
		if changed {
			mp.inode.View().(*fileView).changed(mp, mp.off+int64(i)*abi.PageSize, mp.off+int64(i+1)*abi.PageSize)
		}
	}
}

// Changed shows new bytes in every mapping.
func (v *fileView) Changed(off, end int64) { v.changed(nil, off, end) }

func (v *fileView) changed(but *mapping, off, end int64) {
	for _, mp := range v.maps {
		if mp == but {
			continue
		}
		first := max(0, (off-mp.off)/abi.PageSize)
		if !mp.shared && mp.prot&abi.PROT_WRITE != 0 {
			first = max(first, int64(len(mp.pages))) // what became of a private page is the process's own
		}
		last := min(int64(mp.size()/abi.PageSize), (end-mp.off+abi.PageSize-1)/abi.PageSize)
		if first < last && !mp.store(off, end) {
			mp.fill(int(first), int(last), false)
		}
	}
}

// add and remove keep the list of a file's mappings.
func (mp *mapping) add() {
	v, ok := mp.inode.View().(*fileView)
	if !ok {
		v = &fileView{}
		mp.inode.SetView(v)
		mp.inode.Open()
	}
	v.maps = append(v.maps, mp)
}

func (mp *mapping) remove() {
	v := mp.inode.View().(*fileView)
	for i := range v.maps {
		if v.maps[i] == mp {
			v.maps = append(v.maps[:i], v.maps[i+1:]...)
			break
		}
	}
	if len(v.maps) == 0 {
		mp.inode.SetView(nil)
		mp.inode.Close()
	}
}

// Fault is told of an access to forbidden memory at addr. It reports whether
// the access may be tried again. It allocates nothing: it is called in the
// handler of a signal.
func (k *Kernel) Fault(addr uintptr) bool {
	mp := k.mapAt(addr)
	if mp == nil || mp.inode == nil || !mp.shared {
		return false
	}
	i := int((addr - mp.start) / abi.PageSize)
	if i >= len(mp.pages) || i >= mp.valid() {
		return false
	}
	v := mp.inode.View().(*fileView)
	if mp.pages[i]&pageStale != 0 {
		for _, o := range v.maps {
			if j := o.index(mp.off + int64(i)*abi.PageSize); o != mp && j >= 0 && o.pages[j]&pageDiffers != 0 {
				k.host.Memory.Protect(mp.start+uintptr(i)*abi.PageSize, abi.PageSize, abi.PROT_READ|abi.PROT_WRITE)
				*mp.page(i) = *o.page(j)
				o.pages[j] &^= pageOpen
				o.protect(j, j+1)
			}
		}
		mp.pages[i] &^= pageStale
		mp.protect(i, i+1)
		return true
	}
	if !mp.writes() || mp.pages[i]&pageOpen != 0 {
		return false
	}
	for _, o := range v.maps {
		if j := o.index(mp.off + int64(i)*abi.PageSize); o != mp && o.shared && j >= 0 {
			o.pages[j] = o.pages[j]&^(pageOpen|pageDiffers) | pageStale
			o.protect(j, j+1)
		}
	}
	mp.pages[i] |= pageDiffers | pageOpen
	mp.differs(i)
	mp.protect(i, i+1)
	return true
}

// differs widens the bounds of what may differ.
func (mp *mapping) differs(i int) {
	if mp.low == mp.high {
		mp.low, mp.high = i, i+1
		return
	}
	mp.low, mp.high = min(mp.low, i), max(mp.high, i+1)
}

// index is the page of the mapping that shows the file from offset off on, -1
// for none.
func (mp *mapping) index(off int64) int {
	i := (off - mp.off) / abi.PageSize
	if off < mp.off || i >= int64(len(mp.pages)) || i >= int64(mp.valid()) {
		return -1
	}
	return int(i)
}

// mapAt is the mapping that holds addr.
func (k *Kernel) mapAt(addr uintptr) *mapping {
	lo, hi := 0, len(k.maps)
	for lo < hi {
		mid := (lo + hi) / 2
		if k.maps[mid].end <= addr {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo < len(k.maps) && k.maps[lo].start <= addr {
		return k.maps[lo]
	}
	return nil
}

// place finds room for size bytes, with a page that nobody has around it; 0
// when there is none.
func (k *Kernel) place(size uintptr) uintptr {
	mem := &k.host.Memory
	at := mem.Base
	for _, mp := range k.maps {
		if mp.start >= at+size+abi.PageSize {
			break
		}
		at = mp.end + abi.PageSize
	}
	if size > mem.Size || at+size > mem.Base+mem.Size {
		return 0
	}
	return at
}

// insert puts mp into the list of mappings, which is in order of addresses.
func (k *Kernel) insertMap(mp *mapping) {
	i := 0
	for i < len(k.maps) && k.maps[i].start < mp.start {
		i++
	}
	k.maps = append(k.maps, nil)
	copy(k.maps[i+1:], k.maps[i:])
	k.maps[i] = mp
	if mp.inode != nil {
		mp.add()
	}
}

func (k *Kernel) removeMap(mp *mapping) {
	for i := range k.maps {
		if k.maps[i] == mp {
			k.maps = append(k.maps[:i], k.maps[i+1:]...)
			break
		}
	}
	if mp.inode != nil {
		mp.remove()
	}
}

// split cuts the process's mappings so that none reaches over addr.
func (k *Kernel) splitMap(p *Process, addr uintptr) {
	mp := k.mapAt(addr)
	if mp == nil || mp.p != p || mp.start == addr {
		return
	}
	right := *mp
	n := int((addr - mp.start) / abi.PageSize)
	mp.end, right.start = addr, addr
	right.off += int64(n) * abi.PageSize
	if n < len(mp.pages) {
		right.pages = append([]pageState(nil), mp.pages[n:]...)
		mp.pages = mp.pages[:n:n]
	} else {
		right.pages = nil
	}
	right.low, right.high = max(0, mp.low-n), max(0, mp.high-n)
	mp.low, mp.high = min(mp.low, n), min(mp.high, n)
	k.insertMap(&right)
}

// mapsIn are the process's mappings from start to end, cut to these bounds.
// whole reports whether they leave no gap.
func (k *Kernel) mapsIn(p *Process, start, end uintptr) (list []*mapping, whole bool) {
	k.splitMap(p, start)
	k.splitMap(p, end)
	at := start
	whole = true
	for _, mp := range k.maps {
		if mp.p == p && mp.start >= start && mp.end <= end {
			whole = whole && mp.start == at
			at = mp.end
			list = append(list, mp)
		}
	}
	return list, whole && at == end
}

// unmap gives up the process's mappings from start to end.
func (k *Kernel) unmap(p *Process, start, end uintptr) {
	list, _ := k.mapsIn(p, start, end)
	for _, mp := range list {
		if mp.writes() {
			mp.pull()
		}
		k.removeMap(mp)
		k.host.Memory.Unmap(mp.start, mp.size())
	}
}

// dropMaps ends every mapping of a process. lost says that the power went:
// nothing is taken over.
func (p *Process) dropMaps(lost bool) {
	k := p.m.k
	for i := 0; i < len(k.maps); {
		mp := k.maps[i]
		if mp.p != p {
			i++
			continue
		}
		if mp.writes() && !lost {
			mp.pull()
		}
		k.removeMap(mp)
		k.host.Memory.Unmap(mp.start, mp.size())
	}
}

// pullAll takes over what the machine's processes stored in mapped files.
func (m *Machine) pullAll() {
	for _, mp := range m.k.maps {
		if mp.p.m == m && mp.writes() {
			mp.pull()
		}
	}
}
