package frames_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/actorgrid/actorgrid/frames"
)

func TestOpsHaveNamesOfTheirOwn(t *testing.T) {
	names := map[string]frames.Op{}
	for op := range frames.Op(255) {
		name := op.String()
		if other, taken := names[name]; taken {
			t.Errorf("ops %d and %d are both %q", other, op, name)
		}
		names[name] = op
		if known := op >= frames.OpHello && op <= frames.OpGoaway; strings.HasPrefix(name, "op ") == known {
			t.Errorf("op %d is %q", op, name)
		}
	}
	if len(names) != 255 {
		t.Errorf("%d names", len(names))
	}
}

func TestCodesHaveNamesOfTheirOwn(t *testing.T) {
	names := map[string]frames.Code{}
	for code := range frames.Code(2000) {
		name := code.String()
		if other, taken := names[name]; taken {
			t.Errorf("codes %d and %d are both %q", other, code, name)
		}
		names[name] = code
		known := code <= frames.CodeOverloadedWithin || code >= frames.RefuseVersion && code <= frames.RefusePath
		if known == (name == fmt.Sprintf("code %d", uint32(code))) {
			t.Errorf("code %d is %q", code, name)
		}
	}
	if name := frames.Code(1<<32 - 1).String(); name != "code 4294967295" {
		t.Errorf("the greatest code is %q", name)
	}
}

func TestKindsHaveNames(t *testing.T) {
	if s, m := frames.KindSingle.String(), frames.KindStream.String(); s != "single" || m != "stream" {
		t.Errorf("%q and %q", s, m)
	}
	if name := frames.Kind(9).String(); name != "kind 9" {
		t.Errorf("a kind that there is not is %q", name)
	}
}
