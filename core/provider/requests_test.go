package provider

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pyagent/core/llm"
)

// The requests of tests/cases/requests, each as every vendor gets it, or the reason why it does not: golden files that can
// be read, and that the tests in Python hold against the vendors' own descriptions. go test ./core/provider -run
// TestRequests -update writes them anew.

// matrixVendor is what tests/cases/vendors.json says of a vendor: what stands for the words with a dollar sign.
type matrixVendor struct {
	Dialect     string
	Model       string
	BaseURL     string          `json:"base_url"` // of a vendor whose users have addresses of their own
	EmbedModel  string          `json:"embed_model"`
	InputType   string          `json:"input_type"`
	Details     json.RawMessage // reasoning_details of an answer
	CallDetails json.RawMessage `json:"call_details"` // of an answer that calls a tool, if they are others
	CallExtra   json.RawMessage `json:"call_extra"`   // what came with a tool call, as keys beside its function
}

// fill puts a vendor's words into a request.
func (v *matrixVendor) fill(name string, request []byte) []byte {
	quote := func(text string) string { return `"` + text + `"` }
	call := `{"id":"call_own001","type":"function","function":{"name":"now","arguments":"{}"}`
	if v.CallExtra != nil {
		call += "," + strings.TrimSuffix(strings.TrimPrefix(string(v.CallExtra), "{"), "}")
	}
	details := v.Details
	if v.CallDetails != nil && bytes.Contains(request, []byte(quote("$CALL"))) {
		details = v.CallDetails
	}
	return []byte(strings.NewReplacer(
		quote("$VENDOR"), quote(name), quote("$MODEL"), quote(v.Model), quote("$EMBED_MODEL"), quote(firstWord(v.EmbedModel, v.Model)),
		quote("$INPUT_TYPE"), quote(firstWord(v.InputType, "query")), quote("$DETAILS"), string(details),
		quote("$CALL"), call+"}", quote("$CALL_ID"), quote("call_own001"),
	).Replace(string(request)))
}

// golden is a request on the wire, or the refusal.
type golden struct {
	Method   string            `json:"method,omitempty"`
	Path     string            `json:"path,omitempty"`
	Headers  map[string]string `json:"headers,omitempty"`
	Body     json.RawMessage   `json:"body,omitempty"`
	Warnings []string          `json:"warnings,omitempty"`
	Error    *goldenError      `json:"error,omitempty"`
}

type goldenError struct {
	Kind    llm.Kind `json:"kind"`
	Param   string   `json:"param"`
	Message string   `json:"message"`
}

func TestRequests(t *testing.T) {
	requests, err := filepath.Glob(casesFolder + "/requests/*.json")
	if err != nil || len(requests) < 30 {
		t.Fatalf("found %d requests (%v)", len(requests), err)
	}
	var vendors map[string]*matrixVendor
	readJSON(t, casesFolder+"/vendors.json", &vendors)
	for _, name := range slices.Sorted(maps.Keys(vendors)) {
		t.Run(name, func(t *testing.T) {
			row, found := Lookup(name)
			if !found || row.Dialect != vendors[name].Dialect {
				t.Fatalf("no row %q of the dialect %q", name, vendors[name].Dialect)
			}
			for _, file := range requests {
				source, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				got := onTheWire(t, name, vendors[name].BaseURL, vendors[name].fill(name, source))
				checkGolden(t, filepath.Join(casesFolder, name, "requests", filepath.Base(file)), got)
			}
		})
	}
}

// onTheWire encodes a request, after the same checks as in the engine.
func onTheWire(t *testing.T, vendor, base string, request []byte) string {
	t.Helper()
	decoded, failure := llm.DecodeRequest(request)
	if failure != nil {
		t.Fatalf("%s: %s", request, failure)
	}
	call := testCall(t, vendor)
	call.BaseURL = firstWord(base, call.BaseURL)
	call.Request, call.Stream, call.ExtraHeaders = decoded, decoded.Op == llm.OpStream, decoded.ExtraHeaders
	call.Now = time.Unix(1_700_000_000, 0)
	var result golden
	encoded, warnings, failure := (*HTTPRequest)(nil), []string(nil), CheckModel(ModelsOf(vendor), call.Row, decoded)
	if failure == nil {
		encoded, warnings, failure = call.Row.Protocol().Encode(call)
	}
	if failure != nil {
		result.Error = &goldenError{failure.Kind, failure.Param, failure.Message}
	} else {
		address, err := url.Parse(encoded.URL)
		if err != nil {
			t.Fatal(err)
		}
		result = golden{encoded.Method, address.RequestURI(), encoded.Header, encoded.Body, warnings, nil}
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(result); err != nil {
		t.Fatalf("%s: %s", request, err)
	}
	return text.String()
}

// checkGolden compares a text with a golden file, line by line, or writes the file anew.
func checkGolden(t *testing.T, file, all string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(all), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	golden, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	got, want := strings.Split(all, "\n"), strings.Split(string(golden), "\n")
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			t.Errorf("line %d of %s differs, after %q:\n got %s\nwant %s", i+1, file, got[max(0, min(i, len(got))-1)],
				got[min(i, len(got)-1)], want[min(i, len(want)-1)])
			return
		}
	}
}
