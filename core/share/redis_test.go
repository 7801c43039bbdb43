package share

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os/exec"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// startRedis starts a server on loopback that keeps nothing, and returns its address.
func startRedis(t *testing.T, options ...string) string {
	t.Helper()
	program, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("redis-server is not installed; Debian has it in the package of that name")
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	_ = free.Close()
	_, port, _ := net.SplitHostPort(address)
	arguments := append([]string{"--bind", "127.0.0.1", "--port", port, "--dir", t.TempDir(), "--save", "", "--appendonly", "no"}, options...)
	server := exec.Command(program, arguments...)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait()
	})
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if conn, err := net.Dial("tcp", address); err == nil {
			_ = conn.Close()
			return address
		}
	}
	t.Fatal("redis-server does not listen")
	return ""
}

func TestRedis(t *testing.T) {
	address := startRedis(t, "--requirepass", "open sesame")
	open := func(format string) *redis {
		store, err := Open(fmt.Sprintf(format, address), rand.Float64)
		if err != nil {
			t.Fatal(err)
		}
		return store.(*redis)
	}
	holdsUp(t, func() Store { return open("redis://:open%%20sesame@%s/3") })
	if got := read(t, open("redis://default:open%%20sesame@%s"), "number"); got != "" {
		t.Errorf("another database holds %q", got)
	}

	for format, want := range map[string]string{
		"redis://%s":                           "NOAUTH",
		"redis://:wrong@%s":                    "WRONGPASS",
		"redis://:open%%20sesame@%s/1000":      "out of range",
		"redis://nobody:open%%20sesame@%s/100": "WRONGPASS",
	} {
		if err := open(format).Update(t.Context(), "number", count); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", format, err)
		}
	}

	store := open("redis://:open%%20sesame@%s")
	if err := store.Update(t.Context(), "brief", func(time.Time, []byte) ([]byte, time.Duration) {
		return []byte("x"), 20 * time.Millisecond
	}); err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond)
	if got := read(t, store, "brief"); got != "" {
		t.Errorf("it was kept for longer than it is needed: %q", got)
	}
	if len(store.idle) != 1 {
		t.Fatalf("%d connections are kept", len(store.idle))
	}
	l, _, err := open("redis://%s").connect(t.Context())
	if err == nil {
		err = store.greet(l)
	}
	if err == nil {
		_, err = l.ask([]string{"LPUSH", prefix + "list", "x"}, []string{"CLIENT", "KILL", "TYPE", "normal"})
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Update(t.Context(), "number", count); err != nil {
		t.Errorf("over a connection that was closed meanwhile: %v", err)
	}
	if err := store.Update(t.Context(), "list", count); err == nil || !strings.Contains(err.Error(), "WRONGTYPE") {
		t.Errorf("where something else is: %v", err)
	}
}

// pretend is a server that reads commands and says what it was told to say, once for each connection.
func pretend(t *testing.T, says string, then func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, says)
			then(conn)
		}
	}()
	return "redis://u:open-sesame@" + listener.Addr().String()
}

const (
	welcome = "+OK\r\n+OK\r\n$-1\r\n*2\r\n$10\r\n1700000000\r\n$6\r\n000001\r\n" // to AUTH, WATCH, GET and TIME
	made    = "+OK\r\n+QUEUED\r\n*1\r\n+OK\r\n"
)

