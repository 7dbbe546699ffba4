// Package sqlite runs SQLite as modernc.org/sqlite brings it, C turned into Go
// with a C library of its own that calls the system directly, unmodified, in the
// simulation: it locks byte ranges, maps its log's index into memory, and
// promises that what was committed survives a power failure, which depends on
// its pragmas journal_mode and synchronous
// (https://www.sqlite.org/pragma.html#pragma_synchronous).
//
// It is a module of its own, so that SQLite is no dependency of restep. It
// deliberately does not test SQL.
//
//	cd sim/realworld/sqlite && CGO_ENABLED=0 restep test -seeds=1-20 .
//
// It may import SQLite and package sim, and must never be imported.
package sqlite
