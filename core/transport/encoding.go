package transport

import (
	"bufio"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"strings"

	"pyagent/core/llm"
)

// decodeBody undoes a content encoding that nobody asked for: some gateways compress whatever the request says. The limits on
// events and bodies count decoded bytes, so a small answer cannot unpack into an endless one.
func decodeBody(encoding string, body io.ReadCloser) (io.ReadCloser, *llm.Error) {
	switch encoding := strings.ToLower(strings.TrimSpace(encoding)); encoding {
	case "", "identity":
		return body, nil
	case "gzip", "x-gzip":
		return &decodedBody{wire: body, name: encoding, open: func(r *bufio.Reader) (io.Reader, error) { return gzip.NewReader(r) }}, nil
	case "deflate":
		return &decodedBody{wire: body, name: encoding, open: openDeflate}, nil
	default:
		return nil, llm.Errorf(llm.KindParse,
			"the answer has the content encoding %q, which was not asked for and cannot be decoded; gzip and deflate can", encoding)
	}
}

// openDeflate reads "deflate" in both meanings in use: with the zlib header that the standard asks for, and without.
func openDeflate(wire *bufio.Reader) (io.Reader, error) {
	head, err := wire.Peek(2)
	if err == nil && head[0]&0x0f == 8 && (uint(head[0])<<8|uint(head[1]))%31 == 0 {
		return zlib.NewReader(wire)
	}
	return flate.NewReader(wire), nil
}

// decodedBody opens its decoder at the first read, because opening waits for bytes.
type decodedBody struct {
	wire    io.ReadCloser
	name    string // of the encoding
	open    func(*bufio.Reader) (io.Reader, error)
	decoder io.Reader
}

func (b *decodedBody) Read(p []byte) (int, error) {
	if b.decoder == nil {
		decoder, err := b.open(bufio.NewReader(b.wire))
		if err != nil {
			return 0, b.named(err)
		}
		b.decoder = decoder
	}
	n, err := b.decoder.Read(p)
	return n, b.named(err)
}

// named says that a body is not what its header claims. How the network ended it is said elsewhere.
func (b *decodedBody) named(failure error) error {
	var corrupt flate.CorruptInputError
	if errors.As(failure, &corrupt) || errors.Is(failure, gzip.ErrHeader) || errors.Is(failure, gzip.ErrChecksum) ||
		errors.Is(failure, zlib.ErrHeader) || errors.Is(failure, zlib.ErrChecksum) || errors.Is(failure, zlib.ErrDictionary) {
		return llm.Errorf(llm.KindParse, "the answer says that it has the content encoding %s, but cannot be decoded as that (%s)", b.name, failure)
	}
	return failure
}

func (b *decodedBody) Close() error { return b.wire.Close() }
