// Package lib is used by the test and by a program.
package lib

// Users says who used it.
var Users []string

func init() { Users = append(Users, "init") }
