package provider

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"pyagent/core/llm"
)

func modelsCall(t testing.TB, row string) Call {
	call := testCall(t, row)
	call.Request, call.Stream = &llm.Request{Op: llm.OpModels}, false
	return call
}

// modelTests have one model in the shape of each vendor, written after its documentation.
func modelTests() []struct{ name, body, want string } {
	return []struct{ name, body, want string }{
		{"OpenAI", `{"object":"list","data":[{"id":"gpt-x","object":"model","created":1700000000,"owned_by":"openai"}]}`,
			`{"id":"gpt-x","owner":"openai","created":1700000000}`},
		{"Together", `[{"id":"v/m","object":"model","created":0,"type":"chat","display_name":"M","organization":"V","context_length":131072,` +
			`"pricing":{"hourly":0,"input":0.18,"output":0.59,"base":0,"finetune":0}}]`,
			`{"id":"v/m","name":"M","owner":"V","context_tokens":131072,"capabilities":["chat"],"input_price":1.8e-7,"output_price":5.9e-7}`},
		{"OpenRouter", `{"data":[{"id":"v/m","canonical_slug":"v/m-1","name":"V: M","created":1692901234,"context_length":8192,` +
			`"architecture":{"input_modalities":["text","image","file"],"output_modalities":["text"],"modality":"text+image->text"},` +
			`"pricing":{"prompt":"0.00003","completion":"0.00006","request":"0","input_cache_read":"0.000003"},` +
			`"top_provider":{"context_length":8192,"max_completion_tokens":4096,"is_moderated":true},"per_request_limits":null,` +
			`"supported_parameters":["tools","reasoning","structured_outputs"],"reasoning":{"mandatory":false},"expiration_date":null}]}`,
			`{"id":"v/m","name":"V: M","created":1692901234,"context_tokens":8192,"output_tokens":4096,` +
				`"capabilities":["chat","tools","structured_output","reasoning","images","files"],` +
				`"input_price":0.00003,"output_price":0.00006,"cached_price":0.000003}`},
		{"OpenRouter without a price", `{"data":[{"id":"auto","context_length":null,"pricing":{"prompt":"-1","completion":"-1"},` +
			`"top_provider":{"max_completion_tokens":null},"expiration_date":"2027-01-01"}]}`, `{"id":"auto","deprecated":true}`},
		{"Mistral", `{"object":"list","data":[{"id":"mistral-x-2512","object":"model","created":1760000000,"owned_by":"mistralai",` +
			`"capabilities":{"completion_chat":true,"function_calling":true,"completion_fim":false,"vision":true,"audio":false},` +
			`"name":"mistral-x-2512","description":"d","max_context_length":131072,"aliases":["mistral-x-latest","mistral-x-2512"],` +
			`"deprecation":"2026-01-01T00:00:00Z","default_model_temperature":0.3,"type":"base"}]}`,
			`{"id":"mistral-x-2512","owner":"mistralai","created":1760000000,"context_tokens":131072,` +
				`"capabilities":["chat","tools","images"],"aliases":["mistral-x-latest"],"deprecated":true}`},
		{"Mistral, not deprecated", `{"data":[{"id":"m","deprecation":null,"type":"base"}]}`, `{"id":"m"}`},
		{"Azure", `{"data":[{"status":"succeeded","capabilities":{"fine_tune":false,"inference":true,"completion":false,"chat_completion":true,` +
			`"embeddings":false},"lifecycle_status":"deprecated","deprecation":{"inference":1760000000},"id":"gpt-x","created_at":1,"object":"model"}]}`,
			`{"id":"gpt-x","capabilities":["chat"],"deprecated":true}`},
		{"Groq", `{"object":"list","data":[{"id":"m","object":"model","created":1,"owned_by":"Meta","active":true,"context_window":131072,` +
			`"public_apps":null,"max_completion_tokens":32768}]}`,
			`{"id":"m","owner":"Meta","created":1,"context_tokens":131072,"output_tokens":32768}`},
		{"xAI", `{"models":[{"id":"grok-x","fingerprint":"fp","created":1743724800,"object":"model","owned_by":"xai","version":"1.0",` +
			`"input_modalities":["text","image"],"output_modalities":["text"],"prompt_text_token_price":30000,` +
			`"cached_prompt_text_token_price":7500,"prompt_image_token_price":0,"completion_text_token_price":150000,"aliases":["grok-latest"]}]}`,
			`{"id":"grok-x","owner":"xai","created":1743724800,"capabilities":["chat","images"],"aliases":["grok-latest"],` +
				`"input_price":0.000003,"output_price":0.000015,"cached_price":7.5e-7}`},
		{"Ark", `{"object":"list","data":[{"id":"doubao-x-1","name":"doubao-x","created":1760000000,"domain":"VLM","status":"Retiring",` +
			`"features":{"structured_outputs":{"json_object":true,"json_schema":true},"tools":{"function_calling":true}},` +
			`"modalities":{"input_modalities":["text","image","video"],"output_modalities":["text"]},"task_type":["TextGeneration"],` +
			`"token_limits":{"context_window":262144,"max_output_token_length":65536,"max_reasoning_token_length":32768}}]}`,
			`{"id":"doubao-x-1","name":"doubao-x","created":1760000000,"context_tokens":262144,"output_tokens":65536,` +
				`"capabilities":["chat","tools","structured_output","reasoning","images","video"],"deprecated":true}`},
		{"Ark's embeddings", `{"data":[{"id":"e","features":{},"modalities":{"input_modalities":["text"]},"task_type":["TextEmbedding"],"token_limits":{}}]}`,
			`{"id":"e","capabilities":["embeddings"]}`},
		{"Moonshot", `{"data":[{"id":"k","object":"model","owned_by":"moonshot","context_length":262144,"supports_image_in":true,` +
			`"supports_video_in":false,"supports_reasoning":true}]}`,
			`{"id":"k","owner":"moonshot","context_tokens":262144,"capabilities":["reasoning","images"]}`},
		{"Hugging Face", `{"data":[{"id":"v/m","owned_by":"v","architecture":{"input_modalities":["text"],"output_modalities":["text"]},"providers":[` +
			`{"provider":"a","status":"live","supports_tools":false},` +
			`{"provider":"b","status":"live","context_length":64000,"pricing":{"input":0.5,"output":2},"supports_tools":true,"supports_structured_output":false}]}]}`,
			`{"id":"v/m","owner":"v","context_tokens":64000,"capabilities":["chat","tools"],"input_price":5e-7,"output_price":0.000002}`},
		{"vLLM", `{"data":[{"id":"m","object":"model","created":1,"owned_by":"vllm","root":"m","parent":null,"max_model_len":4096,"permission":[{}]}]}`,
			`{"id":"m","owner":"vllm","created":1,"context_tokens":4096}`},
		{"llama.cpp", `{"models":[{"name":"m.gguf","model":"m.gguf","capabilities":["completion"]}],"data":[{"id":"m.gguf","created":1,` +
			`"owned_by":"llamacpp","meta":{"vocab_type":2,"n_ctx_train":131072}}]}`,
			`{"id":"m.gguf","owner":"llamacpp","created":1,"context_tokens":131072}`},
		{"names", `{"models":["a"]}`, `{"id":"a"}`},
		{"wrong types", `{"data":[{"id":"m","created":"1","owned_by":7,"aliases":"a","capabilities":["chat"],"pricing":"free","context_length":{}}]}`,
			`{"id":"m","created":1}`},
	}
}

