package agent

// Tidy removes files from the cache that no needed update uses, and returns
// how many bytes it has removed. The caller runs it within [Alone].
func (a *Agent) Tidy() (int64, error) {
	op, err := a.open("tidy")
	if err != nil {
		return 0, err
	}
	before, err := op.cache.Used()
	if err != nil {
		return 0, err
	}
	if err := op.clean(); err != nil {
		return 0, err
	}
	after, err := op.cache.Used()
	return before - after, err
}
