package moment

import (
	"strings"
	"testing"
)

func TestRoundTrip(t *testing.T) {
	for _, m := range []Moment{
		{Package: "example.org/bank", Test: "TestTransfer", Seed: 37, Step: 412, Build: "9f86d081884c7d65"},
		{Package: "bank", Test: "Test_Übertrag", Seed: 1<<64 - 1, Variant: 0xabc},
		{Package: "example.org/x.test/v2", Test: "ExampleBank_transfer", Seed: 0, Step: 1},
	} {
		for _, text := range []string{m.String(), m.VSCode()} {
			got, err := Parse(text)
			if err != nil || got != m {
				t.Errorf("%s: got %+v, %v", text, got, err)
			}
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"http://v1/x?test=T&seed=1":                             "does not start with",
		"restep://v1/?test=T&seed=1":                            "no import path",
		"restep://v1/../../etc?test=T&seed=1":                   "no import path",
		"restep://v1/-exec=sh?test=T&seed=1":                    "no import path",
		"restep://v1/a%2f..%2fb?test=T&seed=1":                  "no import path",
		"restep://v1/x?seed=1":                                  "no name of a test",
		"restep://v1/x?test=-run&seed=1":                        "no name of a test",
		"restep://v1/x?test=T%0a&seed=1":                        "no name of a test",
		"restep://v1/x?test=T&seed=-1":                          "seed",
		"restep://v1/x?test=T&seed=1&seed=2":                    "given 2 times",
		"restep://v1/x?test=T&seed=1&step=99999999999999999999": "step",
		"restep://v1/x?test=T&seed=1&build=../x":                "not hexadecimal",
		"restep://v1/x?test=T&seed=1&env=LD_PRELOAD":            "unknown part",
		"restep://v1/x?test=T%":                                 "invalid URL escape",
		"restep://v1/" + strings.Repeat("x", 5000):              "longer than",
	} {
		if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.80s: %v, want %q", text, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("restep://v1/example.org/bank?test=TestTransfer&seed=37&step=412&build=9f86d081884c7d65")
	f.Add("vscode://restep.restep/v1/x?test=T&seed=1&variant=ff")
	f.Fuzz(func(t *testing.T, text string) {
		m, err := Parse(text)
		if err != nil {
			return
		}
		again, err := Parse(m.String())
		if err != nil || again != m {
			t.Errorf("%q: %+v, then %+v, %v", text, m, again, err)
		}
	})
}
