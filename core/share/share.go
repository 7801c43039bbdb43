// Package share keeps short records that several processes change: in files of one machine, or on a Redis server. It knows
// nothing of what they mean.
package share

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Change makes a new record of the one that is there, which is empty at first. now is the time that all processes agree on. It
// may be called again where somebody else was faster, and must not keep the old record. keep is how long the new one is needed
// when nobody touches it.
type Change func(now time.Time, old []byte) (replaced []byte, keep time.Duration)

// Store keeps records by name. A name has letters and digits.
type Store interface {
	// Update changes a record; nobody else changes it in between. It waits as long as ctx lets it, and returns an error when
	// the change may not have been made.
	Update(ctx context.Context, name string, change Change) error
	// String names the store without secrets.
	String() string
}

// mostBytes is what a record may have.
const mostBytes = 64<<10 - slotHeader

var errLong = errors.New("the record is too long: too many processes share it")

// Open makes the store of an address: a directory's absolute path, redis://user:password@host:port/database, or rediss:// for
// TLS. Nothing is connected or created yet. chance gives numbers from 0 up to but not including 1, which are others in each process.
func Open(address string, chance func() float64) (Store, error) {
	if !strings.Contains(address, "://") {
		if !filepath.IsAbs(address) {
			return nil, errors.New(`must be the absolute path of a directory, or redis://host:port/database`)
		}
		return &files{directory: filepath.Clean(address), chance: chance}, nil
	}
	parsed, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("is no URL that can be read") // the parser's own words would show the password
	}
	made := &redis{
		chance: chance, user: parsed.User.Username(), host: net.JoinHostPort(parsed.Hostname(), cmp.Or(parsed.Port(), "6379")),
	}
	made.password, _ = parsed.User.Password()
	switch parsed.Scheme {
	case "redis":
		made.dial = (&net.Dialer{}).DialContext
	case "rediss":
		made.dial = (&tls.Dialer{}).DialContext
	default:
		return nil, fmt.Errorf("has the scheme %q; there are redis and rediss, and directories by their path", parsed.Scheme)
	}
	if parsed.Hostname() == "" || parsed.RawQuery != "" || parsed.Fragment != "" {
		return nil, errors.New("must be redis://host:port/database, with user:password@ before the host where they are needed")
	}
	if database := strings.Trim(parsed.Path, "/"); database != "" {
		if made.database, err = strconv.Atoi(database); err != nil || made.database < 0 {
			return nil, fmt.Errorf("has the database %q, which must be a number", database)
		}
	}
	return made, nil
}

// pauses are how long one waits who was not the fastest: longer each time, and never all for the same time.
type pauses struct {
	chance func() float64
	next   time.Duration
}

const longestPause = 20 * time.Millisecond

// wait pauses; false when ctx has ended.
func (p *pauses) wait(ctx context.Context) bool {
	p.next = min(max(2*p.next, 100*time.Microsecond), longestPause)
	timer := time.NewTimer(time.Duration((0.5 + p.chance()/2) * float64(p.next)))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
