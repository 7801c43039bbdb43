package provider

// openAI is the chat-completions protocol of OpenAI and of the many servers that are compatible with it. Where they
// differ, the row says so; what is merely different in an answer is accepted from everyone.
type openAI struct{ reported }

func (openAI) Framing() Framing { return SSE }
