package runtime

import "unsafe"

// restepSymbols remembers the functions at return addresses, for all runs of a
// zygote: to find them takes a microsecond each, and every run asks for the
// same few thousand. The answer depends on the binary alone. A run that is
// killed meanwhile leaves frames behind that nothing refers to.
type restepSymbols struct {
	index   [8 << 10]restepSymbol
	nindex  int
	frames  [32 << 10]restepFrame
	nframes int
}

// restepSymbol is a slot of a hash table with linear probing; pc 0 is free.
type restepSymbol struct {
	pc       uintptr
	first, n int32
}

// restepFrame holds strings of the binary, which the collector does not own.
type restepFrame struct {
	function, file       uintptr
	functionLen, fileLen int32
	line                 int
}

func restepSymbolSlot(s *restepSymbols, pc uintptr) *restepSymbol {
	for i := pc * 0x9e3779b97f4a7c15 >> 40; ; i++ {
		if e := &s.index[i%uintptr(len(s.index))]; e.pc == 0 || e.pc == pc {
			return e
		}
	}
}

// restepKnownSymbol emits the functions at pc, if they are known.
func restepKnownSymbol(pc uintptr, emit func(function, file string, line int)) bool {
	if !restepReusing {
		return false
	}
	s := &restepReuse().symbols
	e := restepSymbolSlot(s, pc)
	if e.pc == 0 {
		return false
	}
	for i := e.first; i < e.first+e.n; i++ {
		f := &s.frames[i]
		emit(unsafe.String((*byte)(unsafe.Pointer(f.function)), int(f.functionLen)),
			unsafe.String((*byte)(unsafe.Pointer(f.file)), int(f.fileLen)), f.line)
	}
	return true
}

// restepSymbolBuilder collects the functions at one address.
type restepSymbolBuilder struct {
	first, n int
	ok       bool
}

func restepNewSymbol() restepSymbolBuilder {
	if !restepReusing {
		return restepSymbolBuilder{}
	}
	return restepSymbolBuilder{first: restepReuse().symbols.nframes, ok: true}
}

func (b *restepSymbolBuilder) add(function, file string, line int) {
	if !b.ok {
		return
	}
	s := &restepReuse().symbols
	if b.first+b.n == len(s.frames) {
		b.ok = false
		return
	}
	s.frames[b.first+b.n] = restepFrame{
		uintptr(unsafe.Pointer(unsafe.StringData(function))), uintptr(unsafe.Pointer(unsafe.StringData(file))),
		int32(len(function)), int32(len(file)), line,
	}
	b.n++
}

// publish makes what was added the answer for pc. The table is left half
// empty.
func (b *restepSymbolBuilder) publish(pc uintptr) {
	if !b.ok {
		return
	}
	s := &restepReuse().symbols
	if s.nindex >= len(s.index)/2 {
		return
	}
	e := restepSymbolSlot(s, pc)
	e.first, e.n = int32(b.first), int32(b.n)
	s.nframes += b.n
	s.nindex++
	e.pc = pc
}
