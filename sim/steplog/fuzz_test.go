package steplog

import (
	"math/rand"
	"testing"
)

func newRand(seed int64) *rand.Rand { return rand.New(rand.NewSource(seed)) }

// FuzzOpen: no bytes make the reader panic, loop or grow without bound, and
// all ways to read a log agree with one another. The input is the blocks after
// the header, each cut to what it says it uses, which puts the fuzzer's bytes
// where they matter. (TestMutations covers the header.)
func FuzzOpen(f *testing.F) {
	small := smallLog(f)
	blocks := pack(small)[headerFixed+get32(small[12:]):]
	f.Add(blocks[:2500])
	f.Add(splitSeed(f))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 1<<16 {
			return
		}
		r, err := Open(append(small[:BlockSize:BlockSize], loose(b)...))
		if err != nil {
			t.Fatal(err)
		}
		checkReader(t, r)
	})
}

// splitSeed is a step of two records in two short blocks.
func splitSeed(tb testing.TB) []byte {
	log := newLog(tb, testHeader, 4)
	w := new(Writer)
	if err := w.Init(testConfig(log)); err != nil {
		tb.Fatal(err)
	}
	w.Begin(Head{Kind: KindLog})
	w.Uint(TagErrno, 3)
	w.head.Flags |= FlagMore
	w.End(Tail{Text: "first half"})
	if !w.openBlock(&w.stepBlock, blockSteps, 2, 0) {
		tb.Fatal("no block")
	}
	w.put(FlagContinued, 0, 0, nil, "second half")
	w.Close()
	return pack(log[:w.Bytes()])[headerFixed+get32(log[12:]):]
}

// loose lays out blocks as unpack does, for any bytes.
func loose(b []byte) (log []byte) {
	for len(b) >= blockHeader && len(log) < 1<<20 {
		used := min(max(int(get32(b[16:])&0xffff), blockHeader), len(b))
		log = append(append(log, b[:used]...), make([]byte, BlockSize-used)...)
		b = b[used:]
	}
	return append(log, b...)
}

// TestMutations damages good logs in a few places that mean something.
func TestMutations(t *testing.T) {
	const rounds = 4000
	closed, _ := writeLog(t, 11, 150, 60_000)
	for off := BlockSize; off < len(closed); off += BlockSize {
		end := BlockSize
		for end > blockHeader && closed[off+end-1] == 0 {
			end--
		}
		if get32(closed[off+16:]) == 0 {
			put32(closed[off+16:], uint32(pad8(end)))
		}
	}
	logs := [][]byte{smallLog(t), closed}
	words := []uint64{0, 1, 7, 8, 0xff, 0x8000, 1<<16 - 1, 1 << 31, 1<<32 - 1, 1<<63 - 1, 1<<64 - 1}
	damaged := 0
	for seed := range int64(rounds) {
		rng := newRand(seed)
		good := logs[seed%2]
		log := append([]byte(nil), good...)
		places := append(recordBytes(good), rng.Intn(headerFixed), headerFixed+rng.Intn(100), 12, 13)
		for range 1 + rng.Intn(3) {
			at := places[rng.Intn(len(places))]
			if rng.Intn(3) == 0 {
				at = places[len(places)-1-rng.Intn(4)]
			}
			switch v := words[rng.Intn(len(words))]; rng.Intn(4) {
			case 0:
				log[at] ^= 1 << rng.Intn(8)
			case 1:
				log[at] = byte(v)
			case 2:
				put32(log[at:], uint32(v))
			case 3:
				at2 := places[rng.Intn(len(places))]
				copy(log[at:at+min(40, len(log)-at)], good[at2:])
			}
		}
		log = log[:len(log)-rng.Intn(2)*rng.Intn(len(log)/4)]
		r, err := Open(log)
		if err != nil {
			damaged++
			continue
		}
		if Verify(r) != nil {
			damaged++
		}
		t.Run("", func(t *testing.T) {
			defer func() {
				if p := recover(); p != nil || t.Failed() {
					t.Fatalf("seed %d: %v", seed, p)
				}
			}()
			checkReader(t, r)
		})
	}
	if damaged < rounds/2 {
		t.Errorf("only %d logs were damaged", damaged)
	}
}

func checkReader(t *testing.T, r *Reader) {
	var frames []Frame
	var numbers []uint64
	last := uint64(0)
	for s := range r.Forward(Filter{}) {
		if s.Number <= last || s.Number > r.Steps() {
			t.Fatalf("step %d after %d of %d", s.Number, last, r.Steps())
		}
		last = s.Number
		numbers = append(numbers, last)
		if len(numbers) < 100 {
			frames = r.Stack(s.StackID, frames[:0])
		}
		s.Message()
	}
	i := len(numbers)
	for s := range r.Backward(Filter{}) {
		if i--; i < 0 || s.Number != numbers[i] {
			t.Fatalf("backwards: step %d differs from forwards", s.Number)
		}
	}
	if i != 0 {
		t.Fatalf("backwards: %d steps less", i)
	}
	sum := Summarize(r)
	if sum.Steps != uint64(len(numbers)) || sum.DurationNs < 0 {
		t.Fatalf("summary counts %d of %d steps", sum.Steps, len(numbers))
	}
	good := Verify(r) == nil
	if good && uint64(len(numbers)) != r.Steps() {
		t.Fatal("verified, but steps are missing")
	}
	if d, err := Diff(r, r); d != nil || good && err != nil {
		t.Fatalf("differs from itself: %v %v", d, err)
	}
	var f Follower
	f.Init(r.b)
	for range numbers {
		if _, ok := f.Next(); !ok && good {
			t.Fatalf("follower ends at %d of %d", f.Step(), len(numbers))
		}
	}
}
