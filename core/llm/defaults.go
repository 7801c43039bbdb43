package llm

import "reflect"

// Defaults are fields of requests that a deployment gets where the request itself says nothing: what is asked of one vendor need
// not suit another.
type Defaults struct {
	request Request
	given   bool
}

// IsZero reports whether there are none.
func (d Defaults) IsZero() bool { return !d.given }

// UnmarshalJSON reads them as strictly as a request.
func (d *Defaults) UnmarshalJSON(data []byte) error {
	d.given = true
	if err := DecodeStrict("defaults", data, &d.request); err != nil {
		return err
	}
	return nil
}

// check refuses what no two requests have in common, and what is said elsewhere.
func (d *Defaults) check() *Error {
	r := &d.request
	for _, no := range []struct {
		name  string
		given bool
	}{
		{"op", r.Op != ""}, {"model", r.Model != ""}, {"messages", len(r.Messages) > 0}, {"input", len(r.Input) > 0},
		{"login", r.Login != nil}, {"fake", len(r.Fake) > 0}, {"reset", r.Reset}, {"window", r.Window != 0}, {"tag", r.Tag != ""},
		{"api_key", r.APIKey != ""}, {"base_url", r.BaseURL != ""}, {"max_retries", r.MaxRetries != nil},
		{"timeouts", r.Timeouts != Timeouts{}}, {"limits", r.Limits != Limits{}},
	} {
		if no.given {
			return Configuration("defaults."+no.name, "defaults has %s, which is no field that a deployment can complete in a request; "+
				"leave it out", no.name)
		}
	}
	if err := r.checkNumbers(); err != nil {
		err.Param = "defaults." + err.Param
		return err
	}
	return nil
}

// Complete gives the request what it has not said itself: fields that were not given, and keys of its objects.
func (r *Request) Complete(defaults Defaults) {
	if !defaults.given {
		return
	}
	if r.MaxTokens != nil || r.MaxCompletionTokens != nil { // two names of one thing
		defaults.request.MaxTokens, defaults.request.MaxCompletionTokens = nil, nil
	}
	own, others := reflect.ValueOf(r).Elem(), reflect.ValueOf(defaults.request)
	for i := range own.NumField() {
		field, other := own.Field(i), others.Field(i)
		switch {
		case !field.CanSet() || other.IsZero():
		case field.IsZero():
			field.Set(other)
		case field.Kind() == reflect.Map:
			joined := reflect.MakeMap(field.Type())
			for _, side := range []reflect.Value{other, field} {
				for entries := side.MapRange(); entries.Next(); {
					joined.SetMapIndex(entries.Key(), entries.Value())
				}
			}
			field.Set(joined)
		}
	}
}
