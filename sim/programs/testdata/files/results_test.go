package files

import (
	"syscall"
	"testing"
	"unsafe"
)

// TestSecondResult: programs read the second result of a call, which is what
// the kernel leaves in a register, as badger does for the size of a mapping.
func TestSecondResult(t *testing.T) {
	f := open(t, t.TempDir()+"/f", syscall.O_RDWR|syscall.O_CREAT)
	p := []byte("hello")
	for _, call := range []func(trap, a1, a2, a3 uintptr) (r1, r2 uintptr, err syscall.Errno){syscall.Syscall, syscall.RawSyscall} {
		r1, r2, errno := call(syscall.SYS_WRITE, uintptr(f), uintptr(unsafe.Pointer(&p[0])), 4)
		t.Log(r1, r2 == 4, r2 == uintptr(unsafe.Pointer(&p[0])), errno)
		r1, r2, errno = call(syscall.SYS_LSEEK, uintptr(f), 2, 0)
		t.Log(r1, r2, errno)
		r1, r2, errno = call(syscall.SYS_LSEEK, uintptr(f), 2, 99)
		t.Log(r1 == ^uintptr(0), r2, errno)
	}
}
