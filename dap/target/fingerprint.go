package target

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

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
//
// The memory is read from its file in long pieces, and by several threads: for a
// program with 50 MB of heap this is most of what a step back takes.
// process_vm_readv(2) would be quicker, but leaves the program without the pages
// that it shares with its checkpoints (see restep_restore.go of the runtime).
func (t *Target) memory(tgt *proc.Target) (uint64, error) {
	vars, err := t.variables(tgt)
	if err != nil {
		return 0, err
	}
	extents, err := writable(tgt.Pid())
	if err != nil {
		return 0, err
	}
	mem, err := os.Open(fmt.Sprintf("/proc/%d/mem", tgt.Pid()))
	if err != nil {
		return 0, fmt.Errorf("read the program's memory: %w", err)
	}
	defer mem.Close()
	workers := min(len(extents), runtime.GOMAXPROCS(0))
	var next atomic.Int64
	sums, errs := make([]uint64, workers), make([]error, workers)
	var all sync.WaitGroup
	for k := range workers {
		all.Go(func() {
			buf := make([]byte, maxExtent)
			for errs[k] == nil {
				i := int(next.Add(1)) - 1
				if i >= len(extents) {
					return
				}
				p := extents[i]
				if _, err := mem.ReadAt(buf[:p.size], int64(p.at)); err != nil {
					errs[k] = fmt.Errorf("read the program's memory at %#x: %w", p.at, err)
				}
				sums[k] += vars.sumOf(buf[:p.size], p.at)
			}
		})
	}
	all.Wait()
	sum := uint64(0)
	for _, s := range sums {
		sum += s
	}
	return sum, errors.Join(errs...)
}

// sumOf is the sum of the hashes of pages that were read from address at, each
// with its address. A page of zeros counts as one that is not there.
func (v *variables) sumOf(pages []byte, at uint64) (sum uint64) {
	var h maphash.Hash
	h.SetSeed(fingerprintSeed)
	var addr [8]byte
	for ; len(pages) > 0; pages, at = pages[pageSize:], at+pageSize {
		page := pages[:pageSize]
		if allZero(page) {
			continue
		}
		v.mask(page, at)
		h.Reset()
		binary.LittleEndian.PutUint64(addr[:], at)
		h.Write(addr[:])
		h.Write(page)
		sum += h.Sum64()
	}
	return sum
}

// extent is memory that is there and can be written.
type extent struct{ at, size uint64 }

// maxExtent bounds an extent.
const maxExtent = 64 * pageSize

// writable lists the private writable memory of a process, but for its
// first stack. proc_pid_maps(5), proc_pid_pagemap(5).
func writable(pid int) (list []extent, err error) {
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		return nil, fmt.Errorf("read the program's memory: %w", err)
	}
	pagemap, err := os.Open(fmt.Sprintf("/proc/%d/pagemap", pid))
	if err != nil {
		return nil, fmt.Errorf("read the program's memory: %w", err)
	}
	defer pagemap.Close()
	for s := bufio.NewScanner(bytes.NewReader(maps)); s.Scan(); {
		var lo, hi uint64
		var prot string
		if _, err := fmt.Sscanf(s.Text(), "%x-%x %4s", &lo, &hi, &prot); err != nil {
			return nil, fmt.Errorf("read the program's memory: /proc/PID/maps has the line %q", s.Text())
		}
		if prot[1] != 'w' || prot[3] != 'p' || strings.HasSuffix(s.Text(), "[stack]") {
			continue
		}
		present := make([]byte, (hi-lo)/pageSize*8)
		if _, err := pagemap.ReadAt(present, int64(lo/pageSize*8)); err != nil {
			return nil, fmt.Errorf("read the program's memory: %w", err)
		}
		for i := 0; i < len(present); i += 8 {
			if present[i+7]>>6 == 0 { // neither in memory nor swapped out
				continue
			}
			at := lo + uint64(i/8)*pageSize
			if k := len(list) - 1; k >= 0 && list[k].at+list[k].size == at && list[k].size < maxExtent {
				list[k].size += pageSize
			} else {
				list = append(list, extent{at, pageSize})
			}
		}
	}
	return list, nil
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
