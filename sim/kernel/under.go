package kernel

import "github.com/restep/restep/sim/kernel/vfs"

// Under is the real file tree, read-only, that the main machine sees beneath
// its scratch layer: the module of the package under test and GOROOT. It is
// asked only for paths below its Roots that the scratch layer does not have;
// what was removed there is not asked for again.
//
// Owner and times of what it shows are fixed (root, the start of the
// simulation), directories are sorted and inodes numbered in the order in
// which the program touches them, so that two checkouts look alike.
type Under = vfs.Lower

// UnderEntry is one name in a directory of Under.
type UnderEntry = vfs.LowerEntry
