package e2e

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"testing"
)

func TestServer(t *testing.T) {
	if _, err := os.Stat("e2e_test.go"); err != nil {
		t.Error("tests run in the folder of their package:", err)
	}
	conn, err := net.Dial("tcp", os.Getenv("SERVER"))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(conn, "hello")
	answer, err := bufio.NewReader(conn).ReadString('\n')
	t.Logf("answer %q, %v", answer, err)
}

func TestOther(t *testing.T) { t.Error("must not run") }
