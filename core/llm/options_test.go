package llm

import (
	"encoding/json"
	"strings"
	"testing"
)

const optionsHead = `{"op":"generate","model":"m","messages":[{"role":"user","content":"x"}],`

func TestOptionsOfTheVendorThatIsAsked(t *testing.T) {
	cases := []struct {
		name, request string
		want          string // seed, effort, extra_body, extra_headers
		warning       string
	}{
		{"by its name", `"options":{"zai":{"seed":1},"openai":{"seed":2}}}`, `1  {} {}`, ""},
		{"by its dialect", `"options":{"openai":{"seed":2},"gemini":{"seed":3}}}`, `2  {} {}`, ""},
		{"of others", `"options":{"gemini":{"seed":3},"anthropic":{"seed":4}}}`, `0  {} {}`,
			"the options are for anthropic, gemini and were left out: zai was asked"},
		{"the request's own word counts", `"seed":7,"options":{"zai":{"seed":1,"reasoning_effort":"low"}}}`, `7 low {} {}`, ""},
		{"bodies and headers are put together",
			`"extra_body":{"a":1,"b":2},"extra_headers":{"X-One":"1"},"options":{"zai":{"extra_body":{"b":3,"c":{"d":4}},"extra_headers":{"x-one":"2","x-two":"3"}}}}`,
			`0  {"a":1,"b":2,"c":{"d":4}} {"X-One":"1","x-two":"3"}`, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			request, err := DecodeRequest([]byte(optionsHead + c.request))
			if err != nil {
				t.Fatal(err)
			}
			before, _ := json.Marshal(request)
			made, warnings, err := request.For("zai", "openai")
			if err != nil {
				t.Fatal(err)
			}
			seed := int64(0)
			if made.Seed != nil {
				seed = *made.Seed
			}
			body, _ := json.Marshal(made.ExtraBody)
			header, _ := json.Marshal(made.ExtraHeaders)
			number, _ := json.Marshal(seed)
			got := strings.Join([]string{string(number), made.ReasoningEffort, string(body), string(header)}, " ")
			if got = strings.ReplaceAll(got, "null", "{}"); got != c.want || strings.Join(warnings, "|") != c.warning {
				t.Errorf("got %s, %q", got, warnings)
			}
			if made.Model != "m" || len(made.Messages) != 1 || made.Options != nil {
				t.Errorf("the rest of the request is %+v", made)
			}
			if after, _ := json.Marshal(request); string(after) != string(before) {
				t.Errorf("the request itself became %s", after)
			}
			if again, _, _ := made.For("zai"); again != made {
				t.Error("options are applied once")
			}
		})
	}
}

func TestToolsOfOptionsComeBesideTheRequests(t *testing.T) {
	request, err := DecodeRequest([]byte(optionsHead + `"tools":[{"type":"one"}],"options":{"gemini":{"tools":[{"type":"two"}]}}}`))
	if err != nil {
		t.Fatal(err)
	}
	made, _, err := request.For("gemini")
	if err != nil || len(made.Tools) != 2 || made.Tools[0].Type != "one" || made.Tools[1].Type != "two" {
		t.Errorf("got %+v, %v", made.Tools, err)
	}
}

func TestOptionsThatMakeNoSense(t *testing.T) {
	for text, want := range map[string]string{
		`{"op":"models","options":{"zai":{}}}`:                                        "options is for chats",
		optionsHead + `"options":{"zai":{"sede":1}}}`:                                 "did you mean",
		optionsHead + `"max_tokens":1,"options":{"zai":{"max_completion_tokens":1}}}`: "give one of them",
	} {
		request, err := DecodeRequest([]byte(text))
		if err == nil {
			_, _, err = request.For("zai")
		}
		if err == nil || err.Kind != KindConfiguration || !strings.Contains(err.Message, want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
