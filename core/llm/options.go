package llm

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// For returns the request as one vendor is to get it. Of the request's options those count that carry the first of the names,
// the vendor's own before its dialect's; they are fields of a request, and each counts where the request itself says nothing
// of the kind; their tools come after the request's own. When there are options but none for this vendor, a warning says so: who asks many vendors in turn wants that.
func (r *Request) For(names ...string) (*Request, []string, *Error) {
	if len(r.Options) == 0 {
		return r, nil, nil
	}
	for _, name := range names {
		if options, ok := r.Options[name]; ok {
			made, err := r.over(name, options)
			return made, nil, err
		}
	}
	made := *r
	made.Options = nil
	left := strings.Join(slices.Sorted(maps.Keys(r.Options)), ", ")
	return &made, []string{fmt.Sprintf("the options are for %s and were left out: %s was asked", left, names[0])}, nil
}

// over lays the request over options.
func (r *Request) over(name string, options json.RawMessage) (*Request, *Error) {
	made := new(Request)
	if err := DecodeStrict("options."+name, options, made); err != nil {
		return nil, err
	}
	tools, body, header := made.Tools, made.ExtraBody, made.ExtraHeaders
	ours, theirs := reflect.ValueOf(r).Elem(), reflect.ValueOf(made).Elem()
	for i := range ours.NumField() {
		if field := theirs.Field(i); field.CanSet() && !ours.Field(i).IsZero() {
			field.Set(ours.Field(i))
		}
	}
	if len(r.Tools) > 0 {
		made.Tools = slices.Concat(r.Tools, tools)
	}
	made.Options, made.merged = nil, map[string]bool{}
	made.ExtraBody = maps.Clone(r.ExtraBody)
	for key, value := range body {
		if _, given := made.ExtraBody[key]; !given {
			if made.ExtraBody == nil {
				made.ExtraBody = map[string]json.RawMessage{}
			}
			made.ExtraBody[key], made.merged[key] = value, true
		}
	}
	made.ExtraHeaders = maps.Clone(r.ExtraHeaders)
	for key, value := range header {
		if !hasHeader(made.ExtraHeaders, key) {
			if made.ExtraHeaders == nil {
				made.ExtraHeaders = map[string]string{}
			}
			made.ExtraHeaders[key] = value
		}
	}
	return made, made.check()
}

func hasHeader(header map[string]string, name string) bool {
	for other := range header {
		if strings.EqualFold(other, name) {
			return true
		}
	}
	return false
}

// Merges reports whether a key of ExtraBody came from options. Options know the one field that they are about, and so an object
// among them is merged into ours instead of taking its place.
func (r *Request) Merges(key string) bool { return r.merged[key] }
