// Server answers lines. It says goodbye at SIGTERM.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"example.org/processes/work"
)

func main() {
	addr := flag.String("addr", "", "")
	stubborn := flag.Bool("stubborn", false, "")
	child := flag.Bool("child", false, "")
	flag.Parse()
	if *child {
		cmd := exec.Command("sleep", "100000")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		fmt.Println("child", cmd.Start(), cmd.Process.Pid)
	}
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	l, err := net.Listen("tcp", *addr)
	if err != nil {
		panic(err)
	}
	dir, _ := os.Getwd()
	fmt.Printf("listening in %s, COLOUR=%s\n", dir, os.Getenv("COLOUR"))
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go serve(conn)
		}
	}()
	for range term {
		if *stubborn {
			fmt.Println("I stay")
			continue
		}
		goodbye()
	}
}

func goodbye() {
	fmt.Println("goodbye") // a breakpoint on the way out
	os.Exit(0)
}

func serve(conn net.Conn) {
	defer conn.Close()
	for lines, n := bufio.NewScanner(conn), 1; lines.Scan(); n++ {
		if lines.Text() == "die" {
			os.Exit(3)
		}
		fmt.Fprintln(conn, work.Do("server", n))
	}
}
