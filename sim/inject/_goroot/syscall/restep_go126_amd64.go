//go:build !go1.27

package syscall

import _ "unsafe" // for go:linkname

// Assembly of golang.org/x/sys calls gettimeofday. Go 1.27 exports it itself.
//
//go:linkname gettimeofday
