package provider

import (
	"encoding/json"
	"fmt"
	"maps"

	"pyagent/core/llm"
)

// encodePuterChat writes a chat: an envelope that names the driver and its method, and the method's arguments in it. A key
// of extra_body that belongs to the envelope goes there, so that {"driver": "claude"} speaks to a server of old, where each
// vendor was a driver; all others are arguments, such as {"provider": "claude"}, which asks today's driver for that vendor.
func encodePuterChat(call Call) (*HTTPRequest, []string, *llm.Error) {
	outside, inside := map[string]json.RawMessage{}, maps.Clone(call.Request.ExtraBody)
	if args, ok := inside["args"]; ok { // the same keys, in the envelope's own form
		delete(inside, "args")
		llm.Members(args, func(key, value []byte) { inside[string(key)] = kept(value) })
	}
	for _, name := range []string{"interface", "driver", "method", "service", "test_mode", "testMode", "auth_token"} {
		if raw, ok := inside[name]; ok {
			outside[name] = raw
			delete(inside, name)
		}
	}
	e := &puterEncoder{*newChatEncoder(withExtra(call, inside))}
	arguments := e.arguments()
	if e.failed != nil {
		return nil, nil, e.failed
	}
	envelope := newBody(withExtra(call, outside))
	envelope.putText("interface", "puter-chat-completion")
	envelope.putText("driver", "ai-chat")
	envelope.putText("method", "complete")
	envelope.putRaw("args", arguments)
	request, err := httpRequest(call, "POST", firstWord(call.Row.ChatPath, "/drivers/call"), envelope.end())
	return request, e.warnings, err
}

// withExtra is the call with other keys in extra_body.
func withExtra(call Call, extra map[string]json.RawMessage) Call {
	request := *call.Request
	request.ExtraBody = extra
	call.Request = &request
	return call
}

// puterEncoder writes the arguments of a chat. Their messages and tools are OpenAI's.
type puterEncoder struct{ chatEncoder }

// arguments writes what the driver understands. What only some of the vendors behind it honour goes out with a warning: which
// one answers is not known here, and the driver drops the rest without a word.
func (e *puterEncoder) arguments() []byte {
	r := e.request
	e.takes("max_tokens", "max_completion_tokens", "temperature", "top_p", "tools", "tool_choice", "parallel_tool_calls",
		"reasoning_effort", "reasoning_budget", "reasoning_summary", "verbosity", "stream_options")
	e.streamOptions()
	r.Messages = e.own(liftMedia(r.Messages))
	e.putText("model", r.Model)
	e.put("messages", e.messages)
	e.put("stream", func(out []byte) []byte { return fmt.Append(out, e.call.Stream) })
	e.rename = map[string]string{"max_completion_tokens": "max_tokens"}
	e.integer("max_tokens", r.MaxTokens, false)
	e.integer("max_completion_tokens", r.MaxCompletionTokens, false)
	e.number("temperature", r.Temperature)
	e.number("top_p", r.TopP)
	e.tools()
	e.reasoning()
	e.text("verbosity", r.Verbosity)
	choice, err := readToolChoice(r.ToolChoice)
	if err != nil {
		e.wrong(err.Param, "%s", err.Message)
	}
	for _, option := range []struct {
		name  string
		given bool
	}{
		{"top_p", r.TopP != nil}, {"tool_choice", choice.mode != "" && choice.mode != "auto"},
		{"parallel_tool_calls", r.ParallelToolCalls != nil}, {"verbosity", r.Verbosity != ""},
	} {
		if option.given {
			e.warn("%s hands %s to some of the vendors behind it and drops it for others", e.row.Name, option.name)
		}
	}
	return e.end()
}

// own takes from messages of other makers what only the maker understands.
func (e *puterEncoder) own(messages []llm.Message) []llm.Message {
	owned := make([]llm.Message, len(messages))
	for i, m := range messages {
		if e.call.isForeign(&m) {
			m.Details = nil
			calls := make([]llm.ToolCall, len(m.ToolCalls))
			for j, call := range m.ToolCalls {
				call.Extra = nil
				calls[j] = call
			}
			m.ToolCalls = calls
		}
		owned[i] = m
	}
	return owned
}
