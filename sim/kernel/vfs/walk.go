package vfs

import "github.com/restep/restep/sim/kernel/abi"

// maxLinks is how many symbolic links one path may lead through
// (path_resolution(7), MAXSYMLINKS).
const maxLinks = 40

// Last is what the last part of a path is.
type Last uint8

// The kinds, as in fs/namei.c: a name, the root itself, "." and "..".
const (
	LastName Last = iota
	LastRoot
	LastDot
	LastDotDot
)

// Place is where a path leads: the directory that holds its last part, and
// that part. Inode is nil when nothing of the name exists. For kinds other
// than LastName, Dir and Inode are the directory meant itself.
type Place struct {
	Dir   *Inode
	Name  string
	Inode *Inode
	Kind  Last
	Slash bool // the path ended in a slash
	// As is who walked; what is made or removed here, is in their name.
	As *Cred
}

// How says what Walk does with a symbolic link as the last part of a path.
type How uint8

const (
	// Follow follows it; without this it is followed only where a slash comes
	// behind it.
	Follow How = 1 << iota
	// Creating stops at a slash, even behind a link, as open(2) with O_CREAT
	// refuses it (fs/namei.c:open_last_lookups).
	Creating
)

// Walk resolves path from directory base. A link that dangles gives the place
// where its target would be.
//
// Errors as in path_resolution(7): ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG.
func (fs *FS) Walk(base *Inode, path string, how How) (Place, abi.Errno) {
	return fs.WalkAs(nil, base, path, how)
}

// WalkAs is Walk for someone, who must be allowed to search each directory on
// the way: EACCES.
func (fs *FS) WalkAs(as *Cred, base *Inode, path string, how How) (Place, abi.Errno) {
	if path == "" {
		return Place{}, abi.ENOENT
	}
	cur, links := base, 0
	slash := false
	for {
		if path[0] == '/' {
			cur = fs.root
		}
		p, rest, errno := fs.step(as, cur, path)
		last := isSlashes(rest)
		if errno == abi.ENAMETOOLONG && last && rest != "" && how&Creating != 0 {
			errno = abi.EISDIR // open(2) refuses the slash before it looks the name up
		}
		if errno != abi.OK {
			return Place{}, errno
		}
		p.As = as
		p.Slash = slash || last && rest != ""
		stop := last && rest != "" && how&Creating != 0
		if p.Inode != nil && p.Inode.IsSymlink() && !stop && (!last || how&Follow != 0 || p.Slash) {
			if links++; links > maxLinks {
				return Place{}, abi.ELOOP
			}
			if last {
				slash = p.Slash
				rest = ""
			}
			cur, path = p.Dir, p.Inode.Target()+rest
			if path == "" {
				return Place{}, abi.ENOENT
			}
			continue
		}
		if last {
			return p, abi.OK
		}
		if p.Inode == nil {
			return Place{}, abi.ENOENT
		}
		if !p.Inode.IsDir() {
			return Place{}, abi.ENOTDIR
		}
		cur, path = p.Inode, rest[1:]
		for path[0] == '/' {
			path = path[1:]
		}
	}
}

// step resolves the first part of path in directory cur for someone and
// returns what comes behind it, slashes included.
func (fs *FS) step(as *Cred, cur *Inode, path string) (Place, string, abi.Errno) {
	for path != "" && path[0] == '/' {
		path = path[1:]
	}
	if path == "" {
		return Place{Dir: cur, Inode: cur, Kind: LastRoot}, "", abi.OK
	}
	if !cur.IsDir() {
		return Place{}, "", abi.ENOTDIR
	}
	if errno := as.May(cur, mayExec); errno != abi.OK {
		return Place{}, "", errno
	}
	n := 0
	for n < len(path) && path[n] != '/' {
		n++
	}
	name, rest := path[:n], path[n:]
	switch name {
	case ".":
		return Place{Dir: cur, Inode: cur, Kind: LastDot}, rest, abi.OK
	case "..":
		up := cur.dir.parent
		return Place{Dir: up, Inode: up, Kind: LastDotDot}, rest, abi.OK
	}
	inode, errno := cur.lookup(name)
	if errno != abi.OK {
		return Place{}, rest, errno
	}
	return Place{Dir: cur, Name: name, Inode: inode}, rest, abi.OK
}

func isSlashes(s string) bool {
	for i := range len(s) {
		if s[i] != '/' {
			return false
		}
	}
	return true
}

// Resolve is Walk to something that must exist, and be a directory when the
// path ends in a slash.
func (fs *FS) Resolve(base *Inode, path string, how How) (*Inode, abi.Errno) {
	return fs.ResolveAs(nil, base, path, how)
}

// ResolveAs is Resolve for someone: see WalkAs.
func (fs *FS) ResolveAs(as *Cred, base *Inode, path string, how How) (*Inode, abi.Errno) {
	p, errno := fs.WalkAs(as, base, path, how)
	switch {
	case errno != abi.OK:
		return nil, errno
	case p.Inode == nil:
		return nil, abi.ENOENT
	case p.Slash && !p.Inode.IsDir():
		return nil, abi.ENOTDIR
	}
	return p.Inode, abi.OK
}
