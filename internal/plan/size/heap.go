package size

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
)

// A heap is how large a JVM's heap may become.
type heap struct {
	size   unit.Bytes // set by -Xmx
	share  float64    // of the container's memory, set by -XX:MaxRAMPercentage
	direct unit.Bytes // buffers outside of it
	// declared heaps are worked out, when the container starts, from the memory
	// that was declared.
	declared bool
	from     string // where it was seen
}

var (
	xmx      = regexp.MustCompile(`-Xmx(\d{1,15})([kKmMgGtT]?)(?:\s|["';]|$)`)
	maxHeap  = regexp.MustCompile(`-XX:MaxHeapSize=(\d{1,15})([kKmMgGtT]?)`)
	percent  = regexp.MustCompile(`-XX:MaxRAMPercentage=(\d{1,3}(?:\.\d+)?)`)
	fraction = regexp.MustCompile(`-XX:MaxRAMFraction=(\d{1,3})`)
	direct   = regexp.MustCompile(`-XX:MaxDirectMemorySize=(\d{1,15})([kKmMgGtT]?)`)
	scripted = regexp.MustCompile(`-Xmx[^\s]*MARATHON_APP_RESOURCE_MEM`)
)

// heapOf looks for a JVM's settings where people write them: in the command
// and in variables; _JAVA_OPTIONS has the last word, as in the JVM.
func heapOf(k *estate.Container) heap {
	type place struct{ name, text string }
	var places []place
	for _, last := range []bool{false, true} {
		for _, v := range k.Env {
			if (v.Name == "_JAVA_OPTIONS") != last {
				continue
			}
			if strings.Contains(v.Value, "-X") {
				places = append(places, place{v.Name, v.Value})
			}
		}
		if !last {
			command := strings.Join(append(append([]string{k.Shell}, k.Command...), k.Args...), " ")
			places = append(places, place{"the command", command})
		}
	}
	var h heap
	for _, p := range places {
		switch {
		case scripted.MatchString(p.text):
			h = heap{declared: true, from: p.name, direct: h.direct}
		case xmx.MatchString(p.text):
			h = heap{size: lastSize(xmx, p.text), from: p.name, direct: h.direct}
		case maxHeap.MatchString(p.text):
			h = heap{size: lastSize(maxHeap, p.text), from: p.name, direct: h.direct}
		case percent.MatchString(p.text) && h.size == 0:
			m := percent.FindAllStringSubmatch(p.text, -1)
			v, _ := strconv.ParseFloat(m[len(m)-1][1], 64)
			h.share, h.from = min(v/100, 1), p.name
		case fraction.MatchString(p.text) && h.size == 0:
			m := fraction.FindAllStringSubmatch(p.text, -1)
			v, _ := strconv.ParseFloat(m[len(m)-1][1], 64)
			h.share, h.from = 1/max(v, 1), p.name
		}
		if direct.MatchString(p.text) {
			h.direct = lastSize(direct, p.text)
		}
	}
	return h
}

// lastSize reads the last setting of a text: the JVM lets it win.
func lastSize(re *regexp.Regexp, text string) unit.Bytes {
	all := re.FindAllStringSubmatch(text, -1)
	m := all[len(all)-1]
	n, err := strconv.ParseInt(m[1], 10, 64)
	if err != nil {
		return 0
	}
	size := unit.Bytes(1)
	switch strings.ToLower(m[2]) {
	case "k":
		size = unit.KiB
	case "m":
		size = unit.MiB
	case "g":
		size = unit.GiB
	case "t":
		size = unit.GiB << 10
	}
	if n > int64(1<<50)/int64(size) {
		return 1 << 50
	}
	return unit.Bytes(n) * size
}

// overhead is what a JVM needs beside its heap: classes, compiled code, stacks
// and buffers. A quarter of the heap, 128 MiB at least.
func (h heap) overhead() unit.Bytes { return max(h.size/4, 128*unit.MiB) + h.direct }

// heap keeps the memory from falling below what a JVM was promised: a heap that
// was not full while somebody looked may be full the day after.
func (c *containerSizing) heap(had unit.Bytes) {
	h := heapOf(c.k)
	floor, why := unit.Bytes(0), ""
	switch {
	case h.size > 0:
		floor = h.size + h.overhead()
		why = fmt.Sprintf("-Xmx in %s lets the heap grow to %s, with %s beside it", h.from, h.size, h.overhead())
		if had > 0 && h.size >= had {
			c.m.report(HeapTooLarge, diag.Warning, subject(c.w), fmt.Sprintf("lets its heap grow to %s and declared %s%s", h.size, had, c.of()),
				"it would have been killed first; lower -Xmx, or give it memory by policy")
		}
	case h.declared:
		floor = had
		why = h.from + " works the heap out from the memory that was declared"
	case h.share > 0 && c.out.Reason != plan.AsDeclared && c.seen.memory > 0:
		floor = mebibytes(c.seen.memory / h.share)
		why = fmt.Sprintf("its heap is %.0f %% of its memory (%s): that much holds all that it used", 100*h.share, h.from)
	}
	if had > 0 && c.seen.kills == 0 && floor > had {
		floor, why = had, why+"; with "+had.String()+" it was not killed"
	}
	if floor > c.out.Memory {
		floor = mebibytes(float64(floor))
		c.set(floor, plan.HeapFloor, "memory %s: %s", floor, why)
	}
}