func TestModelsDecode(t *testing.T) {
	for _, test := range modelTests() {
		t.Run(test.name, func(t *testing.T) {
			got := answered(t, modelsCall(t, "compatible"), test.body)
			if got.err != nil || !got.complete || len(got.models) != 1 {
				t.Fatalf("%v, %d models", got.err, len(got.models))
			}
			model := got.models[0]
			var want llm.Model
			if err := json.Unmarshal([]byte(test.want), &want); err != nil {
				t.Fatal(err)
			}
			made, _ := json.Marshal(model)
			wanted, _ := json.Marshal(want)
			if string(made) != string(wanted) {
				t.Errorf("got  %s\nwant %s", made, wanted)
			}
			for _, word := range model.Capabilities {
				if !slices.Contains(Features(), word) {
					t.Errorf("%q is no word of Features", word)
				}
			}
		})
	}
}

func TestModelsThatWillNotDo(t *testing.T) {
	for _, test := range []struct{ name, body, says string }{
		{"HTML", "<html>", "not JSON"},
		{"an object", `{"object":"list"}`, "no list of models"},
		{"data is no list", `{"data":{"id":"x"}}`, "no list of models"},
		{"an error", `{"error":{"message":"no key"}}`, "no key"},
		{"an error without its word", `{"detail":"Unauthorized"}`, "Unauthorized"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := answered(t, modelsCall(t, "openai"), test.body)
			if got.err == nil || !strings.Contains(got.err.Error(), test.says) || got.complete {
				t.Errorf("got %v", got.err)
			}
		})
	}
	if got := answered(t, modelsCall(t, "openai"), `{"data":[]}`); got.err != nil || !got.complete || got.start == nil {
		t.Errorf("a vendor without models: %v", got.err)
	}
}

