// A model server that costs next to nothing: it writes bytes that were made before the measurement began.
//
// It prints its port and serves until its standard input closes, whose first line is a JSON object with what it says:
// {"model", "answer", "words"}. How it answers stands in the path, as names and values before /v1:
//
//	POST /deltas/200000/segment/64/v1/chat/completions
//
// deltas is how many a streamed answer has, segment how many are written at a time, pause the time between two writes
// (and before a small completion), stamped replaces the words by the time of writing in nanoseconds since 1970, held
// leaves a stream open after its deltas, bytes makes one event of that size. The end of a path tells in whose format it is
// answered: OpenAI's, Anthropic's, Google's or Ollama's.
//
// It shares no code with pyagent, and is not the scripted server, so that neither is measured against itself.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// spoken is what the server says: one place, on the client's side, holds it for both.
type spoken struct {
	Model, Answer string
	Words         []string
}

func main() {
	input := bufio.NewReader(os.Stdin)
	line, err := input.ReadBytes('\n')
	var say spoken
	if err = firstOf(err, json.Unmarshal(line, &say)); err != nil {
		log.Fatalf("the first line of standard input must be what to say, as JSON: %v", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	formats := map[string]*format{
		"/completions": chatFormat(say), "/messages": messagesFormat(say), "/chat": ollamaFormat(say),
		":generateContent": geminiFormat(say), ":streamGenerateContent": geminiFormat(say),
	}
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				log.Fatal(err)
			}
			go serve(connection, formats)
		}
	}()
	_, _ = io.Copy(io.Discard, input)
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// serve answers the requests of one connection until its client leaves.
func serve(connection net.Conn, formats map[string]*format) {
	defer connection.Close()
	reader := bufio.NewReaderSize(connection, 16<<10)
	var body []byte
	for {
		path, size, err := readHead(reader)
		if err != nil {
			return
		}
		if size > cap(body) {
			body = make([]byte, size)
		}
		body = body[:size]
		if _, err := io.ReadFull(reader, body); err != nil {
			return
		}
		wanted, err := parse(path)
		if err != nil {
			_, _ = fmt.Fprintf(connection, "HTTP/1.1 400 Bad Request\r\ncontent-length: %d\r\n\r\n%s", len(err.Error()), err)
			return
		}
		path, _, _ = strings.Cut(path, "?")
		end := path[max(0, strings.LastIndexAny(path, "/:")):]
		say := formats[end]
		if say == nil {
			return
		}
		if end == ":streamGenerateContent" || bytes.Contains(body, []byte(`"stream":true`)) ||
			bytes.Contains(body, []byte(`"stream": true`)) {
			err = stream(connection, wanted, say)
		} else {
			time.Sleep(wanted.pause)
			_, err = connection.Write(say.completion)
		}
		if err != nil {
			return
		}
	}
}

// readHead gives the path and the size of the body of the next request.
func readHead(reader *bufio.Reader) (path string, size int, err error) {
	for number := 0; ; number++ {
		line, err := reader.ReadSlice('\n')
		if err != nil {
			return "", 0, err
		}
		if line = bytes.TrimRight(line, "\r\n"); len(line) == 0 {
			return path, size, nil
		}
		if name, value, found := bytes.Cut(line, []byte(":")); number == 0 {
			if fields := bytes.Fields(line); len(fields) == 3 {
				path = string(fields[1])
			}
		} else if found && bytes.EqualFold(name, []byte("content-length")) {
			if size, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return "", 0, err
			}
		}
	}
}

// order is how a path asks to be answered.
type order struct {
	deltas, segment, bytes int
	pause                  time.Duration
	stamped, held          bool
}

func parse(path string) (order, error) {
	wanted := order{segment: 1}
	before, _, _ := strings.Cut(path, "/v1/")
	before, _, _ = strings.Cut(before, "/api/")
	words := strings.FieldsFunc(before, func(r rune) bool { return r == '/' })
	if len(words)%2 != 0 {
		return wanted, fmt.Errorf("the path %q is no list of names and values before /v1 or /api", path)
	}
	for i := 0; i < len(words); i += 2 {
		var err error
		switch name, value := words[i], words[i+1]; name {
		case "deltas":
			wanted.deltas, err = strconv.Atoi(value)
		case "segment":
			wanted.segment, err = strconv.Atoi(value)
		case "bytes":
			wanted.bytes, err = strconv.Atoi(value)
		case "pause":
			wanted.pause, err = time.ParseDuration(value)
		case "stamped":
			wanted.stamped, err = strconv.ParseBool(value)
		case "held":
			wanted.held, err = strconv.ParseBool(value)
		default:
			err = fmt.Errorf("the path has the unknown name %q", name)
		}
		if err != nil {
			return wanted, err
		}
	}
	return wanted, nil
}

// streams counts them, to spread paced ones evenly: independent vendors do not write in step.
var streams atomic.Uint64

func stream(connection net.Conn, wanted order, say *format) error {
	if _, err := connection.Write(say.head); err != nil {
		return err
	}
	if wanted.bytes > 0 {
		if _, err := connection.Write(say.large(wanted.bytes)); err != nil {
			return err
		}
	}
	const golden = 0.6180339887498949
	turn := float64(streams.Add(1)) * golden
	next := time.Now().Add(time.Duration((turn - float64(int(turn))) * float64(wanted.pause)))
	for at := 0; at < wanted.deltas; at += wanted.segment {
		if wanted.pause > 0 {
			time.Sleep(time.Until(next))
			next = next.Add(wanted.pause)
		}
		segment := say.segment(at, min(wanted.segment, wanted.deltas-at))
		if wanted.stamped {
			segment = chunk(say.event(strconv.FormatInt(time.Now().UnixNano(), 10)))
		}
		if _, err := connection.Write(segment); err != nil {
			return err
		}
	}
	if wanted.held {
		_, err := connection.Read(make([]byte, 1)) // until the client leaves
		return firstOf(err, io.EOF)
	}
	_, err := connection.Write(say.tail)
	return err
}
