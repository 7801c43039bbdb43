package provider

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"pyagent/core/llm"
)

// delta is a chunk with one choice.
func delta(fields string) string {
	return `{"id":"a","model":"m","choices":[{"index":0,"delta":{` + fields + `}}]}`
}

func finished(reason string) string {
	return `{"id":"a","choices":[{"index":0,"delta":{},"finish_reason":"` + reason + `"}]}`
}

// Shapes of chunks that servers send; each must give the text, reasoning and finish reason beside it.
func TestStreamShapes(t *testing.T) {
	stop := finished("stop")
	tests := []struct {
		name      string
		events    []string
		text      string
		reasoning string
		finish    string
		complete  bool
	}{
		{"plain", []string{delta(`"role":"assistant","content":""`), delta(`"content":"Hel"`), delta(`"content":"lo"`),
			stop, "[DONE]"},
			"Hello", "", "stop", true},
		{"DONE with spaces", []string{delta(`"content":"x"`), " [DONE]  "}, "x", "", "", true},
		{"nothing after DONE", []string{delta(`"content":"x"`), "[DONE]", delta(`"content":"y"`)}, "x", "", "", true},
		{"finish reason without DONE", []string{delta(`"content":"x"`), stop}, "x", "", "stop", true},
		{"neither", []string{delta(`"content":"x"`)}, "x", "", "", false},
		{"empty finish reason", []string{delta(`"content":"x"`), finished("")}, "x", "", "", false},
		{"null after the finish reason", []string{delta(`"content":"x"`), stop,
			`{"id":"a","choices":[{"index":0,"delta":{"content":""},"finish_reason":null}]}`},
			"x", "", "stop", true},
		{"nulls and gaps", []string{`null`, `{"choices":null}`, `{"choices":[]}`, `{"choices":[{"delta":null}]}`,
			`{"choices":[{}]}`,
			`{"choices":[{"delta":{"content":null,"tool_calls":null,"role":""}}]}`, `{"choices":[{"delta":{"content":"x"}}]}`, stop}, "x", "", "stop", true},
		{"azure", []string{`{"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[{"prompt_index":0}]}`,
			`{"id":"a","choices":[{"content_filter_offsets":{"start":1},"index":0}]}`, delta(`"content":"x"`), stop}, "x", "", "stop", true},
		{"fields of odd types", []string{`{"id":7,"model":null,"created":"1.5","system_fingerprint":{},"choices":[{"index":"0","delta":{"content":"x"}}]}`, stop},
			"x", "", "stop", true},
		{"text in the finish chunk", []string{`{"choices":[{"delta":{"content":"x"},"finish_reason":"length"}]}`}, "x",
			"", "length", true},
		{"whole message in a stream", []string{`{"choices":[{"message":{"content":"x"},"finish_reason":"stop"}]}`}, "x",
			"", "stop", true},
		{"delta beside a growing message", []string{`{"choices":[{"message":{"content":"xy"},"delta":{"content":"y"},"finish_reason":"stop"}]}`},
			"y", "", "stop", true},
		{"reasoning_content", []string{delta(`"content":null,"reasoning_content":"r"`), delta(`"content":"x"`), stop},
			"x", "r", "stop", true},
		{"reasoning", []string{delta(`"reasoning":"r"`), delta(`"content":"x"`), stop}, "x", "r", "stop", true},
		{"both alike", []string{delta(`"reasoning":"r","reasoning_content":"r"`), stop}, "", "r", "stop", true},
		{"list content", []string{delta(`"content":[{"type":"thinking","thinking":[{"type":"text","text":"r"}]},{"type":"text","text":"x"}]`), stop},
			"x", "r", "stop", true},
		{"list content and reasoning alike", []string{delta(`"reasoning_content":"r","content":[{"type":"thinking","thinking":"r"}]`), stop}, "", "r", "stop", true},
		{"one part without a list", []string{delta(`"content":{"type":"text","text":"x"}`), stop}, "x", "", "stop",
			true},
		{"think tags stay text", []string{delta(`"content":"<think>r</think>x"`), stop}, "<think>r</think>x", "",
			"stop", true},
		{"broken unicode", []string{delta(`"content":"a\ud83d"`), delta("\"content\":\"\xff\""),
			delta(`"content":"\u0000"`), stop}, "a\uFFFD\uFFFD\x00", "", "stop", true},
		{"unknown finish reason", []string{finished("galaxy")}, "", "", "other", true},
		{"tool_calls without calls", []string{delta(`"content":"x"`), finished("tool_calls")}, "x", "", "stop", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := streamed(t, testCall(t, "compatible"), test.events...)
			if got.err != nil || got.text[0] != test.text || got.reasoning != test.reasoning ||
				got.finish.FinishReason != test.finish || got.complete != test.complete {
				t.Errorf("got %s", got.summary())
			}
		})
	}
}

