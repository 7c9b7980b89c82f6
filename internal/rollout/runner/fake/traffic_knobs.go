package fake

// Rate has so many requests a second go through a backend from now on.
func (t *Traffic) Rate(backend string, perSecond float64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.way(backend).rate = perSecond
}

// Serve has a side of a backend answer so from now on.
func (t *Traffic) Serve(backend, side string, s Serving) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.way(backend).lane(side).serving = s
}

// SetDown has the front door find so many of a side's servers down.
func (t *Traffic) SetDown(backend, side string, n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.way(backend).lane(side).down = n
}

// Hold opens connections to the source that last until they are cut, as those
// of a database's clients do.
func (t *Traffic) Hold(backend string, n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	w := t.way(backend)
	w.lasting, w.source.held, w.target.held = n, n, 0
}

// Share gives the target's share of a backend in percent, as it stands.
func (t *Traffic) Share(backend string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.way(backend).weight
}
