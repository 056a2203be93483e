package gridnode

import (
	"fmt"
	"strings"
	"testing"
)

func TestNormalNameBringsAllSpellingsToOneForm(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"http://node1:9000", "http://node1:9000"},
		{"http://NODE1.Example.COM:9000", "http://node1.example.com:9000"},
		{"HTTP://node1:9000", "http://node1:9000"},
		{"http://node1:9000/", "http://node1:9000"},
		{"http://node1", "http://node1:80"},
		{"http://node1:", "http://node1:80"},
		{"https://node1", "https://node1:443"},
		{"https://node1:8443", "https://node1:8443"},
		{"http://[::1]:9000", "http://[::1]:9000"},
		{"http://[2001:DB8::1]", "http://[2001:db8::1]:80"},
		{"http://10.0.0.1:1", "http://10.0.0.1:1"},
		{"http://node1:09000", "http://node1:9000"},
		{"http://[2001:0db8:0::0:1]:1", "http://[2001:db8::1]:1"},
		{"http://[FE80::1%25En0]:1", "http://[fe80::1%25En0]:1"},
	} {
		got, err := normalName(c.in)
		if err != nil || got != c.want {
			t.Errorf("%q gives %q, %v; want %q", c.in, got, err, c.want)
		}
		if again, err := normalName(got); err != nil || again != got {
			t.Errorf("%q is not stable: %q, %v", got, again, err)
		}
	}
}

func TestNormalNameRefusesWhatIsNoNode(t *testing.T) {
	for _, c := range []struct{ in, reason string }{
		{"", "empty"},
		{"node1:9000", "scheme"},
		{"//node1:9000", "scheme"},
		{"ws://node1:9000", "scheme"},
		{"ftp://node1", "scheme"},
		{"http://", "no host"},
		{"http://:9000", "no host"},
		{"http://node1:port", "port"},
		{"http://node1:9000/path", "only a scheme"},
		{"http://node1:9000?q=1", "only a scheme"},
		{"http://node1:9000#f", "only a scheme"},
		{"http://user:secret@node1:9000", "only a scheme"},
		{"http://node 1:9000", "invalid character"},
		{"http://node1\n:9000", "invalid control character"},
	} {
		got, err := normalName(c.in)
		if err == nil || !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%q gives %q, %v; want an error with %q", c.in, got, err, c.reason)
		}
	}
}

func TestNormalNameRefusesPortsThatCannotBe(t *testing.T) {
	for _, name := range []string{"http://node1:0", "http://node1:65536", "http://node1:99999999999999999999"} {
		if got, err := normalName(name); err == nil {
			t.Errorf("%q is taken as %q", name, got)
		}
	}
}

func FuzzNormalName(f *testing.F) {
	for _, seed := range []string{"", "http://a", "https://[::1]:443", "http://a:b", "http://A:80/", "http://%41:1", "http://a%00:1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		name, err := normalName(in)
		if err != nil {
			return
		}
		again, err := normalName(name)
		if err != nil || again != name {
			t.Fatalf("%q gives %q, which gives %q, %v", in, name, again, err)
		}
	})
}

// balance fails unless exactly one side of each pair dials and every node dials at
// least low of the others.
func balance(t *testing.T, names []string, low int) {
	t.Helper()
	total := 0
	for _, a := range names {
		n := 0
		for _, b := range names {
			if a == b {
				continue
			}
			if dials(a, b) == dials(b, a) {
				t.Errorf("%s and %s: both dial, or neither: %v", a, b, dials(a, b))
			}
			if dials(a, b) {
				n++
			}
		}
		if n < low {
			t.Errorf("%s dials %d of %d, want at least %d", a, n, len(names)-1, low)
		}
		total += n
	}
	if want := len(names) * (len(names) - 1) / 2; total != want {
		t.Errorf("%d dials for %d pairs", total, want)
	}
}

func TestExactlyOneSideDialsAndTheWorkIsShared(t *testing.T) {
	styles := map[string]func(i int) string{
		"numbered hosts":  func(i int) string { return fmt.Sprintf("http://node%d:9000", i) },
		"padded hosts":    func(i int) string { return fmt.Sprintf("https://server-%03d.example.com:9000", i) },
		"ports":           func(i int) string { return fmt.Sprintf("http://127.0.0.1:%d", 9000+i) },
		"last octet":      func(i int) string { return fmt.Sprintf("http://10.0.0.%d:9000", i) },
		"third octet":     func(i int) string { return fmt.Sprintf("http://10.0.%d.7:9000", i) },
		"ephemeral ports": func(i int) string { return fmt.Sprintf("http://127.0.0.1:%d", 32768+i*37) },
	}
	// Each pair is a coin of its own, since two nodes' lists of peers may differ while
	// one is added. 17 of 34 is the mean and 3 the deviation: a node below 10 is rare,
	// not impossible.
	spread := map[string]int{"padded hosts": 1}
	for style, name := range styles {
		t.Run(style, func(t *testing.T) {
			var names []string
			for i := range 35 {
				names = append(names, name(i))
			}
			balance(t, names, 10-4*spread[style])
		})
	}
}

func TestOnlyLoopbackAddressesAreTrustedWithoutVerify(t *testing.T) {
	for name, want := range map[string]bool{
		"http://127.0.0.1:1":            true,
		"http://127.8.8.8:1":            true,
		"http://[::1]:1":                true,
		"http://localhost:1":            true,
		"http://localhost.evil.test:1":  false,
		"http://10.0.0.1:1":             false,
		"http://node1:1":                false,
		"http://[::ffff:10.0.0.1]:1":    false,
		"http://127.0.0.1.evil.test:80": false,
		"no name at all":                false,
	} {
		if got := isLoopback(name); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
