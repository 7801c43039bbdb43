package provider

import "pyagent/core/llm"

// A conversation may go on with another vendor or model than the one that wrote its answers. What only the maker understands
// (signatures, encrypted reasoning, ids of items that it keeps) goes back to the maker and to nobody else.

// isForeign reports that a message was made by another vendor or model than the one asked now. A message that does not say
// who made it is the user's own, and goes out as it is.
func (c *Call) isForeign(m *llm.Message) bool {
	if m.Source == (llm.Source{}) {
		return false
	}
	return m.Source.Provider != c.Row.Name || m.Source.Model != c.Request.Model
}
