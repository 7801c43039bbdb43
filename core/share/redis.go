package share

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"
)

// redis keeps records as keys of a Redis server. A change is made if nobody else has made one since the record was read (WATCH,
// MULTI, EXEC), and else anew; nobody can hold anything that another one waits for. The server's clock is everybody's.
type redis struct {
	chance         func() float64
	host           string
	user, password string
	database       int
	dial           func(ctx context.Context, network, address string) (net.Conn, error)

	mu   sync.Mutex
	idle []*link
}

// mostIdle is how many connections are kept for the next change.
const mostIdle = 2

// prefix begins the names of keys, which have the version of their form in them as the files do.
const prefix = "pyagent:1:"

func (r *redis) String() string { return fmt.Sprintf("redis://%s/%d", r.host, r.database) }

// link is a connection. One change after the other is made on it.
type link struct {
	net.Conn
	from  *bufio.Reader
	heard bool // something since it was taken
}

// Update is part of Store.
func (r *redis) Update(ctx context.Context, name string, change Change) error {
	pause := pauses{chance: r.chance}
	for {
		made, err := r.try(ctx, prefix+name, change)
		if err != nil {
			if ctx.Err() != nil {
				err = context.Cause(ctx)
			}
			return r.without(err)
		}
		if made {
			return nil
		}
		if !pause.wait(ctx) {
			return fmt.Errorf("other programs were faster each time: %w", context.Cause(ctx))
		}
	}
}

// without takes the password out of what a server says, which may repeat what it was told.
func (r *redis) without(err error) error {
	if text := err.Error(); r.password != "" && strings.Contains(text, r.password) {
		return errors.New(strings.ReplaceAll(text, r.password, "***"))
	}
	return err
}

// try makes a change, unless another one came in between. A connection that the server has closed meanwhile is replaced.
func (r *redis) try(ctx context.Context, key string, change Change) (made bool, err error) {
	for {
		l, kept, err := r.connect(ctx)
		if err != nil {
			return false, err
		}
		stop := context.AfterFunc(ctx, func() { _ = l.SetDeadline(time.Unix(1, 0)) })
		if !kept {
			err = r.greet(l)
		}
		if err == nil {
			l.heard = false
			made, err = l.update(key, change)
		}
		if !stop() || err != nil {
			_ = l.Close()
			if kept && !l.heard && ctx.Err() == nil {
				continue
			}
			return made, err
		}
		r.keep(l)
		return made, nil
	}
}

// connect takes a connection that was kept, or makes one.
func (r *redis) connect(ctx context.Context) (l *link, kept bool, err error) {
	r.mu.Lock()
	if last := len(r.idle) - 1; last >= 0 {
		l, r.idle = r.idle[last], r.idle[:last]
	}
	r.mu.Unlock()
	if l != nil {
		return l, true, nil
	}
	conn, err := r.dial(ctx, "tcp", r.host)
	if err != nil {
		return nil, false, err
	}
	return &link{Conn: conn, from: bufio.NewReaderSize(conn, mostLine)}, false, nil
}

func (r *redis) keep(l *link) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.idle) < mostIdle {
		r.idle = append(r.idle, l)
		return
	}
	_ = l.Close()
}

// greet says who we are.
func (r *redis) greet(l *link) error {
	var hello [][]string
	switch {
	case r.user != "":
		hello = append(hello, []string{"AUTH", r.user, r.password})
	case r.password != "":
		hello = append(hello, []string{"AUTH", r.password})
	}
	if r.database != 0 {
		hello = append(hello, []string{"SELECT", strconv.Itoa(r.database)})
	}
	_, err := l.ask(hello...)
	return err
}

// update reads, changes and writes a record; made is false when it was not as it was read any more.
func (l *link) update(key string, change Change) (made bool, err error) {
	replies, err := l.ask([]string{"WATCH", key}, []string{"GET", key}, []string{"TIME"})
	if err != nil {
		return false, err
	}
	old, ok := replies[1].(string)
	now, known := readTime(replies[2])
	if !ok && replies[1] != nil || !known {
		return false, notRedis("%.40q to GET, %.40q to TIME", fmt.Sprint(replies[1]), fmt.Sprint(replies[2]))
	}
	replaced, keep := change(now, []byte(old))
	if len(replaced) > mostBytes {
		return false, errLong
	}
	if string(replaced) == old {
		_, err = l.ask([]string{"UNWATCH"})
		return err == nil, err
	}
	milliseconds := strconv.FormatInt(max(keep.Milliseconds(), 1), 10)
	replies, err = l.ask([]string{"MULTI"}, []string{"SET", key, string(replaced), "PX", milliseconds}, []string{"EXEC"})
	if err != nil {
		return false, err
	}
	return replies[2] != nil, nil
}

// ask sends commands and reads as many replies. An error among them is the error.
func (l *link) ask(commands ...[]string) ([]any, error) {
	var sent []byte
	for _, words := range commands {
		sent = appendCommand(sent, words...)
	}
	if len(sent) == 0 {
		return nil, nil
	}
	if _, err := l.Write(sent); err != nil {
		return nil, err
	}
	replies := make([]any, len(commands))
	for i := range replies {
		reply, err := readReply(l.from)
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
		l.heard = true
		replies[i] = reply
		if failed := errorIn(reply); failed != nil {
			return nil, failed
		}
	}
	return replies, nil
}

// errorIn is the error that a reply is or has in it.
func errorIn(reply any) error {
	switch reply := reply.(type) {
	case said:
		return reply
	case []any:
		for _, item := range reply {
			if failed := errorIn(item); failed != nil {
				return failed
			}
		}
	}
	return nil
}

// readTime reads the answer to TIME: seconds since 1970 and microseconds.
func readTime(reply any) (now time.Time, ok bool) {
	parts, _ := reply.([]any)
	if len(parts) != 2 {
		return now, false
	}
	var numbers [2]int64
	for i, part := range parts {
		text, _ := part.(string)
		number, err := strconv.ParseInt(text, 10, 64)
		if err != nil || number < 0 || number > 1<<40 {
			return now, false
		}
		numbers[i] = number
	}
	return time.Unix(numbers[0], numbers[1]*1000), true
}