// OpenRouter lists models for embeddings apart from the others.
func TestModelsOfTwoLists(t *testing.T) {
	call := modelsCall(t, "openrouter")
	for _, want := range []struct{ path, next string }{{"/models", "/embeddings/models"}, {"/embeddings/models", ""}} {
		request, _, err := call.Row.Protocol().Encode(call)
		if err != nil || request.URL != "https://openrouter.ai/api/v1"+want.path {
			t.Fatalf("got %+v, %v", request, err)
		}
		got := answered(t, call, `{"data":[{"id":"a/b"}]}`)
		if got.err != nil || got.finish.NextPage != want.next {
			t.Errorf("after %s comes %q, expected %q (%v)", want.path, got.finish.NextPage, want.next, got.err)
		}
		call.Page = got.finish.NextPage
	}
}

func TestModelsEncode(t *testing.T) {
	for _, test := range []struct{ row, base, want string }{
		{"openai", "", "https://api.openai.com/v1/models"},
		{"openai", "https://proxy.test/v1/chat/completions", "https://proxy.test/v1/models"},
		{"xai", "", "https://api.x.ai/v1/language-models"},
		{"zai", "", "https://api.z.ai/api/paas/v4/models"},
		{"volcengine", "", "https://ark.cn-beijing.volces.com/api/v3/models"},
		{"azure", "https://r.openai.azure.com", "https://r.openai.azure.com/openai/models?api-version=2024-10-21"},
		{"azure", "https://r.openai.azure.com/openai/deployments/d", "https://r.openai.azure.com/openai/models?api-version=2024-10-21"},
		{"azure", "https://r.openai.azure.com/openai/v1/", "https://r.openai.azure.com/openai/v1/models"},
	} {
		call := modelsCall(t, test.row)
		if test.base != "" {
			call.BaseURL = test.base
		}
		request, _, err := call.Row.Protocol().Encode(call)
		if err != nil {
			t.Errorf("%s: %s", test.row, err)
			continue
		}
		if request.URL != test.want || request.Method != "GET" || request.Body != nil || request.Header["Content-Type"] != "" {
			t.Errorf("%s: %s %s, expected %s", test.row, request.Method, request.URL, test.want)
		}
	}
	call := modelsCall(t, "openai")
	temperature := 1.0
	call.Request.Temperature = &temperature
	if _, _, err := call.Row.Protocol().Encode(call); err == nil || err.Param != "temperature" {
		t.Errorf("got %v", err)
	}
}
