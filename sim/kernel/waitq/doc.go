// Package waitq keeps the poll descriptors that want to hear when a file
// becomes ready.
//
// It deliberately does not know what ready means, does not remember readiness
// and never blocks: whoever owns a file calls Wake at the transition (edge
// triggered, as epoll(7) with EPOLLET) and reports the present state itself
// when a descriptor is added.
//
// It may import nothing. It must never know files, sockets or the runtime.
//
// Invariant: descriptors are woken in the order in which they were added.
package waitq