func TestFinishReasons(t *testing.T) {
	tests := []struct {
		raw   string
		calls bool
		want  string
	}{
		{"stop", false, "stop"}, {"STOP", false, "stop"}, {"eos", false, "stop"}, {"length", false,
			"length"}, {"model_length", false, "length"},
		{"model_context_window_exceeded", false, "length"}, {"tool_calls", false, "stop"}, {"function_call", true,
			"tool_calls"},
		{"stop", true, "tool_calls"}, {"", true, "tool_calls"}, {"weird", true, "tool_calls"}, {"length", true,
			"length"},
		{"content_filter", false, "content_filter"}, {"sensitive", false, "content_filter"}, {"network_error", false,
			"error"},
		{"insufficient_system_resource", false, "error"}, {"error", true, "error"}, {"weird", false, "other"}, {"",
			false, ""},
	}
	for _, test := range tests {
		if got := unifiedReason(test.raw, test.calls); got != test.want {
			t.Errorf("%q with calls %v: %q, expected %q", test.raw, test.calls, got, test.want)
		}
	}
}

func TestParallelChoices(t *testing.T) {
	chunk := func(index, fields, finish string) string {
		return `{"id":"a","choices":[{"index":` + index + `,"delta":{` + fields + `},"finish_reason":` + finish + `}]}`
	}
	tool := func(id string) string {
		return `"tool_calls":[{"index":0,"id":"` + id + `","function":{"name":"f","arguments":"{}"}}]`
	}
	got := streamed(t, testCall(t, "openai"), chunk("1", `"content":"b"`, "null"), chunk("0", `"content":"a"`, "null"),
		chunk("1", `"content":"B"`, "null"), chunk("0", tool("x"), "null"), chunk("1", tool("y"), "null"),
		chunk("0", "", `"tool_calls"`), chunk("1", "", `"length"`))
	if got.text[0] != "a" || got.text[1] != "bB" || !got.complete || got.finish.FinishReason != "tool_calls" {
		t.Errorf("got %s", got.summary())
	}
	if len(got.calls) != 2 || got.calls[0].Choice != 0 || got.calls[1].Choice != 1 || got.calls[1].ID != "y" {
		t.Errorf("calls %+v", got.calls)
	}
	want := []llm.Choice{{Index: 1, FinishReason: "length", RawFinishReason: "length"},
		{Index: 0, FinishReason: "tool_calls", RawFinishReason: "tool_calls"}}
	if !reflect.DeepEqual(got.finish.Choices, want) {
		t.Errorf("choices %+v", got.finish.Choices)
	}
	if one := streamed(t, testCall(t, "openai"), chunk("0", "", `"stop"`),
		chunk("1", `"content":"b"`, "null")); one.complete {
		t.Error("complete although the second choice never ended")
	}
}

func TestExtras(t *testing.T) {
	call := testCall(t, "openrouter")
	call.Request.IncludeRaw = true
	first := `{"id":"a","choices":[{"index":0,"delta":{"refusal":"no"},"logprobs":{"content":[{"token":"n","bytes":null}]}}],"citations":["http://c"]}`
	got := streamed(t, call, first,
		delta(`"images":[{"type":"image_url","image_url":{"url":"data:"}}],"audio":{"id":"z"}`),
		delta(`"annotations":[{"type":"url_citation"}],"content":[{"type":"image_url","image_url":"u"},{"type":"reference","ids":[1]},{"type":"thinking","thinking":"t","signature":"s"}]`),
		`{"choices":[],"citations":["http://c","http://d"]}`, finished("stop"))
	if got.refusal != "no" || len(got.raw) != 5 || got.raw[0] != first {
		t.Errorf("refusal %q, raw %q", got.refusal, got.raw)
	}
	checks := []struct {
		name      string
		got, want []string
	}{
		{"logprobs", got.logprobs, []string{`{"content":[{"token":"n","bytes":null}]}`}},
		{"parts", got.parts, []string{`{"type":"image_url","image_url":"u"}`,
			`{"type":"image_url","image_url":{"url":"data:"}}`, `{"type":"audio","audio":{"id":"z"}}`}},
		{"annotations", got.annotations, []string{`{"type":"url_citation","url_citation":{"url":"http://c"}}`,
			`{"type":"reference","ids":[1]}`,
			`{"type":"url_citation"}`, `{"type":"url_citation","url_citation":{"url":"http://d"}}`}},
		{"details", got.details, []string{`{"type":"thinking","thinking":"t","signature":"s"}`}},
	}
	for _, check := range checks {
		have := map[string]int{}
		for _, item := range check.got {
			have[item]++
		}
		for _, item := range check.want {
			have[item]--
		}
		for item, n := range have {
			if n != 0 {
				t.Errorf("%s: %s occurs %d times too often", check.name, item, n)
			}
		}
	}
}

