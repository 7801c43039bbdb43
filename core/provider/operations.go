package provider

import (
	"slices"

	"pyagent/core/llm"
)

// Listed is a row with the operations that it has, as an inspection shows it.
type Listed struct {
	Row
	Operations []llm.Op `json:"operations"`
}

// List is the registry for an inspection.
func List() []Listed {
	var list []Listed
	for _, row := range Rows() {
		list = append(list, Listed{row, row.Operations()})
	}
	return list
}

// Operations are what the vendor can be asked for. The dialect is tried, because only it knows.
func (r *Row) Operations() []llm.Op {
	return slices.DeleteFunc(llm.Ops(), func(op llm.Op) bool {
		if op == llm.OpFake {
			return true
		}
		request := &llm.Request{
			Op: op, Model: "m", Messages: []llm.Message{{Role: "user", Text: "a", HasContent: true}}, Input: llm.Inputs{{Text: "a"}},
			Login: &llm.Credentials{},
		}
		call := Call{Row: r, Request: request, BaseURL: firstWord(r.BaseURL, "https://example.com"), APIKey: "k", Stream: op == llm.OpStream}
		_, _, err := r.Protocol().Encode(call)
		return err != nil && err.Kind == llm.KindUnsupported && err.Param == "op"
	})
}
