package llm

import "strings"

// OfFamily reports whether a model is of a family: its name is the family's, alone or with a date, a version or "latest"
// behind it. At least three digits make a date or a version: with fewer, the name may be that of another family, as gpt-4 and
// gpt-4-1 would be.
func OfFamily(model, family string) bool {
	rest, ok := strings.CutPrefix(model, family)
	if !ok || rest == "" || rest == "-latest" {
		return ok
	}
	if rest[0] != '-' && rest[0] != '@' || len(rest) < 4 {
		return false
	}
	return strings.Trim(rest[1:4], "0123456789") == ""
}
