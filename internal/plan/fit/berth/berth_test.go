package berth

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func problems(t *rapid.T) Problem {
	var p Problem
	for range rapid.IntRange(2, 7).Draw(t, "nodes") {
		p.Rooms = append(p.Rooms, []int64{rapid.Int64Range(500, 4000).Draw(t, "cpu"), rapid.Int64Range(500, 8000).Draw(t, "memory")})
	}
	for range rapid.IntRange(1, 12).Draw(t, "items") {
		p.Items = append(p.Items, Item{
			Size:  []int64{rapid.Int64Range(0, 500).Draw(t, "size"), rapid.Int64Range(0, 900).Draw(t, "size")},
			Count: rapid.IntRange(0, len(p.Rooms)-1).Draw(t, "count"),
		})
	}
	return p
}

// TestNoLossIsTooMuch: where Find says that berths hold, every node holds what it
// runs together with what comes to it from any one that is lost, and no two
// copies share a node.
func TestNoLossIsTooMuch(t *testing.T) {
	held := 0
	rapid.Check(t, func(t *rapid.T) {
		p := problems(t)
		berths, over := Find(p, 1, 2000)
		if len(berths) != len(p.Items) {
			t.Fatalf("%d of %d items have a berth", len(berths), len(p.Items))
		}
		for i, b := range berths {
			if len(b.Homes) != p.Items[i].Count || len(slices.Compact(slices.Clone(b.Homes))) != len(b.Homes) || slices.Contains(b.Homes, b.Spare) {
				t.Fatalf("item %d of %d copies has %+v", i, p.Items[i].Count, b)
			}
		}
		worst := int64(0)
		for lost := range p.Rooms {
			load := make([][2]int64, len(p.Rooms))
			for i, b := range berths {
				for _, h := range b.Homes {
					if h == lost {
						h = b.Spare
					}
					load[h][0] += p.Items[i].Size[0]
					load[h][1] += p.Items[i].Size[1]
				}
			}
			for n, room := range p.Rooms {
				if n != lost {
					worst = max(worst, load[n][0]-room[0], load[n][1]-room[1])
				}
			}
		}
		if (over == 0) != (worst == 0) {
			t.Fatalf("Find says %v over, and a node is %d over its room", over, worst)
		}
		if over == 0 {
			held++
		}
	})
	if held == 0 {
		t.Error("no problem had berths that hold")
	}
}

// TestWhatFitsIsFound: six equal nodes of which any five are filled to 95 %.
func TestWhatFitsIsFound(t *testing.T) {
	var p Problem
	for range 6 {
		p.Rooms = append(p.Rooms, []int64{1000, 1000})
	}
	for i := range int64(30) {
		size := 20 + i*i*7%61
		p.Items = append(p.Items, Item{Size: []int64{size, 20 + (i*29+11)%61}, Count: 3})
	}
	cpu, memory := int64(0), int64(0)
	for _, x := range p.Items {
		cpu, memory = cpu+3*x.Size[0], memory+3*x.Size[1]
	}
	if cpu > 4750 || memory > 4750 {
		t.Fatalf("the test asks for %d and %d of 5000", cpu, memory)
	}
	if _, over := Find(p, 1, 400_000); over > 0 {
		t.Errorf("Find = %v over, want berths for %d and %d of 5000", over, cpu, memory)
	}
}

// few worries where more than so many copies of the first ten items are on a node.
type few struct{ copies, most int }

func (f *few) Add(item, n int) {
	if item < 10 {
		f.copies += n
	}
}

func (f *few) Worry() float64 { return float64(f.copies) / float64(f.most) }

// TestNoNodeWorries: berths that hold are good by the nodes' loads too.
func TestNoNodeWorries(t *testing.T) {
	p := Problem{Load: func(int) Load { return &few{most: 6} }}
	for range 6 {
		p.Rooms = append(p.Rooms, []int64{1000, 1000})
	}
	for i := range int64(30) {
		p.Items = append(p.Items, Item{Size: []int64{20 + i*i*7%61, 20 + (i*29+11)%61}, Count: 3})
	}
	berths, over := Find(p, 1, 400_000)
	if over > 0 {
		t.Fatalf("Find = %v over", over)
	}
	on := make([]int, 6)
	for _, b := range berths[:10] {
		for _, h := range b.Homes {
			on[h]++
		}
	}
	if slices.Max(on) > 6 {
		t.Errorf("copies on nodes are %v, want no more than 6", on)
	}
	p.Load = func(int) Load { return &few{most: 4} }
	if _, over := Find(p, 1, 100_000); over <= 0 {
		t.Error("30 copies on six nodes are four on each at most")
	}
}

// TestTooManyCopiesHaveNoBerth: each needs a node, and one more.
func TestTooManyCopiesHaveNoBerth(t *testing.T) {
	if b, _ := Find(Problem{Rooms: [][]int64{{9}, {9}}, Items: []Item{{Size: []int64{1}, Count: 2}}}, 1, 100); b != nil {
		t.Errorf("Find = %v, want none", b)
	}
}

// TestSameSeedSameBerths: nothing else decides.
func TestSameSeedSameBerths(t *testing.T) {
	p := Problem{Rooms: [][]int64{{90, 80}, {90, 80}, {50, 100}}}
	for i := range int64(9) {
		p.Items = append(p.Items, Item{Size: []int64{5 + i, 14 - i}, Count: 1 + int(i%2)})
	}
	a, _ := Find(p, 3, 5000)
	b, _ := Find(p, 3, 5000)
	if d := cmp.Diff(a, b); d != "" {
		t.Error(d)
	}
}
