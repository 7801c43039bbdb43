package provider

import (
	"encoding/json"

	"pyagent/core/llm"
)

// Tools and the choice among them. What chat completions wrap into an object named like its type is flat here; a tool or a
// choice that is flat already, such as web_search, passes as it is.

func (e *responsesEncoder) tools() {
	if tools := e.request.Tools; len(tools) > 0 {
		e.put("tools", func(out []byte) []byte {
			for i := range tools {
				out = append(append(out, "[,"[min(i, 1)]), e.tool(tools[i], i)...)
			}
			return append(out, ']')
		})
	}
	e.toolChoice()
	if parallel := e.request.ParallelToolCalls; parallel != nil {
		e.putRaw("parallel_tool_calls", boolean(*parallel))
	}
}

func (e *responsesEncoder) tool(tool llm.Tool, index int) json.RawMessage {
	declared := e.unmarked(tool.Raw)
	switch inner := memberOf(declared, tool.Type); {
	case tool.Type == "custom" && inner != nil:
		return flatCustom(declared, inner)
	case tool.Type == "function" && inner == nil && memberOf(declared, "name") != nil:
		if memberOf(declared, "strict") != nil {
			return declared
		}
		o := newObject(nil)
		llm.Members(declared, func(key, value []byte) { o.raw(string(key), value) })
		return o.member("strict", boolean(false))
	case tool.Type != "function":
		return declared
	}
	f, _, err := readTool(llm.Tool{Type: tool.Type, Raw: declared}, index)
	if err != nil {
		e.wrong("tools", "%s", err.Message)
	}
	o := newObject(nil)
	o.text("type", "function")
	o.text("name", f.name)
	if f.description != "" {
		o.text("description", f.description)
	}
	if f.parameters == nil {
		f.parameters = json.RawMessage(`{"type":"object","properties":{}}`)
	}
	o.raw("parameters", f.parameters)
	o.raw("strict", boolean(f.strict != nil && *f.strict)) // without a word the vendor takes it for true
	o.members(f.extra)
	return o.end()
}

// flatCustom writes a custom tool. Its grammar loses an object around it too.
func flatCustom(declared, custom []byte) json.RawMessage {
	o := newObject(nil)
	o.text("type", "custom")
	llm.Members(custom, func(key, value []byte) {
		if grammar := memberOf(value, "grammar"); string(key) == "format" && grammar != nil {
			format := newObject(nil)
			format.text("type", "grammar")
			llm.Members(grammar, func(key, value []byte) { format.raw(string(key), value) })
			value = format.end()
		}
		o.raw(string(key), value)
	})
	llm.Members(declared, func(key, value []byte) {
		if name := string(key); name != "type" && name != "custom" {
			o.raw(name, value)
		}
	})
	return o.end()
}

// memberOf is the value of a key, nil where it is missing or null.
func memberOf(object []byte, name string) (found []byte) {
	llm.Members(object, func(key, value []byte) {
		if string(key) == name && !absent(value) {
			found = value
		}
	})
	return found
}

func (e *responsesEncoder) toolChoice() {
	asked := e.request.ToolChoice
	if absent(asked) {
		return
	}
	kind := ""
	readText(&kind, memberOf(asked, "type"))
	switch kind {
	case "", "auto", "none", "required", "any", "function", "custom", "tool":
	case "allowed_tools":
		e.allowedTools(asked)
		return
	default: // one of the vendor's own tools
		e.putRaw("tool_choice", asked)
		return
	}
	choice, err := readToolChoice(asked)
	switch {
	case err != nil:
		e.wrong("tool_choice", "%s", err.Message)
	case choice.mode != "tool":
		e.putText("tool_choice", choice.mode)
	default:
		if kind != "custom" {
			kind = "function"
		}
		o := newObject(nil)
		o.text("type", kind)
		o.text("name", choice.names[0])
		e.putRaw("tool_choice", o.end())
	}
}

func (e *responsesEncoder) allowedTools(asked json.RawMessage) {
	inner := memberOf(asked, "allowed_tools")
	if inner == nil {
		e.putRaw("tool_choice", asked)
		return
	}
	o := newObject(nil)
	o.text("type", "allowed_tools")
	llm.Members(inner, func(key, value []byte) {
		if string(key) == "tools" {
			value = appendRaw(nil, list(value, flatName))
		}
		o.raw(string(key), value)
	})
	e.putRaw("tool_choice", o.end())
}

// flatName writes a tool that is named in a list of allowed ones.
func flatName(tool []byte) json.RawMessage {
	for _, kind := range []string{"function", "custom"} {
		if inner := memberOf(tool, kind); inner != nil {
			o := newObject(nil)
			o.text("type", kind)
			llm.Members(inner, func(key, value []byte) { o.raw(string(key), value) })
			return o.end()
		}
	}
	return tool
}
