package gridnode

import (
	"context"
	"errors"
	"strings"
	"testing"
)

// answers returns a channel of results as fan makes it: a letter each, upper case
// for an error.
func answers(outcome string) <-chan indexed {
	c := make(chan indexed, len(outcome))
	for i, r := range outcome {
		a := indexed{Result{Peer: string(r)}, i}
		if strings.ToUpper(string(r)) == string(r) {
			a.Err = errors.New("no")
		}
		c <- a
	}
	close(c)
	return c
}

func TestQuorumEndsAsSoonAsTheOutcomeIsKnown(t *testing.T) {
	for _, c := range []struct {
		name    string
		need    int
		outcome string // in the order of arrival
		read    string // what was read when the outcome was known
		ok      bool
	}{
		{"none needed", 0, "abc", "", true},
		{"first is enough", 1, "abc", "a", true},
		{"majority, no errors", 2, "abc", "ab", true},
		{"majority despite one error", 2, "aBc", "aBc", true},
		{"all needed, all answer", 3, "abc", "abc", true},
		{"all needed, first fails", 3, "Abc", "A", false},
		{"all needed, last fails", 3, "abC", "abC", false},
		{"impossible after two errors of three", 2, "ABc", "AB", false},
		{"impossible after two errors and an answer", 3, "aBCd", "aBC", false},
		{"one of many", 1, "ABCDe", "ABCDe", true},
		{"none of many", 1, "ABCDE", "ABCDE", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := quorum{need: c.need, left: len(c.outcome)}
			err := q.collect(context.Background(), answers(c.outcome))
			read := ""
			for _, r := range q.results {
				read += r.Peer
			}
			if read != c.read {
				t.Errorf("read %q, want %q", read, c.read)
			}
			if c.ok != (err == nil) || !c.ok && !errors.Is(err, ErrNoQuorum) {
				t.Errorf("outcome %v", err)
			}
		})
	}
}

func TestQuorumEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	q := quorum{need: 1, left: 1}
	if err := q.collect(ctx, make(chan indexed)); !errors.Is(err, context.Canceled) || errors.Is(err, ErrNoQuorum) {
		t.Error(err)
	}
}

func TestWhatNobodyWillUseIsUndone(t *testing.T) {
	for _, c := range []struct {
		name    string
		need    int
		outcome string
		undone  string
	}{
		{"late answers after a quorum", 2, "abcD" + "e", "ce"},
		{"nothing after all have answered", 3, "abc", ""},
		{"all answers without a quorum, late ones too", 4, "aBbCc", "abc"},
		{"nothing to undo", 1, "ABC", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := quorum{need: c.need, left: len(c.outcome)}
			late := answers(c.outcome)
			err := q.collect(context.Background(), late)
			undone := ""
			q.cleanUp(late, err, func(r Result) { undone += r.Peer })
			if undone != c.undone {
				t.Errorf("undone %q, want %q (quorum: %v)", undone, c.undone, err)
			}
		})
	}
}

func TestRetryOnlyWhatCannotHaveRun(t *testing.T) {
	safe := errors.New("the application says so")
	for _, c := range []struct {
		err  error
		want bool
	}{
		{ErrNotSent, true},
		{notSent(errors.New("x")), true},
		{overTheWire(ErrOverloaded), true},
		{lostError("http://b:1", nil), false},
		{context.DeadlineExceeded, false},
		{overTheWire(errors.New("x")), false},
		{safe, false},
	} {
		if got := (Retry{}).allows(c.err); got != c.want {
			t.Errorf("%v: %v", c.err, got)
		}
	}
	r := Retry{Retryable: func(err error) bool { return err == safe }}
	if !r.allows(safe) || !r.allows(ErrNotSent) || r.allows(lostError("http://b:1", nil)) {
		t.Error("Retryable does not add to what is always safe")
	}
}

func TestOneGoroutineBroadcastsOnlyWhatNeverWaits(t *testing.T) {
	for _, c := range []struct {
		f     Fanout
		peers int
		size  int
		want  bool
	}{
		{Fanout{}, 7, 512, true},
		{Fanout{Limit: 7}, 7, 512, true},
		{Fanout{Limit: 6}, 7, 512, false},
		{Fanout{Retry: Retry{Attempts: 1}}, 7, 512, true},
		{Fanout{Retry: Retry{Attempts: 2}}, 7, 512, false},
		{Fanout{}, 7, bulkSize, true},
		{Fanout{}, 7, bulkSize + 1, false},
	} {
		if got := c.f.direct(c.peers, c.size); got != c.want {
			t.Errorf("%+v, %d peers, %d bytes: %v", c.f, c.peers, c.size, got)
		}
	}
}