func TestRedisThatIsNone(t *testing.T) {
	hang := func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn); _ = conn.Close() }
	hangUp := func(conn net.Conn) {
		_, _ = conn.Read(make([]byte, 1000))
		_ = conn.(*net.TCPConn).CloseWrite()
		_, _ = io.Copy(io.Discard, conn)
		_ = conn.Close()
	}
	for name, c := range map[string]struct {
		says string
		then func(net.Conn)
		want string
	}{
		"all is well":              {welcome + made, hang, "<nil>"},
		"silent":                   {"", hang, "that was enough"},
		"silent later":             {welcome + "+OK\r\n", hang, "that was enough"},
		"hangs up":                 {"", hangUp, "unexpected EOF"},
		"hangs up later":           {welcome + "+OK\r\n+QUEUED\r\n*1\r\n", hangUp, "unexpected EOF"},
		"speaks HTTP":              {"HTTP/1.1 400 Bad Request\r\n\r\n", hang, `not Redis's protocol: a line begins with "HTTP/1.1`},
		"endless line":             {"+" + strings.Repeat("x", 10_000), hang, "a line is longer"},
		"endless string":           {"$9999999999\r\n", hang, "a string of 9999999999 bytes"},
		"endless list":             {"*9999999999\r\n", hang, "a list of 9999999999"},
		"lists in lists":           {strings.Repeat("*1\r\n", 100), hang, "a list of 1, in 4 others"},
		"repeats the password":     {"-ERR unknown command AUTH u open-sesame\r\n", hang, "ERR unknown command AUTH u ***"},
		"is loading":               {"+OK\r\n-LOADING Redis is loading\r\n", hang, "LOADING"},
		"a number for the record":  {"+OK\r\n+OK\r\n:5\r\n*2\r\n$1\r\n1\r\n$1\r\n1\r\n", hang, `"5" to GET`},
		"no time":                  {"+OK\r\n+OK\r\n$-1\r\n*2\r\n$2\r\n-1\r\n$1\r\n1\r\n", hang, "to TIME"},
		"is read-only":             {welcome + "+OK\r\n-READONLY You can't write against a replica\r\n-EXECABORT x\r\n", hang, "READONLY"},
		"is full":                  {welcome + "+OK\r\n+QUEUED\r\n*1\r\n-OOM command not allowed\r\n", hang, "OOM"},
		"somebody else was faster": {welcome + "+OK\r\n+QUEUED\r\n*-1\r\n" + strings.TrimPrefix(welcome, "+OK\r\n") + made, hang, "<nil>"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store, err := Open(pretend(t, c.says, c.then), rand.Float64)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeoutCause(t.Context(), 3*time.Second, errors.New("that was enough"))
			defer cancel()
			err = store.Update(ctx, "number", count)
			if got := fmt.Sprint(err); !strings.Contains(got, c.want) {
				t.Errorf("got %s", got)
			}
			for _, l := range store.(*redis).idle {
				_ = l.Close()
			}
		})
	}
}

// A cancelled change ends at once, whatever the server does.
func TestRedisIsCancelled(t *testing.T) {
	store, _ := Open(pretend(t, "", func(net.Conn) {}), rand.Float64)
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(50*time.Millisecond, func() { cancel(errors.New("gone home")) })
	if err := store.Update(ctx, "number", count); err == nil || err.Error() != "gone home" {
		t.Errorf("got %v", err)
	}
}

// Whatever a server says, and however it is cut, it is one reply or one error, and a reply that is written reads the same.
func FuzzReply(f *testing.F) {
	for _, reply := range []string{
		"+OK\r\n", "-ERR no\r\n", ":-5\r\n", "$-1\r\n", "*-1\r\n", "$2\r\n\r\n\r\n", "*2\r\n$1\r\na\r\n*1\r\n:1\r\n", "*0\r\n", "$5\r\nab", "*3\r\n+\r\n",
	} {
		f.Add([]byte(reply))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		reply, err := readReply(bufio.NewReaderSize(strings.NewReader(string(data)), mostLine))
		again, slowly := readReply(bufio.NewReaderSize(iotest.OneByteReader(strings.NewReader(string(data))), mostLine))
		if fmt.Sprint(err) != fmt.Sprint(slowly) || !reflect.DeepEqual(reply, again) {
			t.Fatalf("%q is %#v (%v), and byte for byte %#v (%v)", data, reply, err, again, slowly)
		}
		if err != nil {
			return
		}
		again, err = readReply(bufio.NewReaderSize(strings.NewReader(write(reply)), mostLine))
		if err != nil || !reflect.DeepEqual(reply, again) {
			t.Fatalf("%#v is written so that it is %#v (%v)", reply, again, err)
		}
	})
}

// write says a reply as a server would.
func write(reply any) string {
	switch reply := reply.(type) {
	case string:
		return fmt.Sprintf("$%d\r\n%s\r\n", len(reply), reply)
	case said:
		return "-" + string(reply) + "\r\n"
	case int64:
		return ":" + strconv.FormatInt(reply, 10) + "\r\n"
	case []any:
		text := fmt.Sprintf("*%d\r\n", len(reply))
		for _, item := range reply {
			text += write(item)
		}
		return text
	}
	return "$-1\r\n"
}

func TestCommandsAreWrittenAsTheyAre(t *testing.T) {
	words := []string{"SET", "", "a\r\nb", "ü"}
	reply, err := readReply(bufio.NewReaderSize(strings.NewReader(string(appendCommand(nil, words...))), mostLine))
	if err != nil || fmt.Sprintf("%q", reply) != fmt.Sprintf("%q", words) {
		t.Errorf("%q %v", reply, err)
	}
}
