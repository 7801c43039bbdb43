package provider

import (
	"encoding/json"
	"slices"

	"pyagent/core/llm"
)

// messagesEncoder writes one request body.
type messagesEncoder struct {
	body
	model claude
	betas []string // features that the content needs by name
	think thinkPlan
}

func newMessagesEncoder(call Call) *messagesEncoder {
	return &messagesEncoder{body: newBody(call), model: findClaude(call.Request.Model)}
}

// chat writes a chat request. What the vendor has no word for is refused by name. Harmless, and therefore not refused, are
// the name, description and strict of a response format: they label it, or ask for what happens anyway.
func (e *messagesEncoder) chat() []byte {
	r := e.request
	e.takes("max_tokens", "max_completion_tokens", "temperature", "top_p", "top_k", "stop", "tools", "tool_choice",
		"parallel_tool_calls", "response_format", "reasoning_effort", "reasoning_budget", "reasoning_summary", "service_tier",
		"metadata", "user", "safety_identifier", "modalities", "stream_options")
	e.streamOptions()
	e.plan()
	e.putText("model", r.Model)
	e.put("max_tokens", func(out []byte) []byte { return appendInt(out, e.think.most) })
	e.prompt()
	if len(r.Stop.List) > 0 {
		e.put("stop_sequences", func(out []byte) []byte { return appendStrings(out, r.Stop.List) })
	}
	e.sampling()
	e.options()
	e.container()
	if e.call.Stream {
		e.putRaw("stream", []byte("true"))
	}
	return e.end()
}

// count writes the question how many tokens a request would have. Options that do not change its prompt have no part in it.
func (e *messagesEncoder) count() []byte {
	e.plan()
	e.putText("model", e.request.Model)
	e.prompt()
	return e.end()
}

// prompt writes what the model gets to read, and what decides how it reads it.
func (e *messagesEncoder) prompt() {
	system, turns := e.conversation()
	if len(system) > 0 {
		e.putRaw("system", system)
	}
	e.put("messages", func(out []byte) []byte { return appendTurns(out, turns) })
	e.tools(turns)
	e.putThinking()
	e.outputConfig()
}

// sampling writes what models from Opus 4.7 on no longer take, except where it asks for what happens anyway.
func (e *messagesEncoder) sampling() {
	r := e.request
	thinks := e.think.on()
	e.sample("temperature", r.Temperature, func(value float64) bool { return !thinks || value == 1 },
		"temperature must be 1 or left out while the model thinks")
	e.sample("top_p", r.TopP, func(value float64) bool { return !thinks || value >= 0.95 },
		"top_p must be 0.95 or more, or left out, while the model thinks")
	if r.TopK == nil {
		return
	}
	if thinks && !e.overrides("top_k") {
		e.refuse("top_k", "%s does not take top_k while the model thinks; leave it out", e.row.Name)
	}
	if e.takesSampling("top_k") {
		e.put("top_k", func(out []byte) []byte { return appendInt(out, *r.TopK) })
	}
}

func (e *messagesEncoder) sample(name string, value *float64, fits func(float64) bool, rule string) {
	switch {
	case value == nil:
	case !e.model.sampling && *value == 1 && !e.overrides(name): // the default
	case !e.overrides(name) && !fits(*value):
		e.refuse(name, "%s: %s, got %g", e.row.Name, rule, *value)
	case e.takesSampling(name):
		e.put(name, func(out []byte) []byte { return e.float(name, out, *value) })
	}
}

func (e *messagesEncoder) takesSampling(name string) bool {
	if e.model.sampling || e.overrides(name) || e.request.AllowUnsupported {
		return true
	}
	e.refuse(name, "%s does not take %s for the model %q; leave it out, or send it all the same with extra_body", e.row.Name, name,
		e.request.Model)
	return false
}

// overrides tells that extra_body has the last word on a field.
func (e *messagesEncoder) overrides(name string) bool {
	_, ok := e.request.ExtraBody[name]
	return ok
}

func (e *messagesEncoder) options() {
	r := e.request
	if user := e.user(); user != "" {
		e.putRaw("metadata", newObject(nil).member("user_id", llm.AppendString(nil, user)))
	}
	switch r.ServiceTier {
	case "":
	case "auto", "standard_only":
		e.putText("service_tier", r.ServiceTier)
	case "default": // OpenAI's word for the same
		e.putText("service_tier", "standard_only")
	default:
		e.refuse("service_tier", `%s does not take service_tier %q; it is "auto" or "standard_only"`, e.row.Name, r.ServiceTier)
	}
	for _, word := range list(r.Modalities, kept) {
		if string(word) != `"text"` {
			e.refuse("modalities", "%s answers in text only, not in %s", e.row.Name, word)
		}
	}
}

// user is the name under which the vendor is to know the user: three options say it.
func (e *messagesEncoder) user() string {
	r, named := e.request, ""
	if !absent(r.Metadata) && r.Metadata[0] != '{' {
		e.wrong("metadata", "metadata must be an object, got %s", r.Metadata)
	}
	llm.Members(r.Metadata, func(key, value []byte) {
		if string(key) != "user_id" || !quoted(value) {
			e.refuse("metadata", "%s takes nothing in metadata but a string user_id; leave %q out", e.row.Name, key)
		}
		named = llm.Unquote(value)
	})
	for name, other := range map[string]string{"user": r.User, "safety_identifier": r.SafetyIdentifier} {
		if other == "" {
			continue
		}
		if named != "" && named != other {
			e.wrong(name, "%s has one name for a user, but metadata, user and safety_identifier differ; give one of them", e.row.Name)
		}
		named = other
	}
	return named
}

