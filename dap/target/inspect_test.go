package target

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/restep/restep/sim/steplog"
)

// TestInspect reads the whole state of the simulation at many steps.
func TestInspect(t *testing.T) {
	p, target, engine := openMachines(t)
	seen := ""
	for c := p.Log.Cursor(steplog.Filter{}); c.Next(); {
		s := c.Step()
		if s.Number%8 != 0 && s.Kind != steplog.KindSend && s.Kind != steplog.KindConnect {
			continue
		}
		if err := engine.Jump(t.Context(), s.Number); err != nil {
			t.Fatal(err)
		}
		step, tick, now, err := target.Clock()
		if err != nil || step != s.Number || tick != s.Tick || now != s.TimeNs {
			t.Fatalf("clock at step %d: %d %d %d, %v", s.Number, step, tick, now, err)
		}
		for name, read := range map[string]func() ([]Item, error){
			"machines": target.MachineStates, "links": target.Links, "packets": target.Packets, "timers": target.Timers,
			"files": func() ([]Item, error) { return target.OpenFiles(2, func(int) string { return "" }) },
			"main": func() ([]Item, error) {
				return target.OpenFiles(1, func(fd int) string { return fmt.Sprint("name", fd) })
			},
		} {
			list, err := read()
			if err != nil {
				t.Fatalf("%s at step %d: %v", name, s.Number, err)
			}
			for _, i := range list {
				seen += name + " | " + i.Name + " | " + i.Value + "\n"
			}
		}
	}
	for _, want := range []string{
		`(?m)^machines \| server \| on, pid 1201, in /$`, `machines \| server \| on, pid 1202, in /, boot 2`,
		`machines \| main \| on, pid \d+, in /src/`, `links \| main → server \| .*in |links \| main → server \| .*overdue`,
		`packets \| main → server \| in [\d.]+µs, TCP (PSH )?ACK, [1-9]\d* bytes, connection \d+`, `packets \| server → main`,
		`packets .* TCP SYN, 0 bytes`, `timers \| main \| in [\d.µms]+, time\.`, `timers \| kernel \| in `,
		`files \| 3 \| TCP, listens on port 80`, `files \| \d+ \| TCP 10\.0\.0\.1:80 → 11\.0\.0\.1:\d+, connection \d+`,
		`main \| 1 \| name1, console`,
	} {
		if !regexp.MustCompile(want).MatchString(seen) {
			t.Errorf("never %s", want)
		}
	}
	if t.Failed() {
		lines := strings.Split(seen, "\n")
		t.Log(strings.Join(lines[:min(len(lines), 120)], "\n"))
	}
}
