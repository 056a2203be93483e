package actor

// Workers returns how many goroutines p has.
func Workers(p *Pool) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.workers
}
