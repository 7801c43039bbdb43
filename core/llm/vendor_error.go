package llm

// VendorError is what a dialect found in a vendor's error answer, before anyone judged it. Providers parse, Judge decides.
type VendorError struct {
	Provider    string
	Model       string
	Status      int    // HTTP status of the answer; 200 for an error inside a successful answer
	Code        string // most telling machine-readable word; numbers as text
	Type        string
	Param       string
	Message     string // the vendor's own sentence
	RequestID   string
	RetryAfter  *float64 // seconds
	ShouldRetry *bool    // the vendor's explicit word on it
	Body        string   // raw error body, capped
}

func (e *VendorError) Error() string { return e.Message }