// outputConfig writes how much effort to make, and the schema that the answer is to follow. The vendor has no JSON mode
// without a schema.
func (e *messagesEncoder) outputConfig() {
	format, err := readFormat(e.request.ResponseFormat)
	if err != nil {
		e.wrong(err.Param, "%s", err.Message)
		return
	}
	if format.kind == "json_object" && !e.overrides("output_config") {
		e.refuse("response_format", `%s has no response_format "json_object"; give a "json_schema", or ask for JSON in the prompt`,
			e.row.Name)
	}
	if e.think.effort == "" && format.kind != "json_schema" {
		return
	}
	e.put("output_config", func(out []byte) []byte {
		o := newObject(out)
		if e.think.effort != "" {
			o.text("effort", e.think.effort)
		}
		if format.kind == "json_schema" {
			o.key("format")
			inner := newObject(o.out)
			inner.text("type", "json_schema")
			o.out = inner.member("schema", format.schema)
		}
		return o.end()
	})
}

// tools writes the tools that may be called, and whether one must be.
func (e *messagesEncoder) tools(turns []turn) {
	choice, err := readToolChoice(e.request.ToolChoice)
	if err != nil {
		e.wrong(err.Param, "%s", err.Message)
		return
	}
	declared := e.declared(choice)
	if len(declared) == 0 {
		// A conversation in which tools were called is refused without them: they are declared by their names, not to be called.
		if declared = bareTools(turns); len(declared) > 0 && choice.mode != "required" && choice.mode != "tool" {
			choice = newNoneChoice()
		}
	}
	if len(declared) > 0 {
		e.put("tools", func(out []byte) []byte { return appendRaw(out, declared) })
	} else if choice.mode == "required" || choice.mode == "tool" {
		e.wrong("tool_choice", "tool_choice wants a tool to be called, but there are no tools; give tools")
	}
	e.toolChoice(choice, len(declared) > 0)
}

// toolChoice writes tool_choice, which is also where parallel calls are forbidden.
func (e *messagesEncoder) toolChoice(choice choice, hasTools bool) {
	single := e.request.ParallelToolCalls != nil && !*e.request.ParallelToolCalls
	word := map[string]string{"auto": "auto", "none": "none", "required": "any", "tool": "tool"}[choice.mode]
	if word == "" && single {
		word = "auto"
	}
	if word == "" || !hasTools {
		return
	}
	if forced := word == "any" || word == "tool"; forced && e.think.on() && !e.overrides("tool_choice") {
		e.refuse("tool_choice", `%s cannot be made to call a tool while it thinks; say "auto", or switch reasoning off`, e.row.Name)
	}
	e.put("tool_choice", func(out []byte) []byte {
		o := newObject(out)
		o.text("type", word)
		if word == "tool" {
			o.text("name", choice.names[0])
		}
		if single && word != "none" {
			o.raw("disable_parallel_tool_use", []byte("true"))
		}
		return o.end()
	})
}

func newNoneChoice() choice { return choice{mode: "none"} }

// declared are the tools of the request in the vendor's shape; of a list of allowed ones only these, because the vendor has
// no such list.
func (e *messagesEncoder) declared(choice choice) (tools []json.RawMessage) {
	allowed := choice.names
	if choice.mode == "tool" {
		allowed = nil
	}
	missing := slices.Clone(allowed)
	for i, tool := range e.request.Tools {
		written, name := e.tool(tool, i)
		missing = slices.DeleteFunc(missing, func(wanted string) bool { return wanted == name })
		if allowed == nil || slices.Contains(allowed, name) {
			tools = append(tools, written)
		}
	}
	if len(missing) > 0 {
		e.wrong("tool_choice", "tool_choice allows the tools %q, which are not among tools", missing)
	}
	return tools
}

// tool writes a declaration. Tools of the vendor's own types are passed on as they are.
func (e *messagesEncoder) tool(tool llm.Tool, index int) (written json.RawMessage, name string) {
	f, isFunction, err := readTool(tool, index)
	if err != nil {
		e.wrong(err.Param, "%s", err.Message)
	}
	if !isFunction {
		free := false
		llm.Members(tool.Raw, func(key, value []byte) {
			switch string(key) {
			case "name":
				readText(&name, value)
			case "custom":
				free = tool.Type == "custom"
			}
		})
		if free {
			e.refuse("tools", "%s has no tools that take free text; declare tools[%d] as a function with a string", e.row.Name, index)
		}
		return tool.Raw, name
	}
	o := newObject(nil)
	o.text("name", f.name)
	if f.description != "" {
		o.text("description", f.description)
	}
	o.raw("input_schema", objectSchema(f.parameters))
	if f.strict != nil && *f.strict {
		o.raw("strict", []byte("true"))
	}
	o.members(f.extra)
	return o.end(), f.name
}

// objectSchema is a schema that says what it is of, which the vendor demands.
func objectSchema(schema json.RawMessage) json.RawMessage {
	typed := false
	llm.Members(schema, func(key, _ []byte) { typed = typed || string(key) == "type" })
	if typed {
		return schema
	}
	o := newObject(nil)
	o.text("type", "object")
	empty := true
	llm.Members(schema, func(key, value []byte) {
		empty = false
		o.raw(string(key), value)
	})
	if empty {
		o.raw("properties", []byte("{}"))
	}
	return o.end()
}

// bareTools declares the tools that a conversation has called.
func bareTools(turns []turn) (tools []json.RawMessage) {
	var names []string
	for _, turn := range turns {
		for _, call := range turn.calls {
			if !slices.Contains(names, call.name) {
				names = append(names, call.name)
				o := newObject(nil)
				o.text("name", call.name)
				tools = append(tools, o.member("input_schema", objectSchema(nil)))
			}
		}
	}
	return tools
}
