package provider

import (
	"encoding/json"

	"pyagent/core/llm"
)

// What a request asks for in OpenAI's shape, taken apart for the dialects that say it in another one.

// format is a response_format.
type format struct {
	kind        string // "text", "json_object" or "json_schema"
	name        string
	description string
	schema      json.RawMessage
	strict      *bool
}

// readFormat reads response_format; the kind of none is "text". A bare JSON schema is accepted as one.
func readFormat(raw json.RawMessage) (format, *llm.Error) {
	if absent(raw) {
		return format{kind: "text"}, nil
	}
	var shape struct {
		Type   string
		Schema struct {
			Name        string
			Description string
			Schema      json.RawMessage
			Strict      *bool
		} `json:"json_schema"`
	}
	if err := json.Unmarshal(raw, &shape); err != nil {
		return format{}, llm.Configuration("response_format", "response_format cannot be read: %s", err)
	}
	schema := shape.Schema
	switch shape.Type {
	case "text", "json_object":
		return format{kind: shape.Type}, nil
	case "json_schema":
		if absent(schema.Schema) || schema.Schema[0] != '{' {
			return format{}, llm.Configuration("response_format",
				`response_format has no schema; it looks like {"type": "json_schema", "json_schema": {"name": "answer", "schema": {...}}}`)
		}
		return format{shape.Type, schema.Name, schema.Description, schema.Schema, schema.Strict}, nil
	}
	return format{}, llm.Configuration("response_format",
		`response_format has the type %q; it is "text", "json_object" or "json_schema"`, shape.Type)
}

// choice is a tool_choice.
type choice struct {
	mode  string   // "auto", "none", "required" or "tool"; "" where nothing was said
	names []string // for "tool" the one to call; otherwise the only ones that may be called
}

// readToolChoice reads every form of tool_choice: a word ("any" means "required"), one tool, or a list of allowed ones.
func readToolChoice(raw json.RawMessage) (choice, *llm.Error) {
	if absent(raw) {
		return choice{}, nil
	}
	if quoted(raw) {
		switch word := llm.Unquote(raw); word {
		case "auto", "none", "required":
			return choice{mode: word}, nil
		case "any":
			return choice{mode: "required"}, nil
		default:
			return choice{}, llm.Configuration("tool_choice", `tool_choice is %q; it is "auto", "none", "required" or one tool`, word)
		}
	}
	type named struct{ Name string }
	var shape struct {
		Type             string
		Name             string
		Function, Custom named
		Allowed          struct {
			Mode  string
			Tools []struct {
				Name     string
				Function named
			}
		} `json:"allowed_tools"`
	}
	if err := json.Unmarshal(raw, &shape); err != nil {
		return choice{}, llm.Configuration("tool_choice", "tool_choice cannot be read: %s", err)
	}
	switch shape.Type {
	case "auto", "none", "required":
		return choice{mode: shape.Type}, nil
	case "any":
		return choice{mode: "required"}, nil
	case "allowed_tools":
		allowed := choice{mode: firstWord(shape.Allowed.Mode, "auto")}
		for _, tool := range shape.Allowed.Tools {
			allowed.names = append(allowed.names, firstWord(tool.Function.Name, tool.Name))
		}
		return allowed, nil
	}
	name := firstWord(firstWord(shape.Function.Name, shape.Custom.Name), shape.Name)
	if name == "" {
		return choice{}, llm.Configuration("tool_choice",
			`tool_choice names no tool; it looks like {"type": "function", "function": {"name": "get_weather"}}`)
	}
	return choice{"tool", []string{name}}, nil
}

// function is the declaration of a function tool.
type function struct {
	name        string
	description string
	parameters  json.RawMessage // nil for none
	strict      *bool
	extra       []llm.Member // keys beside the function, such as cache_control
}

// readTool takes a function tool apart. ok is false for any other type of tool, which only its own vendor understands.
func readTool(tool llm.Tool, index int) (f function, ok bool, err *llm.Error) {
	if tool.Type != "function" {
		return f, false, nil
	}
	llm.Members(tool.Raw, func(key, value []byte) {
		switch string(key) {
		case "type":
		case "function":
			f.read(value)
		default:
			f.extra = append(f.extra, llm.Member{Key: string(key), Value: kept(value)})
		}
	})
	if f.name == "" {
		err = llm.Configuration("tools", `tools[%d] has no function name; it looks like {"type": "function", "function": {"name": ...}}`, index)
	}
	return f, true, err
}

func (f *function) read(data []byte) {
	llm.Members(data, func(key, value []byte) {
		switch string(key) {
		case "name":
			readText(&f.name, value)
		case "description":
			readText(&f.description, value)
		case "parameters":
			f.parameters = kept(value)
		case "strict":
			if strict := string(value) == "true"; strict || string(value) == "false" {
				f.strict = &strict
			}
		}
	})
}

// argumentsObject is a tool call's arguments as the JSON object that some vendors want. What is no object is wrapped rather
// than refused: it is history, and cannot be mended.
func argumentsObject(arguments string) json.RawMessage {
	text := []byte(arguments)
	at := llm.SkipSpace(text, 0)
	if at == len(text) {
		return json.RawMessage("{}")
	}
	if text[at] == '{' && llm.Valid(text) {
		return text
	}
	o := newObject(nil)
	o.text("_raw", arguments)
	return o.end()
}
