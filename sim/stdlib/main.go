package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"text/tabwriter"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	keep := flag.String("keep", "", "folder for the output of each run")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: go run ./sim/stdlib [-keep folder] [packages]")
		flag.PrintDefaults()
	}
	flag.Parse()
	ok, err := compare(ctx, os.Stdout, *keep, flag.Args())
	if err != nil {
		fmt.Fprintln(os.Stderr, "stdlib:", err)
		os.Exit(2)
	}
	if !ok {
		os.Exit(1)
	}
}

// compare runs the packages, all that are known without a name, and prints the
// table. It returns false when the list of differences is not right.
func compare(ctx context.Context, w io.Writer, keep string, names []string) (bool, error) {
	dir, err := source()
	if err != nil {
		return false, err
	}
	known, err := readPackages(filepath.Join(dir, "testdata", "packages.txt"))
	if err != nil {
		return false, err
	}
	list, err := readDifferences(filepath.Join(dir, "testdata", "differ.txt"))
	if err != nil {
		return false, err
	}
	if len(names) == 0 {
		for _, p := range known {
			names = append(names, p.name)
		}
	}
	temp, err := os.MkdirTemp("", "restep-stdlib-")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(temp)
	r := &runner{keep: keep, restep: filepath.Join(temp, "restep")}
	if r.goroot, err = r.output(ctx, dir, "go", "env", "GOROOT"); err != nil {
		return false, err
	}
	if _, err := r.output(ctx, dir, "go", "build", "-o", r.restep, "github.com/restep/restep/cmd/restep"); err != nil {
		return false, err
	}
	var report report
	for _, name := range names {
		p := pkg{name: name}
		for _, k := range known {
			if k.name == name {
				p = k
			}
		}
		native, simulated, err := r.both(ctx, p)
		if err != nil {
			return false, err
		}
		report.add(p, native, simulated, list)
	}
	report.print(w)
	return report.right(), nil
}

// source is the folder of this command in the working tree.
func source() (string, error) {
	out, err := exec.Command("go", "list", "-f", "{{.Dir}}", "github.com/restep/restep/sim/stdlib").Output()
	if err != nil {
		return "", errors.New("run this in the repository of restep")
	}
	return strings.TrimSpace(string(out)), nil
}

// report is the table in the making.
type report struct {
	rows    []row
	classes map[string]int // differences, by class
	wrong   []string       // what differs and is not in the list, or the other way round
	passed  int            // in both
	native  int
}

type row struct {
	name           string
	native, passed int
	differ         []string // "test  class: reason"
}

// add counts one package.
func (r *report) add(p pkg, native, simulated outcome, list []difference) {
	if r.classes == nil {
		r.classes = map[string]int{}
	}
	line := row{name: p.name}
	met := map[int]bool{}
	for _, test := range native.passed() {
		line.native++
		if simulated[test] == "pass" {
			line.passed++
			continue
		}
		if i := find(list, p.name, test); i >= 0 {
			met[i] = true
			r.classes[list[i].class]++
			line.differ = append(line.differ, test+"  "+list[i].class+": "+list[i].reason)
			continue
		}
		what := simulated[test]
		if what == "" {
			what = "did not run"
		}
		r.wrong = append(r.wrong, fmt.Sprintf("%s %s: %s; see restep test -run '^%s$' in GOROOT/src", p.name, test, what, test))
	}
	for i, d := range list {
		if d.pkg == p.name && !met[i] && !d.sometimes {
			r.wrong = append(r.wrong, fmt.Sprintf("%s %s: passes now: take it out of differ.txt", p.name, d.test))
		}
	}
	r.native += line.native
	r.passed += line.passed
	r.rows = append(r.rows, line)
}

func (r *report) right() bool { return len(r.wrong) == 0 }

func (r *report) print(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "native\trestep\tshare\t  package")
	for _, l := range append(r.rows, row{name: "all", native: r.native, passed: r.passed}) {
		fmt.Fprintf(t, "%d\t%d\t%s\t  %s\n", l.native, l.passed, share(l.passed, l.native), l.name)
	}
	t.Flush()
	for _, class := range sorted(r.classes) {
		fmt.Fprintf(w, "\n%s: %d, %s\n", class, r.classes[class], share(r.classes[class], r.native))
		for _, l := range r.rows {
			for _, d := range l.differ {
				if test, what, _ := strings.Cut(d, "  "); strings.HasPrefix(what, class+": ") {
					fmt.Fprintf(w, "  %s %s: %s\n", l.name, test, strings.TrimPrefix(what, class+": "))
				}
			}
		}
	}
	if len(r.wrong) > 0 {
		fmt.Fprintf(w, "\nnot in testdata/differ.txt:\n")
		for _, text := range r.wrong {
			fmt.Fprintln(w, " ", text)
		}
	}
}

func share(part, whole int) string {
	if whole == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f %%", 100*float64(part)/float64(whole))
}
