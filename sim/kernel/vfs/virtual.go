package vfs

import "github.com/restep/restep/sim/kernel/abi"

// Virtual inodes are made by the simulator when they are looked at, as those
// of proc(5). They are never written, take no space, and are the same after a
// power failure.

// Generate makes the bytes of n those that text gives whenever the file is
// opened. Its size stays 0.
func (n *Inode) Generate(text func() string) { n.text = text }

// Generated is what the file holds now; false for ordinary files.
func (n *Inode) Generated() (string, bool) {
	if n.text == nil || n.file == nil {
		return "", false
	}
	return n.text(), true
}

// Links are names of a directory that come and go, all of them symbolic links.
type Links interface {
	Names() []string
	// Target is where a name points.
	Target(name string) (string, bool)
}

// SetLinks gives a directory names beside those that it holds.
func (n *Inode) SetLinks(l Links) { n.dir.links = l }

// link makes the inode of a virtual name, nil when there is none.
func (d *Inode) link(name string) *Inode {
	if d.dir.links == nil {
		return nil
	}
	target, ok := d.dir.links.Target(name)
	if !ok {
		return nil
	}
	n := d.fs.newInode(abi.S_IFLNK | 0o777)
	n.target, n.nlink = target, 1
	return n
}
