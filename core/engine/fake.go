package engine

import (
	"context"
	"encoding/json"
	"net"
	"strconv"

	"pyagent/core/fake"
	"pyagent/core/guard"
	"pyagent/core/llm"
)

// fakeOptions are the options of llm.OpFake.
type fakeOptions struct {
	Port   int             `json:"port,omitempty"`   // 0: any free one
	Script json.RawMessage `json:"script,omitempty"` // for requests that bring none
}

// serveFake runs the scripted model server on loopback until the call is cancelled. It never listens anywhere else: the
// server says what its callers tell it to say.
func serveFake(ctx context.Context, request *llm.Request, sink Sink) {
	options, script, err := readFakeOptions(request.Fake)
	if err != nil {
		sink.End(llm.Event{Kind: llm.EventError, Data: err})
		return
	}
	listener, failure := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(options.Port)))
	if failure != nil {
		err := llm.Configuration("fake.port", "the fake server cannot listen on port %d: %s", options.Port, failure)
		sink.End(llm.Event{Kind: llm.EventError, Data: err})
		return
	}
	server := fake.New(fake.Options{Script: script})
	served := make(chan error, 1)
	guard.Go(func() { served <- server.Serve(listener) }, func(err *llm.Error) { served <- err })
	sink.Emit(llm.Event{Kind: llm.EventNotice, Data: map[string]string{"listening": listener.Addr().String()}})
	if sink.Flush(ctx) == nil {
		select {
		case <-ctx.Done():
		case failure := <-served:
			served <- failure
		}
	}
	_ = server.Close()
	if failure := <-served; failure != nil && ctx.Err() == nil {
		sink.End(llm.Event{Kind: llm.EventError, Data: llm.Errorf(llm.KindConnection, "the fake server ended: %s", failure)})
		return
	}
	sink.End(llm.Event{Kind: llm.EventError, Data: causeOf(ctx)})
}

func readFakeOptions(raw json.RawMessage) (options fakeOptions, script *fake.Script, err *llm.Error) {
	if len(raw) > 0 {
		if err := llm.DecodeStrict("fake", raw, &options); err != nil {
			return options, nil, err
		}
	}
	if options.Port < 0 || options.Port > 65535 {
		return options, nil, llm.Configuration("fake.port", "fake.port must be from 0 (any free one) to 65535, got %d", options.Port)
	}
	if len(options.Script) > 0 {
		parsed, failure := fake.ParseScript(options.Script)
		if failure != nil {
			return options, nil, llm.Configuration("fake.script", "%s", failure)
		}
		script = parsed
	}
	return options, script, nil
}
