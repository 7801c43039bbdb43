package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"syscall"

	"pyagent/core/llm"
)

// proxyError is a failure on the way to or at a proxy.
type proxyError struct {
	host  string
	cause error
}

func (e *proxyError) Error() string { return "the proxy " + e.host + ": " + e.cause.Error() }
func (e *proxyError) Unwrap() error { return e.cause }

// sendError names what went wrong before an answer came. The error of a context that its owner ended is left to the owner:
// it knows whether that was a cancellation or a clock.
func sendError(ctx context.Context, target *url.URL, failure error) *llm.Error {
	var late *connectTimeout
	if errors.As(context.Cause(ctx), &late) || errors.As(failure, &late) {
		return &llm.Error{
			Kind: llm.KindTimeout, Clock: "connect", ClockSeconds: late.after.Seconds(), Retryable: true,
			Message: fmt.Sprintf("connecting to %s took longer than %v (timeouts.connect)", target.Host, late.after),
		}
	}
	var ours *llm.Error
	if errors.As(failure, &ours) {
		if ours.Kind == llm.KindConnection {
			ours.Message = fmt.Sprintf("no answer from %s: %s", target.Host, ours.Message)
		}
		return ours
	}
	message, retryable := describe(failure)
	var proxy *proxyError
	if errors.As(failure, &proxy) {
		message, retryable = describe(proxy.cause)
		message = "the proxy " + proxy.host + ": " + message
	}
	if failure == errHeader || isLargeHeader(failure.Error()) {
		return llm.Errorf(llm.KindLimit, "the header of the answer from %s is larger than limits.header_bytes", target.Host)
	}
	return &llm.Error{
		Kind: llm.KindConnection, Retryable: retryable,
		Message: fmt.Sprintf("no answer from %s: %s", target.Host, message),
	}
}

// isLargeHeader recognises what net/http says where we say errHeader, over HTTP/1.1 and over HTTP/2.
func isLargeHeader(said string) bool {
	return strings.Contains(said, "server response headers exceeded") || strings.Contains(said, "response header list larger than")
}

// brokenHTTP2 is net/http's word for all that a server may not do, and for a header so large that it was not looked at.
const brokenHTTP2 = "connection error: PROTOCOL_ERROR"

// describe says in plain words what a network error means and whether another attempt can help.
func describe(failure error) (message string, retryable bool) {
	if message, retryable, ok := describeTLS(failure); ok {
		return message, retryable
	}
	var dns *net.DNSError
	var refused *refusal
	switch {
	case errors.As(failure, &refused):
		return refused.message, refused.passing
	case errors.As(failure, &dns) && dns.IsNotFound:
		return fmt.Sprintf("the host name %q is not known; check base_url", dns.Name), true
	case errors.As(failure, &dns):
		return fmt.Sprintf("looking up the host name %q failed: %s", dns.Name, dns.Err), true
	case errors.Is(failure, syscall.ECONNREFUSED):
		return "connection refused; is the server running?", true
	case errors.Is(failure, syscall.ECONNRESET), errors.Is(failure, syscall.EPIPE):
		return "the connection was reset", true
	case errors.Is(failure, syscall.ETIMEDOUT):
		return "the connection is dead: what was sent is not acknowledged", true
	case errors.Is(failure, io.EOF), errors.Is(failure, io.ErrUnexpectedEOF):
		return "the server closed the connection without an answer", true
	case strings.Contains(failure.Error(), brokenHTTP2):
		return "it breaks the rules of HTTP/2, or the header of its answer is far larger than limits.header_bytes", true
	}
	return failure.Error(), true
}

// Interrupted names what broke an answer that had begun.
func Interrupted(failure error) string {
	switch {
	case errors.Is(failure, io.ErrUnexpectedEOF), errors.Is(failure, io.EOF):
		return "the connection was closed in the middle of the answer"
	case errors.Is(failure, syscall.ECONNRESET):
		return "the connection was reset in the middle of the answer"
	case errors.Is(failure, syscall.ETIMEDOUT):
		return "the connection died in the middle of the answer"
	}
	return failure.Error()
}
