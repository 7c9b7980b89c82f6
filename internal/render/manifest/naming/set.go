package naming

import "strconv"

// A Set holds names that are taken.
type Set map[string]bool

// Take gives name if it is free, else a name of it and the hash of text, and
// takes it.
func (s Set) Take(name, text string, limit int) string {
	if s[name] {
		name = suffixed(name, Hash(text), limit)
	}
	for i := 2; s[name]; i++ {
		name = suffixed(name, Hash(text+"\x00"+strconv.Itoa(i)), limit)
	}
	s[name] = true
	return name
}

func suffixed(name, hash string, limit int) string {
	if limit < 12 {
		limit = 12
	}
	if limit == Port {
		hash = hash[:4]
	}
	if most := limit - len(hash) - 1; len(name) > most {
		name = name[:most]
		for len(name) > 1 && name[len(name)-1] == '-' {
			name = name[:len(name)-1]
		}
	}
	return name + "-" + hash
}

// A Wish is a name that something would like to have.
type Wish struct {
	Text  string // what is to be named; unique
	Name  string // legal
	Exact bool   // Name is Text's own spelling: it goes before those that were changed
	Limit int
}

// Grant gives each wish its name, those that need no change first, so that a
// new neighbour of a similar name does not rename what was there. Names that
// are taken already stay so.
func (s Set) Grant(wishes []Wish) []string {
	out := make([]string, len(wishes))
	for _, exact := range []bool{true, false} {
		for i, w := range wishes {
			if w.Exact == exact {
				out[i] = s.Take(w.Name, w.Text, w.Limit)
			}
		}
	}
	return out
}
