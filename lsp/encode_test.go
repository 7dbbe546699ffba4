package lsp

import (
	"reflect"
	"testing"

	"go.lsp.dev/protocol"
)

// TestEncode: what the quick encoders write is what protocol reads.
func TestEncode(t *testing.T) {
	args := arguments{URI: "file:///a%20\"b.go", Package: "p", Test: "TestÄ", Seed: seed(1 << 60), Step: 7, Line: 3}.list()
	at := protocol.Range{Start: protocol.Position{Line: 1, Character: 2}, End: protocol.Position{Line: 1, Character: 1 << 31}}
	lenses := []protocol.CodeLens{
		{Range: at, Command: protocol.Command{Title: "◀ \"\x01\u2028<", Command: runTest, Arguments: args}},
		{Command: protocol.Command{Title: "x", Command: debugTest, Arguments: append(args, args...)}},
	}
	var gotLenses []protocol.CodeLens
	decode(t, lenses, &gotLenses)
	if !reflect.DeepEqual(gotLenses, lenses) {
		t.Errorf("got %+v, want %+v", gotLenses, lenses)
	}
	yes := true
	hints := []protocol.InlayHint{{
		Position: at.End, PaddingLeft: &yes,
		Label: protocol.InlayHintLabelPartSlice{{Value: "#1 \\ ×2", Command: lenses[0].Command}, {Value: "b", Command: lenses[1].Command}},
	}}
	var gotHints []protocol.InlayHint
	decode(t, hints, &gotHints)
	if !reflect.DeepEqual(gotHints, hints) {
		t.Errorf("got %+v, want %+v", gotHints, hints)
	}
}

func decode(t *testing.T, list, into any) {
	t.Helper()
	b, err := codec{}.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	slow, err := protocol.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	if string(b) != string(slow) {
		t.Errorf("JSON is\n%s\nprotocol writes\n%s", b, slow)
	}
	if err := (codec{}).Unmarshal(b, into); err != nil {
		t.Fatalf("%v in %s", err, b)
	}
}
