package provider

import (
	"slices"

	"pyagent/core/llm"
)

// ModelRow is what is known of a family of models: of the name, alone or with a date, a version or "latest" behind it. A
// word of Features is in Has, in Lacks, or not known; what is not known is left to the vendor.
type ModelRow struct {
	Providers     []string `json:"providers"`
	Name          string   `json:"name"`
	ContextTokens int64    `json:"context_tokens,omitempty"` // the prompt, with the answer where the vendor counts them together
	OutputTokens  int64    `json:"output_tokens,omitempty"`  // the longest answer
	Has           []string `json:"has"`
	Lacks         []string `json:"lacks"`
	Source        string   `json:"source"` // the vendor's page that says so
	Seen          string   `json:"seen"`   // when it was read
}

// ModelsOf are the rows of a vendor's models.
func ModelsOf(provider string) []ModelRow {
	return slices.DeleteFunc(Models(), func(row ModelRow) bool { return !slices.Contains(row.Providers, provider) })
}

// findModel is the row of a model, nil when nothing is known of it. Of several rows that match, the longest name is meant.
func findModel(rows []ModelRow, model string) (found *ModelRow) {
	for i := range rows {
		if llm.OfFamily(model, rows[i].Name) && (found == nil || len(rows[i].Name) > len(found.Name)) {
			found = &rows[i]
		}
	}
	return found
}

// demand is a feature that a request needs, and the option that says so.
type demand struct{ feature, option, words string }

// CheckModel refuses what the model is known to lack, before anything is sent. rows are those of the vendor.
func CheckModel(rows []ModelRow, row *Row, request *llm.Request) *llm.Error {
	if request.AllowUnsupported || request.Op == llm.OpModels {
		return nil
	}
	model := findModel(rows, request.Model)
	if model == nil {
		return nil
	}
	for _, d := range demands(request) {
		if slices.Contains(model.Lacks, d.feature) {
			err := llm.Errorf(llm.KindUnsupported, "%s of %s lacks %q: it has no %s (%s, seen %s); take another model, leave %s out, or "+
				"send it all the same with allow_unsupported", request.Model, row.Name, d.feature, d.words, model.Source, model.Seen, d.option)
			err.Param, err.Provider, err.Model = d.option, row.Name, request.Model
			return err
		}
	}
	return nil
}

// demands lists what a request needs of its model.
func demands(r *llm.Request) []demand {
	if r.Op == llm.OpEmbed {
		return []demand{{"embeddings", "input", "embeddings"}}
	}
	found := []demand{{"chat", "messages", "chats"}}
	for _, d := range []struct {
		asked bool
		demand
	}{
		{len(r.Tools) > 0, demand{"tools", "tools", "tool calls"}},
		{r.ReasoningEffort != "" && r.ReasoningEffort != "none", demand{"reasoning", "reasoning_effort", "reasoning"}},
		{r.ReasoningBudget != nil && *r.ReasoningBudget > 0, demand{"reasoning", "reasoning_budget", "reasoning"}},
		{asksSchema(r), demand{"structured_output", "response_format", "answers by a JSON schema"}},
	} {
		if d.asked {
			found = append(found, d.demand)
		}
	}
	for i := range r.Messages {
		for _, part := range r.Messages[i].Parts {
			switch part.Type {
			case "image_url":
				found = append(found, demand{"images", "messages", "image input"})
			case "input_audio":
				found = append(found, demand{"audio", "messages", "audio input"})
			case "video_url":
				found = append(found, demand{"video", "messages", "video input"})
			case "file":
				found = append(found, demand{"files", "messages", "file input"})
			}
		}
	}
	return found
}

func asksSchema(r *llm.Request) bool {
	format, err := readFormat(r.ResponseFormat)
	return err == nil && format.kind == "json_schema"
}
