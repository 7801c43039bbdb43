package engine

import (
	"cmp"
	"encoding/json"

	"pyagent/core/llm"
)

// gate holds an attempt's events back until the first visible one. What an attempt says before that (who answers, under which
// id) must not reach the host when the attempt fails and another one says something else. Opening the gate is the commit
// point: from then on the attempt is the answer.
type gate struct {
	sink  Sink
	watch *watchdog
	start llm.Start // completed by the decoder's own start event
	held  []llm.Event
	open  bool
	first func() // is told of the first visible event; nil for nobody

	images int // that the answer has
}

func (g *gate) emit(event llm.Event) {
	if event.Kind == llm.EventPart && isImage(event.Data) {
		g.images++
	}
	if g.open {
		if event.Kind.IsVisible() {
			g.watch.sawProgress = true
		}
		g.sink.Emit(event)
		return
	}
	if event.Kind == llm.EventStart {
		if begun, ok := event.Data.(*llm.Start); ok {
			g.start.ID, g.start.Model = cmp.Or(begun.ID, g.start.ID), cmp.Or(begun.Model, g.start.Model)
		}
		return
	}
	if !event.Kind.IsVisible() {
		g.held = append(g.held, event)
		return
	}
	g.release()
	g.open = true
	g.watch.commit()
	if g.first != nil {
		g.first()
	}
	g.sink.Emit(event)
}

// release lets go what was held, the start event first.
func (g *gate) release() {
	if g.open {
		return
	}
	g.sink.Emit(llm.Event{Kind: llm.EventStart, Data: &g.start})
	for _, event := range g.held {
		g.sink.Emit(event)
	}
	g.held = nil
}

// isImage reports whether a part of an answer is an image, which some vendors ask a price of its own for.
func isImage(part any) bool {
	raw, _ := part.(json.RawMessage)
	found := false
	llm.Members(raw, func(key, value []byte) {
		found = found || string(key) == "type" && string(value) == `"image_url"`
	})
	return found
}
