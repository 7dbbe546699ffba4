// Package abi holds the numbers and layouts of the Linux system call
// interface: errno values, flags, structure layouts, system call numbers.
// It has no logic beyond packing records and imports nothing, so that every
// other part of the simulated kernel can speak Linux without knowing anything
// else.
//
// Values are those of include/uapi of Linux 6.12; layouts that differ
// between CPUs live in files named for the CPU.
package abi
