/* a comment before the clause */ package main // and one behind it

func version() string { return "v1" }
