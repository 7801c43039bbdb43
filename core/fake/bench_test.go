package fake

import (
	"fmt"
	"io"
	"net"
	"testing"
)

// BenchmarkStream measures a stream of 200,000 deltas, 64 to a write, as a client sees it that only reads.
func BenchmarkStream(b *testing.B) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := New(Options{})
	go server.Serve(listener)
	defer server.Close()
	request := body(true, `{"pieces":[" alpha"," beta"," gamma"," delta"],"repeat":50000,"per_write":64}`)
	buffer := make([]byte, 64<<10)
	for b.Loop() {
		conn, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			b.Fatal(err)
		}
		fmt.Fprintf(conn, "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"+
			"Content-Length: %d\r\n\r\n%s", len(request), request)
		total, reads := 0, 0
		for err == nil {
			var n int
			n, err = conn.Read(buffer)
			total, reads = total+n, reads+1
		}
		if err != io.EOF || total < 200000*100 {
			b.Fatalf("%d bytes, then %v", total, err)
		}
		b.SetBytes(int64(total))
		b.ReportMetric(float64(total)/float64(reads), "bytes/read")
		conn.Close()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/200000, "ns/delta")
}
