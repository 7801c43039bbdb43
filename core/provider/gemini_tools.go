package provider

import (
	"encoding/json"
	"slices"

	"pyagent/core/llm"
)

// geminiNative lists the tools that Google runs itself. One is given as {"type": "googleSearch"} or {"type":
// "google_search"}, with its options under its name or beside the type.
func geminiNative() []string {
	return []string{
		"googleSearch", "codeExecution", "urlContext", "googleMaps", "fileSearch", "computerUse", "googleSearchRetrieval",
		"enterpriseWebSearch", "retrieval",
	}
}

// tools writes the tools and how they are to be used: https://ai.google.dev/gemini-api/docs/function-calling
func (e *geminiEncoder) tools() {
	var functions, natives []json.RawMessage
	strict := false
	for i, tool := range e.request.Tools {
		f, ok, failed := readTool(tool, i)
		switch {
		case failed != nil:
			e.wrong(failed.Param, "%s", failed.Message)
		case ok:
			functions = append(functions, geminiFunction(f))
			strict = strict || f.strict != nil && *f.strict
			e.leaveKeys("tool", f.extra)
		default:
			natives = append(natives, e.nativeTool(tool))
		}
	}
	mixed := len(functions) > 0 && len(natives) > 0
	if len(functions) > 0 {
		natives = slices.Insert(natives, 0, newObject(nil).member("functionDeclarations", appendList(nil, functions)))
	}
	if len(natives) > 0 {
		e.put("tools", func(out []byte) []byte { return appendList(out, natives) })
	}
	e.toolConfig(strict, mixed)
}

func geminiFunction(f function) json.RawMessage {
	o := newObject(nil)
	o.text("name", f.name)
	if f.description != "" {
		o.text("description", f.description)
	}
	if !emptySchema(f.parameters) {
		o.raw("parametersJsonSchema", geminiSchema(f.parameters))
	}
	return o.end()
}

func (e *geminiEncoder) nativeTool(tool llm.Tool) json.RawMessage {
	for _, name := range geminiNative() {
		if tool.Type != name && tool.Type != snakeCase(name) {
			continue
		}
		rest, options := newObject(nil), json.RawMessage(nil)
		llm.Members(tool.Raw, func(key, value []byte) {
			switch string(key) {
			case "type":
			case name, snakeCase(name):
				options = value
			default:
				rest.raw(string(key), value)
			}
		})
		if options == nil {
			options = rest.end()
		}
		return newObject(nil).member(name, options)
	}
	e.refuse("tools", "%s has no tool of type %q; it has \"function\", or one of its own: %q", e.row.Name, tool.Type, geminiNative())
	return nil
}

// toolConfig says which functions must or may be called. Strict functions are honoured by the mode that holds calls to
// their schemas. Gemini 3 wants to be told that functions and tools of its own go together:
// https://ai.google.dev/gemini-api/docs/tool-combination
func (e *geminiEncoder) toolConfig(strict, mixed bool) {
	asked, failed := readToolChoice(e.request.ToolChoice)
	if failed != nil {
		e.wrong(failed.Param, "%s", failed.Message)
		return
	}
	modes := map[string]string{"auto": "AUTO", "none": "NONE", "required": "ANY", "tool": "ANY"}
	mode, names := modes[asked.mode], asked.names
	switch {
	case mode == "AUTO" && len(names) > 0, (mode == "AUTO" || mode == "") && strict:
		mode = "VALIDATED" // AUTO takes no names
	case mode == "NONE":
		names = nil
	}
	o := newObject(nil)
	if mode != "" {
		config := newObject(nil)
		config.text("mode", mode)
		if len(names) > 0 {
			config.raw("allowedFunctionNames", appendStrings(nil, names))
		}
		o.raw("functionCallingConfig", config.end())
	}
	if mixed && e.generation >= 3 && !e.vertex {
		o.raw("includeServerSideToolInvocations", []byte("true"))
	}
	if !o.empty {
		e.putRaw("toolConfig", o.end())
	}
}

func appendList(out []byte, items []json.RawMessage) []byte {
	out = append(out, '[')
	for i, item := range items {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, item...)
	}
	return append(out, ']')
}

// thoughtSignature is the signature that rides on a tool call, in the shape that Google's compatible route has too.
func thoughtSignature(call *llm.ToolCall) string {
	signature := ""
	for _, member := range call.Extra {
		if member.Key == "extra_content" {
			signature = memberText(schemaMembers(memberRaw(schemaMembers(member.Value), "google")), "thought_signature")
		}
	}
	return signature
}

func memberRaw(members []llm.Member, key string) json.RawMessage {
	for _, member := range members {
		if member.Key == key {
			return member.Value
		}
	}
	return nil
}

// signatureExtra is the signature as it rides on a tool call.
func signatureExtra(signature string) json.RawMessage {
	google := newObject(nil)
	google.text("thought_signature", signature)
	return newObject(nil).member("extra_content", newObject(nil).member("google", google.end()))
}
