package agent

// Tidy removes files from the cache that no needed update uses, and returns
// how many bytes the volume has gained. The caller runs it within [Alone].
func (a *Agent) Tidy() (int64, error) {
	before, err := a.opt.Free(a.opt.Dir)
	if err != nil {
		return 0, err
	}
	op, err := a.open("tidy")
	if err != nil {
		return 0, err
	}
	if err := op.clean(); err != nil {
		return 0, err
	}
	after, err := a.opt.Free(a.opt.Dir)
	if err != nil || after < before {
		return 0, err
	}
	return int64(after - before), nil
}
