// Package vfs is the file system of one simulated machine: inodes, names,
// path walk, file contents in pages of 4 KiB, record locks, and the question
// what a power failure leaves of all that.
//
// Two states live side by side. The memory state is what system calls see;
// the disk state is what PowerOff returns to. What moves things from one to
// the other:
//
//   - fsync of a file: its contents, size and attributes, and the names it
//     has. POSIX and fsync(2) promise the name only after an fsync of the
//     directory; ext4, XFS and Btrfs all keep the name of a file that was
//     fsynced (Mohan et al., "Finding Crash-Consistency Bugs with Bounded
//     Black-Box Crash Testing", OSDI 2018, section 2), and programs that work
//     there must work here.
//   - fdatasync: contents and size, and the names as above.
//   - fsync of a directory: the names in it and its own name. The contents of
//     the files that got those names stay as they were on disk: a new file
//     that was never synced is then empty.
//   - sync, syncfs: everything.
//
// Changes of names are kept in an ordered list of operations that are not yet
// on disk. Each is atomic (a rename loses neither name nor shows both), and
// syncing one object commits only the operations that concern it and those
// they build on, not, as the one journal of ext4 would, every earlier change
// on the disk: the weakest behaviour a program may meet is the one that shows
// its mistakes. Nothing is written back merely because time passes.
//
// PowerOff keeps nothing that was not synced. Freeze tells what else a power
// failure may leave: see Crash.
//
// What it deliberately does not do: access control lists, capabilities (user 0
// has them all),
// quotas by user, extended attributes, access times (as mounted with noatime),
// several file systems in one tree. It knows of mappings into memory only as a
// View, of waiting calls only as tokens.
//
// Invariant: an operation is committed only after every earlier one on the
// same name in the same directory, so undoing what is pending, newest first,
// gives the disk state.
//
// Invariant: a page is on disk unchanged if, and only if, both states hold
// the same page; who writes to such a page copies it first.
//
// Invariant: directories are in order of name, inode numbers in order of
// first touch; nothing depends on addresses or on the real file system's
// order.
//
// Calls come one at a time; there are no locks. It may import abi and the
// standard packages allowed to injected code, and must never know processes,
// descriptors or the runtime.
//
// Sources: Linux 6.12 fs/namei.c, fs/open.c, fs/locks.c; path_resolution(7),
// fsync(2), rename(2), fcntl(2).
package vfs
