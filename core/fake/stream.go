package fake

import "net/http"

const (
	eventStream = "text/event-stream; charset=utf-8"
	doneEvent   = "data: [DONE]\n\n"
)

// chat answers POST .../chat/completions.
func (s *Server) chat(out *output, script *Script, asked *question) error {
	answer, err := compose(script, asked, out.record.seen.ID)
	if err != nil {
		return out.refuse(http.StatusBadRequest, err.Error(), "")
	}
	if !asked.Stream {
		return out.document(script.status(), applicationJSON, answer.completion())
	}
	return out.stream(answer, asked.includesUsage())
}

// stream sends an answer as it is made: the role, the deltas, and the end that the script wants.
func (o *output) stream(a *answer, withUsage bool) error {
	chunks := newChunks(a, withUsage)
	deltas := newSequence(a, chunks)
	if err := o.begin(eventStream); err != nil {
		return err
	}
	role := `{"role":"assistant","content":"","refusal":null}`
	if deltas.length > 0 && len(a.text) == 0 && len(a.tools) > 0 {
		role = `{"role":"assistant","content":null,"refusal":null}`
	}
	if err := o.write(chunks.each(a.choices, role, "null")); err != nil {
		return err
	}
	if err := o.deltas(deltas); err != nil {
		return err
	}
	tail := chunks.each(a.choices, "{}", string(marshal(a.finish)))
	if withUsage && a.usage != nil {
		tail = append(tail, chunks.report(a.usage)...)
	}
	return o.end(tail, doneEvent)
}

// begin sends the header of a stream and waits for the first byte of the body.
func (o *output) begin(contentType string) error {
	if err := o.header(o.script.status(), contentType, -1); err != nil {
		return err
	}
	if o.script.FirstDelay == 0 {
		return nil
	}
	if err := o.write(nil); err != nil {
		return err
	}
	return o.pause(seconds(o.script.FirstDelay))
}

// deltas sends as many deltas as the script wants, at its pace.
func (o *output) deltas(all *sequence) error {
	count := all.length
	if o.script.After != nil {
		count = min(count, *o.script.After)
	}
	perWrite := int(optional(o.script.PerWrite, 1))
	var together []byte
	for sent := 0; sent < count; {
		if sent > 0 {
			if err := o.pause(seconds(o.script.Delay)); err != nil {
				return err
			}
		}
		together = together[:0]
		next := min(sent+perWrite, count)
		for i := sent; i < next; i++ {
			together = append(together, all.at(i)...)
		}
		if err := o.write(together); err != nil {
			return err
		}
		o.record.deltas.Add(int64(next - sent))
		sent = next
	}
	return nil
}

// end finishes a stream as the script wants. tail is its proper end, but for the terminal signal done.
func (o *output) end(tail []byte, done string) error {
	switch o.script.End {
	case EndNoDone:
		return o.writeLast(tail)
	case EndTruncate:
		return nil
	case EndCut:
		return errCut
	case EndReset:
		return errReset
	case EndStall:
		return o.stall(true)
	case EndOpen:
		if err := o.write(append(tail, done...)); err != nil {
			return err
		}
		return o.stall(true)
	case EndError:
		if o.lines {
			return o.writeLast(append(o.script.errorObject(), '\n'))
		}
		return o.writeLast([]byte("data: " + string(o.script.errorObject()) + "\n\n"))
	case EndGarbage:
		return o.writeLast([]byte(o.script.Garbage))
	}
	return o.writeLast(append(tail, done...))
}

// raw sends the script's own body, in the pieces that it wants. The ends that stop a stream stop this too, behind it.
func (o *output) raw(stream bool) error {
	contentType := applicationJSON
	if stream {
		contentType = eventStream
	}
	if err := o.begin(contentType); err != nil {
		return err
	}
	rest := *o.script.Raw
	for _, size := range o.script.Splits {
		if size >= len(rest) {
			break
		}
		if err := o.write([]byte(rest[:size])); err != nil {
			return err
		}
		if err := o.pause(seconds(o.script.Delay)); err != nil {
			return err
		}
		rest = rest[size:]
	}
	switch o.script.End {
	case "", EndDone, EndNoDone, EndTruncate:
		return o.writeLast([]byte(rest))
	}
	if err := o.write([]byte(rest)); err != nil {
		return err
	}
	if o.script.End == EndOpen {
		return o.stall(stream)
	}
	return o.end(nil, doneEvent)
}
