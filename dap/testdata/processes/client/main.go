// Client asks each server once.
package main

import (
	"bufio"
	"fmt"
	"net"
	"os"

	"example.org/processes/work"
)

func main() {
	for i, addr := range os.Args[1:] {
		fmt.Println(work.Do("client", i+1))
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Fprintln(conn, "hello")
		answer, _ := bufio.NewReader(conn).ReadString('\n')
		fmt.Printf("got %s", answer)
		conn.Close()
	}
	fmt.Print("done") // and no end of the line
}
