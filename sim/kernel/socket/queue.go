package socket

// queue is a queue of bytes in chunks, with a cursor somewhere inside: in a
// send queue what lies before the cursor is under way. The zero value is
// empty. Chunks given away by next are never written to again.
type queue struct {
	chunks [][]byte
	head   int // index of the first chunk in use
	size   int // bytes in the queue
	cur    int // chunk of the cursor
	curOff int // offset of the cursor inside it
	ahead  int // bytes at and after the cursor
}

// mergeMax bounds the chunks that further small writes are added to.
const mergeMax = 4096

// push adds a copy of p.
func (q *queue) push(p []byte) {
	if len(p) == 0 {
		return
	}
	q.size += len(p)
	last := len(q.chunks) - 1
	if q.ahead > 0 && last > q.cur && len(q.chunks[last])+len(p) <= mergeMax {
		q.chunks[last] = append(q.chunks[last], p...)
		q.ahead += len(p)
		return
	}
	q.ahead += len(p)
	q.compact()
	q.chunks = append(q.chunks, append(make([]byte, 0, len(p)), p...))
}

// pushShared adds p itself.
func (q *queue) pushShared(p []byte) {
	if len(p) == 0 {
		return
	}
	q.size += len(p)
	q.ahead += len(p)
	q.compact()
	q.chunks = append(q.chunks, p)
}

// compact moves the chunks in use to the front when at least half are not.
func (q *queue) compact() {
	if q.head == 0 || q.head < len(q.chunks)-q.head {
		return
	}
	n := copy(q.chunks, q.chunks[q.head:])
	clear(q.chunks[n:])
	q.chunks = q.chunks[:n]
	q.cur -= q.head
	q.head = 0
}

// next gives up to max contiguous bytes at the cursor and moves it past them.
func (q *queue) next(max int) []byte {
	if q.ahead == 0 || max <= 0 {
		return nil
	}
	chunk := q.chunks[q.cur][q.curOff:]
	if len(chunk) > max {
		q.curOff += max
		q.ahead -= max
		return chunk[:max:max]
	}
	q.cur++
	q.curOff = 0
	q.ahead -= len(chunk)
	return chunk
}

// peekLen is how many bytes next could give at once.
func (q *queue) peekLen() int {
	if q.ahead == 0 {
		return 0
	}
	return len(q.chunks[q.cur]) - q.curOff
}

// rewind puts the cursor back to the front.
func (q *queue) rewind() {
	q.cur, q.curOff, q.ahead = q.head, 0, q.size
}

// drop removes n bytes from the front; the cursor moves along if it was there.
func (q *queue) drop(n int) {
	assert(n >= 0 && n <= q.size, "drop past the end of a queue")
	q.size -= n
	for n > 0 {
		chunk := q.chunks[q.head]
		if n < len(chunk) {
			q.chunks[q.head] = chunk[n:]
			if q.cur == q.head {
				q.curOff = max(q.curOff-n, 0)
			}
			break
		}
		n -= len(chunk)
		q.chunks[q.head] = nil
		q.head++
	}
	if q.cur < q.head {
		q.cur, q.curOff = q.head, 0
	}
	q.ahead = min(q.ahead, q.size)
	if q.size == 0 {
		q.chunks, q.head, q.cur, q.curOff, q.ahead = q.chunks[:0], 0, 0, 0, 0
	}
}

// read copies bytes from the front to p and removes them.
func (q *queue) read(p []byte) int {
	n := q.peek(p)
	q.drop(n)
	return n
}

// peek copies bytes from the front to p.
func (q *queue) peek(p []byte) int {
	n := 0
	for i := q.head; i < len(q.chunks) && n < len(p); i++ {
		n += copy(p[n:], q.chunks[i])
	}
	return n
}

// clear empties the queue and lets go of its memory.
func (q *queue) clear() { *q = queue{} }
