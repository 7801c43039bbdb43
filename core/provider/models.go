package provider

import "slices"

// Models lists the families of models of which something is known, all of it from their vendors' own pages. It is a short
// list on purpose: what is not here works all the same, and a vendor's own list of models says more.
func Models() []ModelRow {
	return slices.Concat(openAIModels(), anthropicModels(), geminiModels(), mistralModels())
}

const modelsSeen = "2026-05"

func openAIModels() []ModelRow {
	vendors := []string{"openai", "openai-responses"}
	row := func(context, output int64, has, lacks []string, names ...string) (rows []ModelRow) {
		for _, name := range names {
			rows = append(rows, ModelRow{
				Providers: vendors, Name: name, ContextTokens: context, OutputTokens: output, Has: has, Lacks: lacks,
				Source: "https://developers.openai.com/api/docs/models/" + name, Seen: modelsSeen,
			})
		}
		return rows
	}
	const million = 1047576
	chat := []string{"chat", "tools", "structured_output", "images"}
	reasoning := append(slices.Clone(chat), "reasoning")
	noMedia := []string{"embeddings", "audio", "video", "audio_output", "video_output"}
	noReasoning := append(slices.Clone(noMedia), "reasoning")
	return slices.Concat(
		row(400000, 128000, reasoning, noMedia, "gpt-5", "gpt-5-mini", "gpt-5-nano"),
		row(200000, 100000, reasoning, noMedia, "o1", "o3", "o4-mini"),
		row(200000, 100000, []string{"chat", "tools", "structured_output", "reasoning"}, append(slices.Clone(noMedia), "images"), "o3-mini"),
		row(million, 32768, chat, noReasoning, "gpt-4.1", "gpt-4.1-mini", "gpt-4.1-nano"),
		row(128000, 16384, chat, noReasoning, "gpt-4o", "gpt-4o-mini"),
		row(16385, 4096, []string{"chat", "tools"}, append(slices.Clone(noReasoning), "images", "structured_output"), "gpt-3.5-turbo"),
		row(8192, 0, []string{"embeddings"}, []string{"chat"}, "text-embedding-3-small", "text-embedding-3-large", "text-embedding-ada-002"),
	)
}

func anthropicModels() []ModelRow {
	var rows []ModelRow
	has := []string{"chat", "tools", "images", "files"}
	lacks := []string{"embeddings", "audio", "video", "image_output", "audio_output", "video_output"}
	for _, m := range []struct {
		name            string
		context, output int64
		thinks          bool
	}{
		{"claude-opus-4-7", 1000000, 128000, true},
		{"claude-sonnet-4-6", 1000000, 64000, true},
		{"claude-haiku-4-5", 200000, 64000, true},
		{"claude-sonnet-4-5", 200000, 64000, true},
		{"claude-opus-4-5", 200000, 64000, true},
		{"claude-opus-4-1", 200000, 32000, true},
		{"claude-3-5-haiku", 200000, 8192, false},
	} {
		row := ModelRow{
			Providers: []string{"anthropic"}, Name: m.name, ContextTokens: m.context, OutputTokens: m.output, Has: has, Lacks: lacks,
			Source: "https://platform.claude.com/docs/en/about-claude/models/overview", Seen: modelsSeen,
		}
		if m.thinks {
			row.Has = append(slices.Clone(has), "reasoning")
		} else {
			row.Lacks = append(slices.Clone(lacks), "reasoning")
		}
		rows = append(rows, row)
	}
	return rows
}

func geminiModels() []ModelRow {
	vendors := []string{"gemini", "vertex"}
	has := []string{"chat", "tools", "structured_output", "images", "audio", "video", "files"}
	lacks := []string{"embeddings", "image_output", "audio_output", "video_output"}
	reasoning := append(slices.Clone(has), "reasoning")
	page := "https://ai.google.dev/gemini-api/docs/models/"
	rows := []ModelRow{
		{Name: "gemini-2.5-pro", ContextTokens: 1048576, OutputTokens: 65536, Has: reasoning, Lacks: lacks},
		{Name: "gemini-2.5-flash", ContextTokens: 1048576, OutputTokens: 65536, Has: reasoning, Lacks: lacks},
		{Name: "gemini-2.5-flash-lite", ContextTokens: 1048576, OutputTokens: 65536, Has: reasoning, Lacks: lacks},
		{Name: "gemini-2.0-flash", ContextTokens: 1048576, OutputTokens: 8192, Has: has, Lacks: lacks},
		{Name: "gemini-2.0-flash-lite", ContextTokens: 1048576, OutputTokens: 8192, Has: has, Lacks: append(slices.Clone(lacks), "reasoning")},
		{Name: "gemini-embedding-001", ContextTokens: 2048, Has: []string{"embeddings"}, Lacks: []string{"chat", "images", "audio", "video", "files"}},
	}
	for i := range rows {
		rows[i].Providers, rows[i].Source, rows[i].Seen = vendors, page+rows[i].Name, modelsSeen
	}
	return rows
}

func mistralModels() []ModelRow {
	return []ModelRow{{
		Providers: []string{"mistral"}, Name: "mistral-embed", ContextTokens: 8192, Has: []string{"embeddings"}, Lacks: []string{"chat"},
		Source: "https://docs.mistral.ai/capabilities/embeddings/", Seen: modelsSeen,
	}}
}
