package llm

import (
	"encoding/json"
	"strconv"
	"unicode/utf8"
)

// Writing by hand what every answer carries: encoding/json takes several times as long for it.

// AppendJSON writes the event's data as JSON.
func (e *Event) AppendJSON(out []byte) ([]byte, error) {
	switch data := e.Data.(type) {
	case *Start:
		return data.appendJSON(out), nil
	case *Usage:
		return data.appendJSON(out), nil
	case *Finish:
		if data.Warnings == nil && data.Retries == nil && data.Choices == nil {
			return data.appendJSON(out), nil
		}
	}
	text, err := json.Marshal(e.Data)
	return append(out, text...), err
}

func (s *Start) appendJSON(out []byte) []byte {
	o := objectWriter{out: append(out, '{')}
	o.text("id", s.ID)
	o.text("model", s.Model)
	o.text("provider", s.Provider)
	o.text("request_id", s.RequestID)
	o.texts("headers", s.Headers)
	o.text("deployment", s.Deployment)
	return append(o.out, '}')
}

func (u *Usage) appendJSON(out []byte) []byte {
	o := objectWriter{out: append(out, '{')}
	o.count("prompt_tokens", u.PromptTokens)
	o.count("completion_tokens", u.CompletionTokens)
	o.count("total_tokens", u.TotalTokens)
	o.count("cached_tokens", u.CachedTokens)
	o.count("cache_write_tokens", u.CacheWriteTokens)
	o.count("reasoning_tokens", u.ReasoningTokens)
	if u.Cost != nil {
		o.number("cost", *u.Cost)
	}
	return append(o.out, '}')
}

// appendJSON writes all but the lists, which hardly any answer has.
func (f *Finish) appendJSON(out []byte) []byte {
	o := objectWriter{out: append(out, '{')}
	o.text("finish_reason", f.FinishReason)
	o.text("raw_finish_reason", f.RawFinishReason)
	if f.Usage != nil {
		o.key("usage")
		o.out = f.Usage.appendJSON(o.out)
	}
	if f.CostUSD != nil {
		o.number("cost_usd", *f.CostUSD)
	}
	o.text("model", f.Model)
	o.text("requested_model", f.RequestedModel)
	o.text("id", f.ID)
	o.text("provider", f.Provider)
	o.text("deployment", f.Deployment)
	o.text("request_id", f.RequestID)
	if f.Created != 0 {
		o.number("created", f.Created)
	}
	o.text("system_fingerprint", f.Fingerprint)
	o.text("service_tier", f.ServiceTier)
	o.texts("headers", f.Headers)
	if f.Attempts != 0 {
		o.number("attempts", float64(f.Attempts))
	}
	return append(o.out, '}')
}

// objectWriter writes the members of an object, without those that are empty.
type objectWriter struct{ out []byte }

func (o *objectWriter) key(name string) {
	if o.out[len(o.out)-1] != '{' {
		o.out = append(o.out, ',')
	}
	o.out = append(append(append(o.out, '"'), name...), '"', ':')
}

func (o *objectWriter) text(name, value string) {
	if value != "" {
		o.key(name)
		o.out = AppendString(o.out, value)
	}
}

func (o *objectWriter) texts(name string, values map[string]string) {
	if len(values) == 0 {
		return
	}
	o.key(name)
	inner := objectWriter{out: append(o.out, '{')}
	for name, value := range values {
		if inner.out[len(inner.out)-1] != '{' {
			inner.out = append(inner.out, ',')
		}
		inner.out = append(AppendString(inner.out, name), ':')
		inner.out = AppendString(inner.out, value)
	}
	o.out = append(inner.out, '}')
}

func (o *objectWriter) count(name string, value *int64) {
	if value != nil {
		o.key(name)
		o.out = strconv.AppendInt(o.out, *value, 10)
	}
}

func (o *objectWriter) number(name string, value float64) {
	o.key(name)
	o.out = strconv.AppendFloat(o.out, value, 'f', -1, 64)
}

// AppendString writes a JSON string. What is not UTF-8 becomes U+FFFD.
func AppendString(out []byte, text string) []byte {
	const hex = "0123456789abcdef"
	out = append(out, '"')
	start := 0
	for i := 0; i < len(text); {
		c := text[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(text[i:])
			if r == utf8.RuneError && size == 1 {
				out = append(append(out, text[start:i]...), "\uFFFD"...)
				start = i + 1
			}
			i += size
			continue
		}
		if c >= 0x20 && c != '"' && c != '\\' {
			i++
			continue
		}
		out = append(out, text[start:i]...)
		switch c {
		case '"', '\\':
			out = append(out, '\\', c)
		case '\n':
			out = append(out, '\\', 'n')
		case '\r':
			out = append(out, '\\', 'r')
		case '\t':
			out = append(out, '\\', 't')
		default:
			out = append(out, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
		i++
		start = i
	}
	return append(append(out, text[start:]...), '"')
}