func TestUsage(t *testing.T) {
	number := func(n int64) *int64 { return &n }
	end := finished("stop")
	tests := []struct {
		name, row string
		events    []string
		want      llm.Usage
	}{
		{"own chunk", "openai", []string{end, `{"choices":[],"usage":{"prompt_tokens":20,"completion_tokens":9,"total_tokens":29,"prompt_tokens_details":{"cached_tokens":5,"cache_write_tokens":2},"completion_tokens_details":{"reasoning_tokens":4}}}`},
			llm.Usage{PromptTokens: number(20), CompletionTokens: number(9), TotalTokens: number(29),
				CachedTokens: number(5), CacheWriteTokens: number(2), ReasoningTokens: number(4)}},
		{"twice, never summed", "groq", []string{`{"choices":[{"delta":{},"finish_reason":"stop"}],"x_groq":{"id":"r","usage":{"prompt_tokens":3,"total_tokens":5}}}`, `{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}`},
			llm.Usage{PromptTokens: number(3), CompletionTokens: number(2), TotalTokens: number(5)}},
		{"in the choice", "moonshot", []string{`{"choices":[{"delta":{},"finish_reason":"stop","usage":{"prompt_tokens":3,"cached_tokens":1}}]}`},
			llm.Usage{PromptTokens: number(3), CachedTokens: number(1)}},
		{"DeepSeek's cache", "deepseek", []string{end,
			`{"choices":[],"usage":{"prompt_tokens":3,"prompt_cache_hit_tokens":2,"prompt_cache_miss_tokens":1}}`},
			llm.Usage{PromptTokens: number(3), CachedTokens: number(2)}},
		{"every chunk, last counts", "compatible",
			[]string{`{"choices":[{"delta":{"content":"x"}}],"usage":{"completion_tokens":1}}`,
				`{"choices":[{"delta":{"content":"y"},"finish_reason":"stop"}],"usage":{"completion_tokens":2}}`},
			llm.Usage{CompletionTokens: number(2)}},
		{"null keeps", "compatible", []string{`{"choices":[{"finish_reason":"stop"}],"usage":{"completion_tokens":1}}`,
			`{"choices":[],"usage":null}`, `{"choices":[],"usage":{"completion_tokens":null}}`},
			llm.Usage{CompletionTokens: number(1)}},
		{"floats and nonsense", "compatible", []string{end,
			`{"choices":[],"usage":{"prompt_tokens":3.0,"completion_tokens":-1,"total_tokens":"x"}}`},
			llm.Usage{PromptTokens: number(3)}},
		{"xAI leaves reasoning out", "xai", []string{end,
			`{"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":22,"completion_tokens_details":{"reasoning_tokens":7}}}`},
			llm.Usage{PromptTokens: number(10), CompletionTokens: number(12), TotalTokens: number(22),
				ReasoningTokens: number(7)}},
		{"xAI counts reasoning after all", "xai", []string{end,
			`{"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":12,"total_tokens":22,"completion_tokens_details":{"reasoning_tokens":7}}}`},
			llm.Usage{PromptTokens: number(10), CompletionTokens: number(12), TotalTokens: number(22),
				ReasoningTokens: number(7)}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := streamed(t, testCall(t, test.row), test.events...)
			if got.err != nil || got.finish.Usage == nil || !sameUsage(*got.finish.Usage, test.want) ||
				!sameUsage(*got.usage, test.want) {
				t.Errorf("got %s", got.summary())
			}
		})
	}
	got := streamed(t, testCall(t, "openrouter"), end, `{"choices":[],"usage":{"cost":0.25}}`)
	if got.finish.Usage == nil || got.finish.Usage.Cost == nil || *got.finish.Usage.Cost != 0.25 {
		t.Errorf("cost %+v", got.finish.Usage)
	}
}

