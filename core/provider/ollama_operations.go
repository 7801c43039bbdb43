package provider

import "pyagent/core/llm"

// readOllamaVectors reads embeddings. Servers of old had /api/embeddings, which answers with a single one.
func readOllamaVectors(d *wholeDecoder, body []byte) error {
	found := vectors{call: d.call}
	var failed error
	read := func(value []byte) {
		if failed == nil {
			failed = found.add(len(found.list), value)
		}
	}
	llm.Members(body, func(key, value []byte) {
		switch string(key) {
		case "model":
			readText(&d.finish.Model, value)
		case "embeddings":
			llm.Elements(value, read)
		case "embedding":
			read(value)
		case "prompt_eval_count":
			var prompt loose
			if prompt.read(value); prompt.set {
				d.finish.Usage = &llm.Usage{PromptTokens: firstCount(prompt)}
			}
		}
	})
	if failed != nil {
		return failed
	}
	return found.deliver(d)
}
