package provider

import (
	"bytes"
	"encoding/json"

	"pyagent/core/llm"
)

// detailMerger puts OpenRouter's reasoning_details together again. A stream carries them in fragments, but they must
// return whole: https://openrouter.ai/docs/use-cases/reasoning-tokens#preserving-reasoning-blocks
type detailMerger struct {
	items []*detailItem
}

type detailItem struct {
	kind, index, id string
	members         []llm.Member
	grown           map[string][]byte // text, summary and data, pieces joined
}

// add takes one fragment; whole items of a one-shot body are never joined.
func (m *detailMerger) add(raw json.RawMessage, whole bool) {
	item := readDetail(raw)
	if item == nil {
		return
	}
	if !whole {
		for i := len(m.items) - 1; i >= max(0, len(m.items)-maxParts); i-- {
			if m.items[i].continuedBy(item) {
				m.items[i].join(item)
				return
			}
			if item.index == "" {
				break // fragments without a number continue the last item or none
			}
		}
	}
	m.items = append(m.items, item)
}

func (m *detailMerger) flush(emit func(json.RawMessage)) {
	for _, item := range m.items {
		emit(item.encode())
	}
	m.items = nil
}

func readDetail(raw json.RawMessage) *detailItem {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	if opening, err := decoder.Token(); err != nil || opening != json.Delim('{') {
		return nil
	}
	item := &detailItem{grown: map[string][]byte{}}
	for decoder.More() {
		token, _ := decoder.Token() // valid: the chunk was decoded as a whole before
		key, _ := token.(string)
		var value json.RawMessage
		if decoder.Decode(&value) != nil {
			return nil
		}
		switch key {
		case "type":
			item.kind = llm.Unquote(value)
		case "index":
			item.index = string(value)
		case "id":
			item.id = llm.Unquote(value)
		case "text", "summary", "data":
			if quoted(value) {
				item.grown[key] = []byte(llm.Unquote(value))
			}
		}
		item.members = append(item.members, llm.Member{Key: key, Value: value})
	}
	return item
}

func (i *detailItem) continuedBy(next *detailItem) bool {
	if i.kind != next.kind || i.index != next.index {
		return false
	}
	if next.index == "" && next.kind == "reasoning.encrypted" {
		return false
	}
	return i.id == "" || next.id == "" || i.id == next.id
}

// join appends the growing texts and takes every other field's last value that is not null.
func (i *detailItem) join(next *detailItem) {
	for key, piece := range next.grown {
		i.grown[key] = append(i.grown[key], piece...)
	}
	for _, member := range next.members {
		if absent(member.Value) {
			continue
		}
		if at := i.find(member.Key); at >= 0 {
			i.members[at].Value = member.Value
		} else {
			i.members = append(i.members, member)
		}
	}
	if i.id == "" {
		i.id = next.id
	}
}

func (i *detailItem) find(key string) int {
	for at, member := range i.members {
		if member.Key == key {
			return at
		}
	}
	return -1
}

func (i *detailItem) encode() json.RawMessage {
	o := newObject(nil)
	for _, member := range i.members {
		if text, ok := i.grown[member.Key]; ok {
			o.text(member.Key, string(text))
		} else {
			o.raw(member.Key, member.Value)
		}
	}
	return o.end()
}
