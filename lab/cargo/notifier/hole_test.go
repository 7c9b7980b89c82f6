package notifier

import (
	"slices"
	"testing"
)

func TestIDsAreSentOnlyWhenNoneBeforeThemCanCome(t *testing.T) {
	var h hole
	look := func(why string, seen []int64, position int64, oldest uint64, want []int64) {
		t.Helper()
		if got := h.before(seen, position, oldest); !slices.Equal(got, want) {
			t.Errorf("%s: ready = %v, want %v", why, got, want)
		}
	}
	look("a row without holes", []int64{1, 2, 3}, 0, 100, []int64{1, 2, 3})
	look("5 is missing", []int64{4, 6, 7}, 3, 101, []int64{4})
	if !h.unasked() {
		t.Error("a hole that is new asks for no number")
	}
	h.until = 105
	look("who may have it runs", []int64{6, 7}, 4, 104, nil)
	look("it has come", []int64{5, 6, 7, 9}, 4, 104, []int64{5, 6, 7})
	h.until = 110
	look("8 is still missing", []int64{9}, 7, 109, nil)
	look("nobody can have it any more, but who has 10?", []int64{9, 11}, 7, 110, []int64{9})
	if !h.unasked() {
		t.Error("the second hole is judged by the number of the first")
	}
	h.until = 500
	look("another server, whose numbers are small", []int64{11}, 9, 20, nil)
	if !h.unasked() {
		t.Error("a hole is judged by another server's number")
	}
	h.until = 21
	look("nobody can have it there", []int64{11}, 9, 21, []int64{11})
}
