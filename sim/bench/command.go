package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/restep/restep/sim/bench/host"
)

// tool builds the restep command.
func (b *bench) tool() (string, error) {
	path := filepath.Join(b.temp, "restep")
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	cmd := exec.CommandContext(b.ctx, "go", "build", "-o", path, "./cmd/restep")
	cmd.Dir = b.root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the command: %w\n%s", err, out)
	}
	return path, nil
}

// editedTest is a test file whose only number changes from build to build.
const editedTest = `package edit

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

const edition = %d

func TestServe(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	resp, err := http.Get(s.URL)
	if err != nil || resp.StatusCode != 404 {
		t.Fatal(edition, err)
	}
	resp.Body.Close()
}
`

// buildAfterEdit compares what go and restep do until the changed test could
// start.
func (b *bench) buildAfterEdit() ([]row, error) {
	restep, err := b.tool()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(b.temp, "edit")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module example.org/edit\n\ngo 1.26\n"), 0o600); err != nil {
		return nil, err
	}
	commands := [][]string{
		{"go", "test", "-c", "-vet=off", "-o", filepath.Join(b.temp, "edit.test"), "."},
		{restep, "test", "-vet=off", "-list=^NoSuchTest$", "."},
	}
	edition := 0
	cpu, wall := make([][]float64, 2), make([][]float64, 2)
	for round := range b.rounds + 1 {
		for i, args := range commands {
			edition++
			if err := os.WriteFile(filepath.Join(dir, "edit_test.go"), fmt.Appendf(nil, editedTest, edition), 0o600); err != nil {
				return nil, err
			}
			cmd := exec.CommandContext(b.ctx, args[0], args[1:]...)
			cmd.Dir = dir
			start := time.Now()
			out, err := cmd.CombinedOutput()
			if err != nil {
				return nil, fmt.Errorf("%s: %w\n%s", strings.Join(args, " "), err, out)
			}
			if round > 0 { // the first one fills caches
				cpu[i], wall[i] = append(cpu[i], float64(processTime(cmd))), append(wall[i], float64(time.Since(start)))
			}
		}
	}
	return []row{
		{name: "build after an edit, CPU", native: median(cpu[0]), restep: median(cpu[1]), format: seconds, ratio: true, target: 1.3},
		{name: "build after an edit, real time", native: median(wall[0]), restep: median(wall[1]), format: seconds, ratio: true, target: 1.3},
	}, nil
}

// command runs many seeds of TestMachines as a user does.
func (b *bench) command() ([]row, error) {
	restep, err := b.tool()
	if err != nil {
		return nil, err
	}
	seeds := func(workers, last int) *exec.Cmd {
		cmd := exec.CommandContext(b.ctx, restep, "test", "-j="+strconv.Itoa(workers), "-seeds=1-"+strconv.Itoa(last), ".")
		cmd.Dir = filepath.Join(b.root, "cmd", "restep", "testdata", "cases", "machines")
		return cmd
	}
	if out, err := seeds(1, 1).CombinedOutput(); err != nil { // builds
		return nil, fmt.Errorf("%w\n%s", err, out)
	}
	var rows []row
	for workers := 1; workers <= 2; workers++ {
		cmd := seeds(workers, b.seeds)
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		start := time.Now()
		if err := cmd.Start(); err != nil {
			return nil, err
		}
		watched, stop := context.WithCancel(b.ctx)
		peak := make(chan int, 1)
		go func() { peak <- peakPSS(watched, cmd.Process.Pid) }()
		err := cmd.Wait()
		wall := time.Since(start)
		stop()
		kb := <-peak
		if err != nil {
			return nil, fmt.Errorf("%w\n%s", err, out.Bytes())
		}
		note := fmt.Sprintf("%.0f seeds/s, %s CPU a seed, %.1f MB (PSS) a worker", float64(b.seeds)/wall.Seconds(),
			milliseconds(float64(processTime(cmd))/float64(b.seeds)), float64(kb)/1024/float64(workers))
		rows = append(rows, row{name: fmt.Sprintf("restep test, %d seeds, %d worker(s)", b.seeds, workers),
			restep: float64(wall), format: seconds, note: note})
	}
	return rows, nil
}

// peakPSS returns the most memory, in KB, that the test binaries started by pid
// have held together: their proportional set size.
func peakPSS(ctx context.Context, pid int) int {
	peak := 0
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return peak
		case <-tick.C:
			sum := 0
			for _, p := range host.Descendants(pid) {
				if name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", p)); err == nil && strings.HasSuffix(string(name), ".test\n") {
					m, _ := host.MemoryOf(p)
					sum += m.PSS
				}
			}
			peak = max(peak, sum)
		}
	}
}
