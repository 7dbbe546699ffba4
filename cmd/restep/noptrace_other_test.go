//go:build !linux

package main

func noptrace() { panic("ptrace(2) is Linux's here") }
