package target

import (
	"bufio"
	"bytes"
	"fmt"
	"hash/maphash"
	"os"
	"strconv"
	"strings"

	"github.com/go-delve/delve/pkg/proc"
)

// fingerprint tells the moments of a run apart at which the same goroutine
// stands at the same instruction between the same two steps, as in a loop. Two
// moments of one deterministic process with the same memory are the same moment.
// Left out are registers that are not in use, and with them the stack of the
// scheduler: what lies there may come from the clock that says when to make a
// checkpoint.
type fingerprint struct {
	near   uint64 // of the top of the stack: cheap
	memory uint64 // of all memory that the program can write
}

// fingerprintSeed is the same for all fingerprints of a process.
var fingerprintSeed = maphash.MakeSeed()

// nearStack is how much of the stack is part of fingerprint.near, in bytes.
const nearStack = 1024

// near computes the cheap half. The debugger's lock must be held.
func (t *Target) near(tgt *proc.Target) (uint64, error) {
	thread := tgt.CurrentThread()
	regs, err := thread.Registers()
	if err != nil {
		return 0, fmt.Errorf("read the registers: %w", err)
	}
	var h maphash.Hash
	h.SetSeed(fingerprintSeed)
	for _, r := range [...]uint64{regs.PC(), regs.SP(), regs.BP()} {
		h.WriteString(strconv.FormatUint(r, 16))
		h.WriteByte(' ')
	}
	stack := make([]byte, nearStack)
	if n, err := tgt.Memory().ReadMemory(stack, regs.SP()); err == nil {
		h.Write(stack[:n])
	}
	return h.Sum64(), nil
}

// memory computes the other half. What the debugger itself writes into the
// program does not count. The debugger's lock must be held.
func (t *Target) memory(tgt *proc.Target) (uint64, error) {
	vars, err := t.variables(tgt)
	if err != nil {
		return 0, err
	}
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", tgt.Pid()))
	if err != nil {
		return 0, fmt.Errorf("read the program's memory: %w", err)
	}
	mem, err := os.Open(fmt.Sprintf("/proc/%d/mem", tgt.Pid()))
	if err != nil {
		return 0, fmt.Errorf("read the program's memory: %w", err)
	}
	defer mem.Close()
	pagemap, err := os.Open(fmt.Sprintf("/proc/%d/pagemap", tgt.Pid()))
	if err != nil {
		return 0, fmt.Errorf("read the program's memory: %w", err)
	}
	defer pagemap.Close()
	var h maphash.Hash
	h.SetSeed(fingerprintSeed)
	page := make([]byte, pageSize)
	for s := bufio.NewScanner(bytes.NewReader(maps)); s.Scan(); {
		var lo, hi uint64
		var prot string
		if _, err := fmt.Sscanf(s.Text(), "%x-%x %4s", &lo, &hi, &prot); err != nil {
			return 0, fmt.Errorf("read the program's memory: /proc/PID/maps has the line %q", s.Text())
		}
		if prot[1] != 'w' || prot[3] != 'p' || strings.HasSuffix(s.Text(), "[stack]") {
			continue
		}
		present := make([]byte, (hi-lo)/pageSize*8)
		if _, err := pagemap.ReadAt(present, int64(lo/pageSize*8)); err != nil {
			return 0, fmt.Errorf("read the program's memory: %w", err)
		}
		for i := 0; i < len(present); i += 8 {
			if present[i+7]>>6 == 0 { // neither in memory nor swapped out
				continue
			}
			at := lo + uint64(i/8)*pageSize
			if _, err := mem.ReadAt(page, int64(at)); err != nil {
				return 0, fmt.Errorf("read the program's memory at %#x: %w", at, err)
			}
			if allZero(page) {
				continue // as good as a page that is not there
			}
			vars.mask(page, at)
			h.WriteString(strconv.FormatUint(at, 16))
			h.Write(page)
		}
	}
	return h.Sum64(), nil
}

const pageSize = 4096

var zeroPage [pageSize]byte

func allZero(page []byte) bool { return bytes.Equal(page, zeroPage[:]) }

// mask clears what the debugger writes, on a page that was read from address
// at.
func (v *variables) mask(page []byte, at uint64) {
	for _, word := range []struct{ addr, size uint64 }{{v.stopStep, 8}, {v.stopping, 1}} {
		for i := range word.size {
			if a := word.addr + i; a >= at && a < at+pageSize {
				page[a-at] = 0
			}
		}
	}
}
