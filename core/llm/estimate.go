package llm

const (
	bytesPerToken   = 4    // of prose and of JSON, in nearly every tokenizer; other scripts have fewer characters in as many bytes
	tokensPerMedium = 1000 // an image, a sound or a file, whose size says little
)

// EstimateTokens is about how many tokens the request's prompt has, and how many more its answer may have; 0 of the latter where
// the request does not bound it. Nobody but the vendor can say exactly, and only afterwards.
func (r *Request) EstimateTokens() (prompt, answer int64) {
	size, media := len(r.ResponseFormat), int64(0)
	for i := range r.Messages {
		m := &r.Messages[i]
		size += len(m.Text)
		for _, part := range m.Parts {
			if part.Type == "text" {
				size += len(part.Text)
			} else {
				media++
			}
		}
		for _, call := range m.ToolCalls {
			size += len(call.Name) + len(call.Arguments)
		}
		for _, detail := range m.Details {
			size += len(detail)
		}
	}
	for _, tool := range r.Tools {
		size += len(tool.Raw)
	}
	for _, input := range r.Input {
		size += len(input.Text) + len(input.Raw)
	}
	for _, most := range []*int64{r.MaxTokens, r.MaxCompletionTokens} {
		if most != nil {
			answer = max(answer, *most)
		}
	}
	if r.N != nil {
		answer *= *r.N
	}
	return int64((size+bytesPerToken-1)/bytesPerToken) + media*tokensPerMedium, answer
}
