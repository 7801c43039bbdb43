package transport

import (
	"context"
	"net/url"
	"sync"
	"time"
)

// route is what two requests must have in common to share a connection.
type route struct {
	scheme, host, proxy string
}

func routeOf(target, proxy *url.URL) route {
	key := route{scheme: target.Scheme, host: target.Host}
	if proxy != nil {
		key.proxy = proxy.String()
	}
	return key
}

// pool keeps idle connections, the most recently used on top, and limits how many are in use per route when asked to.
type pool struct {
	limit int // connections in use per route; 0: any number

	mu     sync.Mutex
	parked map[route][]*conn
	slots  map[route]chan struct{} // one token per connection in use, when limited
	sweep  *time.Timer             // runs while connections are parked
	closed bool
}

func newPool(limit int) *pool {
	return &pool{limit: limit, parked: make(map[route][]*conn), slots: make(map[route]chan struct{})}
}

// idle takes a parked connection that still seems alive, if that is possible without waiting for a place.
func (p *pool) idle(key route) *conn {
	if p.limit > 0 {
		select {
		case p.places(key) <- struct{}{}:
		default:
			return nil
		}
	}
	c := p.recent(key)
	if c == nil {
		p.leave(key)
	}
	return c
}

// prompt takes the connection of a route that was parked last, if its last answer came at once.
func (p *pool) prompt(key route) *conn {
	p.mu.Lock()
	waiting := p.parked[key]
	likely := len(waiting) > 0 && waiting[len(waiting)-1].prompt
	p.mu.Unlock()
	if !likely {
		return nil
	}
	return p.idle(key)
}

// recent takes the connection of a route that was parked last. The caller has a place.
func (p *pool) recent(key route) *conn {
	for {
		p.mu.Lock()
		waiting := p.parked[key]
		if len(waiting) == 0 {
			p.mu.Unlock()
			return nil
		}
		c := waiting[len(waiting)-1]
		waiting[len(waiting)-1] = nil
		p.parked[key] = waiting[:len(waiting)-1]
		p.mu.Unlock()
		if time.Since(c.parkedAt) < idleConnection && c.alive() {
			c.reused = true
			return c
		}
		_ = c.raw.Close()
	}
}

// admit waits for a place among the connections in use.
func (p *pool) admit(ctx context.Context, key route) error {
	if p.limit == 0 {
		return nil
	}
	select {
	case p.places(key) <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// leave gives a place back.
func (p *pool) leave(key route) {
	if p.limit > 0 {
		<-p.places(key)
	}
}

func (p *pool) places(key route) chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	places, ok := p.slots[key]
	if !ok {
		places = make(chan struct{}, p.limit)
		p.slots[key] = places
	}
	return places
}

// park keeps a connection for the next request, and gives its place back.
func (p *pool) park(c *conn) {
	c.parkedAt = time.Now()
	p.mu.Lock()
	if p.closed {
		_ = c.raw.Close()
	} else {
		p.parked[c.route] = append(p.parked[c.route], c)
		if p.sweep == nil {
			p.sweep = time.AfterFunc(idleConnection, p.dropOld)
		}
	}
	p.mu.Unlock()
	p.leave(c.route)
}

// dropOld closes what has been parked for too long, and comes back while anything is parked.
func (p *pool) dropOld() {
	p.mu.Lock()
	defer p.mu.Unlock()
	next := time.Duration(0)
	for key, waiting := range p.parked {
		old := 0
		for old < len(waiting) && time.Since(waiting[old].parkedAt) >= idleConnection {
			_ = waiting[old].raw.Close()
			old++
		}
		if waiting = append([]*conn(nil), waiting[old:]...); len(waiting) == 0 {
			delete(p.parked, key)
			continue
		}
		p.parked[key] = waiting
		if left := idleConnection - time.Since(waiting[0].parkedAt); next == 0 || left < next {
			next = left
		}
	}
	p.sweep = nil
	if next > 0 {
		p.sweep = time.AfterFunc(max(next, time.Second), p.dropOld)
	}
}

func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for key, waiting := range p.parked {
		for _, c := range waiting {
			_ = c.raw.Close()
		}
		delete(p.parked, key)
	}
	if p.sweep != nil {
		p.sweep.Stop()
		p.sweep = nil
	}
}