// An answer that is not what was asked for is an error, never an empty answer.
func TestNotAnAnswer(t *testing.T) {
	long := strings.Repeat("é", 300)
	tests := []struct{ name, body, says string }{
		{"empty", " \n ", "empty"},
		{"HTML", "<html><title>502</title>", "<html>"},
		{"text", "upstream sk-abcdef123456 gone " + long, "upstream [redacted] gone"},
		{"no choices", `{"id":"a","object":"chat.completion"}`, "no choices"},
		{"empty choices", `{"id":"a","choices":[]}`, "no choices"},
		{"no message", `{"id":"a","choices":[{"text":"old"}]}`, "no message"},
		{"cut JSON", `{"id":"a","choices":[{"mess`, "not valid JSON"},
		{"a list", `[1,2]`, "no choices"},
		{"a stream", "data: {}\n\n", "data: {}"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := answered(t, testCall(t, "openai"), test.body)
			var failed *llm.Error
			if !errors.As(got.err, &failed) || failed.Kind != llm.KindParse ||
				!strings.Contains(failed.Message, test.says) ||
				len([]rune(failed.Message)) > 400 || got.complete {
				t.Errorf("got %v", got.err)
			}
		})
	}
	for _, events := range [][]string{{delta(`"content":"a"`), `{"cut`}, {delta(`"content":"a"`), "true"},
		{`{"choices":[]}`, "[DONE]"}} {
		got := streamed(t, testCall(t, "openai"), events...)
		var failed *llm.Error
		if !errors.As(got.err, &failed) || failed.Kind != llm.KindParse || !strings.Contains(failed.Message, "2") {
			t.Errorf("%q: %v", events, got.err)
		}
	}
}

func TestBody(t *testing.T) {
	body := "\n\n " + `{"id":"a","created":1760000000,"model":"m","system_fingerprint":"fp","service_tier":"default","choices":[
		{"index":0,"message":{"content":"x","reasoning":"r","refusal":null,"tool_calls":[
			{"id":"1","type":"function","function":{"name":"f","arguments":"{}"}},
			{"id":"1","type":"function","function":{"name":"f","arguments":{"a": 1}}}]},"finish_reason":"stop"},
		{"index":1,"message":{"content":"y"},"finish_reason":"length"}],"usage":{"total_tokens":3}}`
	got := answered(t, testCall(t, "openai"), body)
	finish := got.finish
	if got.err != nil || !got.complete || got.text[0] != "x" || got.text[1] != "y" || got.reasoning != "r" ||
		len(got.calls) != 2 ||
		got.calls[1].arguments != `{"a":1}` || finish.FinishReason != "tool_calls" || len(finish.Choices) != 2 ||
		finish.Created != 1760000000 || finish.Fingerprint != "fp" || finish.ServiceTier != "default" ||
		got.start.Model != "m" {
		t.Errorf("got %s", got.summary())
	}
}

func TestThinkTags(t *testing.T) {
	tests := []struct{ name, content, text, reasoning string }{
		{"usual", "<think>\nhm\n</think>\n\nyes", "\n\nyes", "\nhm\n"},
		{"white space before", " \n<think>a</think>b", "b", "a"},
		{"none", "a < b", "a < b", ""},
		{"only the beginning of a tag", "<thi", "<thi", ""},
		{"another tag", "<thin>x", "<thin>x", ""},
		{"later tags are text", "a<think>b</think>", "a<think>b</think>", ""},
		{"never closed", "<think>a</thi", "", "a</thi"},
		{"false ends inside", "<think>a</b></</think>c", "c", "a</b></"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for size := 1; size <= len(test.content); size++ {
				call := testCall(t, "vllm")
				call.Row.ThinkTags = true
				var events []string
				for rest := test.content; rest != ""; {
					n := min(size, len(rest))
					events = append(events, delta(`"content":`+string(llm.AppendString(nil, rest[:n]))))
					rest = rest[n:]
				}
				got := streamed(t, call, append(events, finished("stop"))...)
				if got.text[0] != test.text || got.reasoning != test.reasoning {
					t.Fatalf("pieces of %d: text %q, reasoning %q", size, got.text[0], got.reasoning)
				}
			}
		})
	}
}

func TestReasoningDetails(t *testing.T) {
	detail := func(fields string) string { return delta(`"reasoning_details":[{` + fields + `}]`) }
	got := streamed(t, testCall(t, "openrouter"),
		detail(`"type":"reasoning.text","text":"a<","index":0,"format":null`),
		detail(`"type":"reasoning.text","text":"b","index":0,"format":"f"`),
		detail(`"type":"reasoning.text","signature":"s","index":0,"signature":"sig","text":null`),
		detail(`"type":"reasoning.encrypted","data":"x","id":"1"`), detail(`"type":"reasoning.encrypted","data":"y","id":"2"`),
		detail(`"type":"reasoning.summary","summary":"c","index":1`), finished("stop"))
	want := []string{
		`{"type":"reasoning.text","text":"a<b","index":0,"format":"f","signature":"sig"}`,
		`{"type":"reasoning.encrypted","data":"x","id":"1"}`, `{"type":"reasoning.encrypted","data":"y","id":"2"}`,
		`{"type":"reasoning.summary","summary":"c","index":1}`,
	}
	if !reflect.DeepEqual(got.details, want) {
		t.Errorf("got %q", got.details)
	}
}
