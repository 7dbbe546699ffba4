package vfs

import "github.com/restep/restep/sim/kernel/abi"

// Cred is who makes a call, as far as files are concerned (credentials(7)):
// the effective user and group, and the supplementary groups. A nil Cred is the
// simulation itself, which may do everything, as user 0 may.
type Cred struct {
	UID, GID uint32
	Groups   []uint32
}

// Kinds of access, as in access(2).
const (
	mayExec  = abi.X_OK
	mayWrite = abi.W_OK
	mayRead  = abi.R_OK
)

// Root reports whether permissions do not bind.
func (c *Cred) Root() bool { return c == nil || c.UID == 0 }

// In reports whether a group is among those of the caller.
func (c *Cred) In(gid uint32) bool {
	if c.GID == gid {
		return true
	}
	for _, g := range c.Groups {
		if g == gid {
			return true
		}
	}
	return false
}

// Owns reports whether c may do to n what is left to a file's owner
// (fs/inode.c:inode_owner_or_capable).
func (c *Cred) Owns(n *Inode) bool { return c.Root() || c.UID == n.meta.UID }

// May is EACCES unless n's permission bits allow all kinds of access in mask
// (fs/namei.c:generic_permission).
func (c *Cred) May(n *Inode, mask uint32) abi.Errno {
	mode := n.meta.Mode
	if c.Root() {
		if mask&mayExec != 0 && n.dir == nil && mode&0o111 == 0 {
			return abi.EACCES
		}
		return abi.OK
	}
	switch {
	case c.UID == n.meta.UID:
		mode >>= 6
	case c.In(n.meta.GID):
		mode >>= 3
	}
	if mask&^mode != 0 {
		return abi.EACCES
	}
	return abi.OK
}

// mayCreate checks that a name may be made in directory d
// (fs/namei.c:may_create).
func (c *Cred) mayCreate(d *Inode) abi.Errno { return c.May(d, mayWrite|mayExec) }

// mayDelete checks that name n of directory d may be taken away
// (fs/namei.c:may_delete): in a directory with the sticky bit only by the
// owner of either.
func (c *Cred) mayDelete(d, n *Inode) abi.Errno {
	if errno := c.May(d, mayWrite|mayExec); errno != abi.OK {
		return errno
	}
	if d.meta.Mode&abi.S_ISVTX != 0 && !c.Owns(n) && !c.Owns(d) {
		return abi.EPERM
	}
	return abi.OK
}

// mayLink keeps users from making names of files that they could not use
// otherwise (proc(5), /proc/sys/fs/protected_hardlinks, which is 1;
// fs/namei.c:may_linkat).
func (c *Cred) mayLink(n *Inode) abi.Errno {
	mode := n.meta.Mode
	safe := n.IsRegular() && mode&abi.S_ISUID == 0 && mode&(abi.S_ISGID|0o010) != abi.S_ISGID|0o010 &&
		c.May(n, mayRead|mayWrite) == abi.OK
	if safe || c.Owns(n) {
		return abi.OK
	}
	return abi.EPERM
}

// own gives a new inode its owner: the caller and, in a directory with the
// set-group-id bit, that directory's group (fs/inode.c:inode_init_owner).
func (c *Cred) own(n, dir *Inode) {
	if c != nil {
		n.meta.UID, n.meta.GID = c.UID, c.GID
	}
	if dir.meta.Mode&abi.S_ISGID != 0 {
		n.meta.GID = dir.meta.GID
		if n.dir != nil {
			n.meta.Mode |= abi.S_ISGID
		} else if n.meta.Mode&(abi.S_ISGID|0o010) == abi.S_ISGID|0o010 && !c.Root() && !c.In(dir.meta.GID) {
			n.meta.Mode &^= abi.S_ISGID
		}
	}
	n.disk = n.meta
}

// Chmod is chmod(2): EPERM for others than the owner. The set-group-id bit of a
// file whose group the owner is not in is cleared.
func (c *Cred) Chmod(n *Inode, perm uint32) abi.Errno {
	if !c.Owns(n) {
		return abi.EPERM
	}
	if !c.Root() && !c.In(n.meta.GID) {
		perm &^= abi.S_ISGID
	}
	n.Chmod(perm)
	return abi.OK
}

// Chown is chown(2): users give nothing away, and the group of a file only to
// their own groups (fs/attr.c:setattr_prepare). ^uint32(0) leaves one alone.
func (c *Cred) Chown(n *Inode, uid, gid uint32) abi.Errno {
	if !c.Root() {
		owner := c.UID == n.meta.UID
		switch {
		case !owner && c.dropped(n) != n.meta.Mode:
			return abi.EPERM // it would change the mode
		case uid != ^uint32(0) && (!owner || uid != n.meta.UID):
			return abi.EPERM
		case gid != ^uint32(0) && (!owner || gid != n.meta.GID && !c.In(gid)):
			return abi.EPERM
		}
		n.meta.Mode = c.dropped(n)
	}
	n.Chown(uid, gid)
	return abi.OK
}

// dropped is n's mode without the set-id bits that a change by c clears, who is
// not root (fs/attr.c:setattr_should_drop_sgid).
func (c *Cred) dropped(n *Inode) uint32 {
	mode := n.meta.Mode
	if n.dir != nil {
		return mode
	}
	if mode&0o010 != 0 || !c.In(n.meta.GID) {
		mode &^= abi.S_ISGID
	}
	return mode &^ abi.S_ISUID
}

// Written clears the set-id bits of a file that somebody else than root changes
// (fs/attr.c:setattr_should_drop_suidgid).
func (c *Cred) Written(n *Inode) {
	if n.meta.Mode&(abi.S_ISUID|abi.S_ISGID) == 0 || c.Root() || !n.IsRegular() {
		return
	}
	n.Chmod(c.dropped(n))
}

// MayCreateOver refuses O_CREAT on what another user has put into a directory
// with the sticky bit, unless it is a file or a named pipe: those are allowed
// with /proc/sys/fs/protected_regular and protected_fifos 0
// (fs/namei.c:may_create_in_sticky).
func (c *Cred) MayCreateOver(dir, n *Inode) abi.Errno {
	typ, sticky := n.meta.Mode&abi.S_IFMT, dir.meta.Mode&(abi.S_ISVTX|0o002)
	if typ == abi.S_IFREG || typ == abi.S_IFIFO || sticky != abi.S_ISVTX|0o002 ||
		n.meta.UID == dir.meta.UID || n.meta.UID == c.UID {
		return abi.OK
	}
	return abi.EACCES
}
