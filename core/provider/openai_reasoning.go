package provider

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"pyagent/core/llm"
)

// Reasoning is how a vendor of the openai dialect spells what there is no common spelling for: how hard a model is to think,
// and what of its thoughts it wants back. Controls are objects of request fields, in which the string "$" stands for the
// value; what a vendor has no control for is refused.
type Reasoning struct {
	Effort  json.RawMessage `json:"effort,omitempty"`  // for reasoning_effort
	Budget  json.RawMessage `json:"budget,omitempty"`  // for reasoning_budget
	Summary json.RawMessage `json:"summary,omitempty"` // for reasoning_summary
	Off     json.RawMessage `json:"off,omitempty"`     // for no reasoning; default: the effort "none"
	On      json.RawMessage `json:"on,omitempty"`      // for any effort, where there are no levels of it
	Levels  []string        `json:"levels,omitempty"`  // the efforts that there are; empty: any
	Except  []string        `json:"except,omitempty"`  // models whose names begin so have no levels of effort

	Back    string `json:"back,omitempty"`    // when reasoning_content returns with its message: never, or one of reasoningBacks
	Details bool   `json:"details,omitempty"` // takes reasoning_details
	Parts   bool   `json:"parts,omitempty"`   // takes thoughts as content parts of the type "thinking"
}

// reasoningBacks are the times at which reasoning_content returns.
func reasoningBacks() []string {
	return []string{
		"",
		"loop",   // until the next message of the user: while tools are called
		"tools",  // always in turns that called tools, and empty where there were no thoughts: a missing one is an error
		"always", // with every message
	}
}

// reasoning is the row's way, or OpenAI's.
func (r *Row) reasoning() *Reasoning {
	if r.Reasoning != nil {
		return r.Reasoning
	}
	return &Reasoning{Effort: json.RawMessage(`{"reasoning_effort":"$"}`)}
}

func (r *Reasoning) check(name string) *llm.Error {
	for field, control := range map[string]json.RawMessage{
		"effort": r.Effort, "budget": r.Budget, "summary": r.Summary, "off": r.Off, "on": r.On,
	} {
		if len(control) > 0 && control[0] != '{' {
			return llm.Configuration("reasoning", "reasoning.%s of provider %q must be an object of request fields, got %s", field, name,
				control)
		}
	}
	if !slices.Contains(reasoningBacks(), r.Back) {
		return llm.Configuration("reasoning", "reasoning.back of provider %q is %q; it is one of %q", name, r.Back, reasoningBacks())
	}
	return nil
}

// reasoning writes the controls of reasoning.
func (e *chatEncoder) reasoning() {
	r, way := e.request, e.way
	controls := newControls()
	budget := r.ReasoningBudget
	if r.ReasoningEffort != "" && budget != nil {
		e.wrong("reasoning_budget", "reasoning_effort and reasoning_budget say the same in two ways; give one of them")
		return
	}
	switch {
	case r.ReasoningEffort == "none" || budget != nil && *budget == 0:
		e.switchOff(controls, way)
	case budget != nil:
		e.control(controls, "reasoning_budget", way.Budget, appendInt(nil, *budget))
	case r.ReasoningEffort != "":
		e.effort(controls, way)
	}
	if r.ReasoningSummary != "" {
		e.control(controls, "reasoning_summary", way.Summary, llm.AppendString(nil, r.ReasoningSummary))
	}
	for _, name := range controls.names {
		e.putRaw(name, controls.fields[name])
	}
}

// switchOff asks for no reasoning.
func (e *chatEncoder) switchOff(controls *controls, way *Reasoning) {
	name := "reasoning_effort"
	if e.request.ReasoningBudget != nil {
		name = "reasoning_budget"
	}
	if len(way.Off) > 0 {
		e.control(controls, name, way.Off, nil)
	} else {
		e.control(controls, name, way.Effort, llm.AppendString(nil, "none"))
	}
}

// effort asks for a level of effort, or for reasoning as such where there are no levels.
func (e *chatEncoder) effort(controls *controls, way *Reasoning) {
	effort := e.request.ReasoningEffort
	leveled := len(way.Effort) > 0 && !slices.ContainsFunc(way.Except,
		func(prefix string) bool { return strings.HasPrefix(e.request.Model, prefix) })
	switch {
	case leveled && len(way.Levels) > 0 && !slices.Contains(way.Levels, effort):
		e.refuse("reasoning_effort", "%s does not take reasoning_effort %q; it takes %q", e.row.Name, effort, way.Levels)
	case leveled:
		e.control(controls, "reasoning_effort", way.Effort, llm.AppendString(nil, effort))
	case len(way.On) > 0:
		e.warn("%s has no levels of reasoning_effort for the model %q; %q only switches reasoning on", e.row.Name, e.request.Model,
			effort)
		e.control(controls, "reasoning_effort", way.On, nil)
	default:
		e.refuse("reasoning_effort", "%s has no levels of reasoning_effort for the model %q, only \"none\"", e.row.Name,
			e.request.Model)
	}
}

// control adds one control, or refuses the option that there is none for.
func (e *chatEncoder) control(controls *controls, name string, control json.RawMessage, value []byte) {
	if len(control) == 0 {
		e.refuse(name, "%s does not take %s; leave it out, or send the vendor's own field with extra_body", e.row.Name, name)
		return
	}
	if e.allows(name, name, false) {
		controls.add(control, value)
	}
}

// controls are request fields. Two controls may be about the same one.
type controls struct {
	names  []string
	fields map[string]json.RawMessage
}

func newControls() *controls { return &controls{fields: map[string]json.RawMessage{}} }

func (c *controls) add(control json.RawMessage, value []byte) {
	llm.Members(bytes.ReplaceAll(control, []byte(`"$"`), value), func(key, field []byte) {
		name := string(key)
		before, again := c.fields[name]
		if again && before[0] == '{' && field[0] == '{' {
			o := newObject(nil)
			llm.Members(before, func(key, value []byte) { o.raw(string(key), value) })
			llm.Members(field, func(key, value []byte) { o.raw(string(key), value) })
			field = o.end()
		} else if !again {
			c.names = append(c.names, name)
		}
		c.fields[name] = bytes.Clone(field)
	})
}
