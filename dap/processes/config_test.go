package processes

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	t.Setenv("RESTEP_TEST_GONE", "x")
	cfg, err := Parse(json.RawMessage(`{"mode": "processes", "type": "restep", "cwd": "sub", "buildFlags": "-race -v",
		"env": {"A": "1", "B": "1", "RESTEP_TEST_GONE": null}, "stackTraceDepth": 7,
		"processes": [{"name": "one", "program": "./one", "env": {"B": "2"}, "cwd": "there",
			"ready": {"port": "80", "log": "up$"}, "stopTimeout": "1m"}, {"name": "two", "program": "x/two", "dependsOn": ["one"]}]}`), "/base")
	if err != nil {
		t.Fatal(err)
	}
	one, two := cfg.Processes[0], cfg.Processes[1]
	if cfg.Cwd != "/base/sub" || one.Cwd != "/base/sub/there" || two.Cwd != "" || !slices.Equal(cfg.BuildFlags, []string{"-race", "-v"}) ||
		one.Ready.Port != 80 || time.Duration(one.Ready.Timeout) != readyTimeout || time.Duration(one.StopTimeout) != time.Minute ||
		time.Duration(two.StopTimeout) != stopTimeout || len(cfg.display) != 1 {
		t.Errorf("%+v", cfg)
	}
	env := cfg.environment(&one)
	for _, want := range []string{"A=1", "B=2"} {
		if !slices.Contains(env, want) {
			t.Errorf("no %s in %q", want, env)
		}
	}
	if strings.Contains(strings.Join(env, " "), "RESTEP_TEST_GONE") {
		t.Error("null does not remove a variable")
	}
}

func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		`{"processes": 7}`: "configuration is wrong",
		`{}`:               "needs \"processes\"",
		`{"processes": [{"name": "a b", "program": "x"}]}`:                                      "must begin with a letter",
		`{"processes": [{"name": "a"}]}`:                                                        "no \"program\"",
		`{"processes": [{"name": "a", "program": "x", "ready": {}}]}`:                           "needs \"port\" or \"log\"",
		`{"processes": [{"name": "a", "program": "x", "ready": {"log": "("}}]}`:                 "missing closing",
		`{"processes": [{"name": "a", "program": "x", "ready": {"port": 65536}}]}`:              "65535",
		`{"processes": [{"name": "a", "program": "x", "stopTimeout": "soon"}]}`:                 "such as",
		`{"processes": [{"name": "a", "program": "x", "stopTimeout": 3}]}`:                      "such as",
		`{"processes": [{"name": "a", "program": "x", "env": {"A=": "1"}}]}`:                    "impossible name",
		`{"processes": [{"name": "a", "program": "x", "dependsOn": ["b"]}]}`:                    "not there",
		`{"processes": [{"name": "a", "program": "x"}], "endWith": "b"}`:                        "endWith",
		`{"processes": [` + strings.Repeat(`{"name": "a", "program": "x"},`, 64) + `{}]}`:       "limit is 64",
		`{"processes": [{"name": "a", "program": "x", "buildFlags": {}}]}`:                      "list of strings",
		`{"processes": [{"name": "a", "program": "x"}], "env": {"": "1"}}`:                      "impossible name",
		`{"processes": [{"name": "a", "program": "x", "dependsOn": ["a"]}]}`:                    "waits for itself",
		`{"processes": [{"name": "a", "program": "x"}, {"name": "a", "program": "x"}], "x": 1}`: "two processes",
	} {
		if _, err := Parse(json.RawMessage(text), "/"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

func TestLines(t *testing.T) {
	var l lines
	var got []string
	for _, piece := range []string{"a", "b\nc\r\n", "\n", "d", strings.Repeat("x", maxLine)} {
		got = append(got, l.add([]byte(piece))...)
	}
	got = append(got, l.rest()...)
	want := []string{"ab", "c", "", "d" + strings.Repeat("x", maxLine-1), "x"}
	if !slices.Equal(got, want) || l.rest() != nil {
		t.Errorf("%.40q, want %.40q", got, want)
	}
}
