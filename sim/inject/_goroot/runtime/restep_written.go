package runtime

import "unsafe"

// Which pages of the heap are equal in the process and in a checkpoint, without
// a look at them: each page has a version, the process and every checkpoint a
// table of them. Equal versions are equal pages.
//
// A page gets a new version when a checkpoint is made and the page was written
// since the last one was made or gone back to. The kernel knows whether it was,
// when it is asked beforehand: at these moments all pages are write-protected for
// userfaultfd(2), the first write to one takes the protection away, in the kernel
// and with no one being told, and pagemap shows what is left of it.
//
// Invariant: a page that is still protected was not written since the process
// made a checkpoint or went back to one. Where the kernel cannot do it (it needs
// UFFD_FEATURE_WP_ASYNC and PAGEMAP_SCAN, Linux 6.7), or is not allowed to, no
// page is protected, none has a version, and all that two processes do not share
// are compared. Documentation/admin-guide/mm/userfaultfd.rst, pagemap.rst.

// restepVersions is how many pages from the start of the heap have a version;
// of those behind, 1 GiB away, no two are known to be equal.
const restepVersions = 1 << 18

// Bits of an entry of pagemap.
const (
	restepProtected = 1 << 57
	restepFrameBits = 1<<55 - 1 // 0 for processes without CAP_SYS_ADMIN
)

const (
	restepUffdUserOnly = 1 // UFFD_USER_MODE_ONLY: no privilege is needed
	restepUffdAPI      = 0xc018aa3f
	restepUffdRegister = 0xc020aa00
	restepUffdAsync    = 1 << 15 // UFFD_FEATURE_WP_ASYNC

	restepPagemapScan = 0xc0606610
	restepScanProtect = 1 // PM_SCAN_WP_MATCHING
	restepScanWritten = 2 // PAGE_IS_WRITTEN
	restepScanPresent = 8 // PAGE_IS_PRESENT
)

// restepScan is struct pm_scan_arg.
type restepScan struct {
	size, flags, start, end, walkEnd, vec, vecLen, maxPages uint64
	inverted, mask, anyOf, returned                         uint64
}

// restepNote gives new versions to the pages that the process has written, and
// the table that comes of it to checkpoint i, which is made next.
func restepNote(i int) {
	c := restep.control
	if c.uffd < 0 {
		return
	}
	memclrNoHeapPointers(unsafe.Pointer(&c.versions[1+i]), c.used*4)
	fd, ok := restepTryProc(0, 'p')
	if !ok {
		return
	}
	// A handler would write between the look at a page and its protection.
	all := ^uint64(0)
	restepSys(restepSysRtSigprocmask, 0, uintptr(unsafe.Pointer(&all)), 0, 8, 0, 0)
	if restepReadMaps(0, &c.mine) {
		c.version++
		for k := range c.mine.list[:c.mine.n] {
			restepNotePages(c, &c.mine.list[k], fd)
		}
		memmove(unsafe.Pointer(&c.versions[1+i]), unsafe.Pointer(&c.versions[0]), c.used*4)
		restepWatch(c, &c.mine, fd)
	}
	restepSys(restepSysRtSigprocmask, 2, uintptr(unsafe.Pointer(&c.mask[i])), 0, 8, 0, 0)
	restepSys(restepSysClose, fd, 0, 0, 0, 0, 0)
}

// restepNotePages gives a version to each page of one mapping that is in memory
// and not protected.
func restepNotePages(c *restepControl, m *restepMapping, pagemap uintptr) {
	lo, hi := max(m.lo, c.heap), min(m.hi, c.heap+restepVersions*restepPageSize)
	if m.shared || m.prot == 0 {
		return
	}
	for lo < hi {
		n := min((hi-lo)/restepPageSize, uintptr(len(c.present[0])))
		got, errno := restepSys(restepSysPread, pagemap, uintptr(unsafe.Pointer(&c.present[0])), n*8, lo/restepPageSize*8, 0, 0)
		if errno != 0 {
			got = 0
		}
		first := (lo - c.heap) / restepPageSize
		for k := range n {
			if e := c.present[0][k]; k >= got/8 || e>>62 != 0 && e&restepProtected == 0 {
				c.versions[0][first+k] = c.version
				c.used = max(c.used, first+k+1)
			}
		}
		lo += n * restepPageSize
	}
}

// restepWatch has the kernel protect the pages of some mappings, which are those
// of the process, with its pagemap.
//
//go:nowritebarrierrec
func restepWatch(c *restepControl, maps *restepMappings, pagemap uintptr) {
	if c.uffd == 0 {
		c.uffd = restepOpenUffd()
	}
	if c.uffd < 0 {
		return
	}
	end := c.heap + restepVersions*restepPageSize
	for i := range maps.list[:maps.n] {
		m := &maps.list[i]
		if lo, hi := max(m.lo, c.heap), min(m.hi, end); lo < hi && !m.shared && m.prot&_PROT_WRITE != 0 {
			register := [4]uint64{uint64(lo), uint64(hi - lo), 2, 0} // UFFDIO_REGISTER_MODE_WP
			restepSys(restepSysIoctl, uintptr(c.uffd), restepUffdRegister, uintptr(unsafe.Pointer(&register)), 0, 0, 0)
		}
	}
	scan := restepScan{flags: restepScanProtect, start: uint64(c.heap), end: uint64(end),
		mask: restepScanWritten | restepScanPresent, returned: restepScanWritten | restepScanPresent}
	scan.size = uint64(unsafe.Sizeof(scan))
	restepSys(restepSysIoctl, pagemap, restepPagemapScan, uintptr(unsafe.Pointer(&scan)), 0, 0, 0)
}

// restepOpenUffd returns a file for restepWatch, -1 when there is none.
//
//go:nowritebarrierrec
func restepOpenUffd() int64 {
	fd, errno := restepSys(restepSysUserfaultfd, 0x80000|restepUffdUserOnly, 0, 0, 0, 0, 0) // O_CLOEXEC
	if errno != 0 {
		return -1
	}
	api := [3]uint64{0xaa, restepUffdAsync, 0}
	if _, errno := restepSys(restepSysIoctl, fd, restepUffdAPI, uintptr(unsafe.Pointer(&api)), 0, 0, 0); errno != 0 {
		restepSys(restepSysClose, fd, 0, 0, 0, 0, 0)
		return -1
	}
	return int64(fd)
}

// same reports whether page p, the i-th of the present ones, is known to be the
// same in the process and in the checkpoint.
//
//go:nowritebarrierrec
func (w *restepWalk) same(p, i uintptr) bool {
	c := w.c
	a, b := c.present[0][i], c.present[1][i]
	if a>>63 == 0 || b>>63 == 0 {
		return false
	}
	if frame := a & restepFrameBits; frame != 0 && frame == b&restepFrameBits {
		return true
	}
	n := (p - c.heap) / restepPageSize
	if a&restepProtected == 0 || n >= restepVersions {
		return false
	}
	v := c.versions[0][n]
	return v != 0 && v == c.versions[1+c.from][n]
}
