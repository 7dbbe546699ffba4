module github.com/restep/restep/sim/realworld/bbolt

go 1.26

require (
	github.com/restep/restep v0.0.0
	go.etcd.io/bbolt v1.4.3
)

require golang.org/x/sys v0.46.0 // indirect

replace github.com/restep/restep => ../../..
