package llm

import "encoding/json"

// Config describes a client: where requests go and how patient it is. Every field has a useful zero value.
type Config struct {
	Provider     json.RawMessage   `json:"provider,omitempty"` // name of a registry row, or a row as an object
	BaseURL      string            `json:"base_url,omitempty"` // replaces the row's
	APIKey       string            `json:"api_key,omitempty"`
	ExtraAPIKeys []string          `json:"extra_api_keys,omitempty"` // take its place when a vendor rejects it or its limit is used up
	ExtraHeaders map[string]string `json:"extra_headers,omitempty"`
	Timeouts     Timeouts          `json:"timeouts,omitzero"`
	Limits       Limits            `json:"limits,omitzero"`
	MaxRetries   *int              `json:"max_retries,omitempty"`   // attempts after the first; default 2
	RetryBackoff *float64          `json:"retry_backoff,omitempty"` // seconds before the first retry, doubled each time; default 0.25
	RetryFactor  *float64          `json:"retry_factor,omitempty"`  // what the pause grows by each time; default 2
	Throttle     *Throttle         `json:"throttle,omitempty"`
	Budget       *Budget           `json:"budget,omitempty"`
	Prices       map[string]Price  `json:"prices,omitempty"` // of models, instead of those that are known
	Tag          string            `json:"tag,omitempty"`    // of requests that have none
	Network      Network           `json:"network,omitzero"`
	Azure        Azure             `json:"azure,omitzero"`
	Deployments  []Deployment      `json:"deployments,omitempty"` // instead of one vendor; then most fields are theirs
	Routing      *Routing          `json:"routing,omitempty"`     // among the deployments
}

// Timeouts are four clocks in seconds. A missing field takes the value of the layer below (call, client, default); 0 means
// that the clock never runs out. Request is the short form: it bounds the wait for the next thing, that is the whole answer
// of a one-shot call, and the first token and every pause of a stream.
type Timeouts struct {
	Request    *float64 `json:"request,omitempty"`
	Connect    *float64 `json:"connect,omitempty"`
	FirstToken *float64 `json:"first_token,omitempty"`
	Idle       *float64 `json:"idle,omitempty"`
	Total      *float64 `json:"total,omitempty"`
}

// Limits bound what an answer may weigh, in bytes, and how often it may send the request elsewhere. A missing field takes the
// default; there is no "unlimited".
type Limits struct {
	EventBytes  *int64 `json:"event_bytes,omitempty"`  // one event of a stream; default 64 MiB
	BodyBytes   *int64 `json:"body_bytes,omitempty"`   // a one-shot answer; default 256 MiB
	HeaderBytes *int64 `json:"header_bytes,omitempty"` // the header of a response; default 1 MiB; client only
	Redirects   *int64 `json:"redirects,omitempty"`    // redirects that are followed, within the origin; default 5
}

// Throttle bounds how much is asked of a vendor. All clients of the process that say the same share one account for each key
// and model (or key), and those of other processes where it says where.
type Throttle struct {
	Requests    int      `json:"requests,omitempty"`    // that may begin within a period; 0 for any number
	Tokens      int64    `json:"tokens,omitempty"`      // that the requests of a period may have; 0 for any number
	Concurrency int      `json:"concurrency,omitempty"` // requests on their way at once; 0 for any number
	Period      *float64 `json:"period,omitempty"`      // seconds; default 60
	MaxWait     *float64 `json:"max_wait,omitempty"`    // seconds that a request waits for its turn, 0 for none; default: up to its deadline
	Per         string   `json:"per,omitempty"`         // "model" (default): each model of a key has an account; "key": all have one
	Shared      string   `json:"shared,omitempty"`      // where processes keep accounts together: a directory, or redis://host:port/database

	IfUnreachable string `json:"if_unreachable,omitempty"` // "error" (default), or "local": then it bounds this process alone
}

func (t *Throttle) check() *Error {
	if t == nil {
		return nil
	}
	for _, count := range []struct {
		name  string
		value int64
	}{{"requests", int64(t.Requests)}, {"tokens", t.Tokens}, {"concurrency", int64(t.Concurrency)}} {
		if count.value < 0 {
			return Configuration("throttle."+count.name, "throttle.%s must be 0 (no limit) or more, got %d", count.name, count.value)
		}
	}
	if t.Period != nil && !(*t.Period > 0) {
		return Configuration("throttle.period", "throttle.period must be more than 0 seconds, got %g", *t.Period)
	}
	if t.MaxWait != nil && !(*t.MaxWait >= 0) {
		return Configuration("throttle.max_wait", "throttle.max_wait must be 0 (refuse at once) or more seconds, got %g", *t.MaxWait)
	}
	if t.Per != "" && t.Per != "model" && t.Per != "key" {
		return Configuration("throttle.per", `throttle.per must be "model" or "key", got %q`, t.Per)
	}
	if t.IfUnreachable != "" && t.IfUnreachable != "error" && t.IfUnreachable != "local" {
		return Configuration("throttle.if_unreachable", `throttle.if_unreachable must be "error" or "local", got %q`, t.IfUnreachable)
	}
	if t.IfUnreachable != "" && t.Shared == "" {
		return Configuration("throttle.shared", "throttle.if_unreachable says what happens without throttle.shared; give it too")
	}
	return nil
}

// Network says how to reach the vendor. Environment holds the proxy and certificate variables as the host sees them now,
// because a Go runtime inside another process only sees those of the moment it was loaded.
type Network struct {
	Proxy          string            `json:"proxy,omitempty"`
	CAFile         string            `json:"ca_file,omitempty"`
	ClientCert     []string          `json:"client_cert,omitempty"` // certificate file, key file
	HTTP2          bool              `json:"http2,omitempty"`
	MaxConnections int               `json:"max_connections,omitempty"`
	AllowHTTP      bool              `json:"allow_http,omitempty"`   // a key may go to a public address without encryption
	PostQuantum    *bool             `json:"post_quantum,omitempty"` // TLS with key exchange against quantum computers too; default true
	Environment    map[string]string `json:"environment,omitempty"`
}

// Azure addresses an Azure OpenAI deployment.
type Azure struct {
	APIVersion string `json:"api_version,omitempty"`
	Deployment string `json:"deployment,omitempty"` // default: the model name
}

// DecodeConfig reads a client's configuration.
func DecodeConfig(data []byte) (*Config, *Error) {
	config := new(Config)
	if len(data) == 0 {
		return config, nil
	}
	if err := DecodeStrict("the client configuration", data, config); err != nil {
		return nil, err
	}
	return config, config.check()
}

func (c *Config) check() *Error {
	if err := c.checkRoute(); err != nil {
		return err
	}
	if len(c.ExtraAPIKeys) > 0 && c.APIKey == "" {
		return Configuration("extra_api_keys", "extra_api_keys stand by for api_key, which is not given; give it as well")
	}
	if c.MaxRetries != nil && *c.MaxRetries < 0 {
		return Configuration("max_retries", "max_retries must be 0 or more, got %d", *c.MaxRetries)
	}
	if c.RetryBackoff != nil && *c.RetryBackoff < 0 {
		return Configuration("retry_backoff", "retry_backoff must be 0 or more seconds, got %g", *c.RetryBackoff)
	}
	if c.RetryFactor != nil && !(*c.RetryFactor >= 1) {
		return Configuration("retry_factor", "retry_factor must be 1 or more, got %g", *c.RetryFactor)
	}
	if n := len(c.Network.ClientCert); n != 0 && n != 2 {
		return Configuration("client_cert", "client_cert must be a certificate file and a key file, got %d names", n)
	}
	if c.Network.MaxConnections < 0 {
		return Configuration("max_connections", "max_connections must be 0 (no limit) or more, got %d", c.Network.MaxConnections)
	}
	if err := c.Timeouts.check(); err != nil {
		return err
	}
	if err := c.Throttle.check(); err != nil {
		return err
	}
	if err := c.Budget.check(); err != nil {
		return err
	}
	if err := checkPrices(c.Prices); err != nil {
		return err
	}
	return c.Limits.check()
}

func (t Timeouts) check() *Error {
	for _, clock := range []struct {
		name  string
		value *float64
	}{{"request", t.Request}, {"connect", t.Connect}, {"first_token", t.FirstToken}, {"idle", t.Idle}, {"total", t.Total}} {
		if clock.value != nil && (*clock.value < 0 || *clock.value != *clock.value) {
			return Configuration("timeouts."+clock.name, "timeouts.%s must be 0 (no limit) or more seconds, got %g", clock.name, *clock.value)
		}
	}
	return nil
}

func (l Limits) check() *Error {
	for _, limit := range []struct {
		name  string
		value *int64
	}{{"event_bytes", l.EventBytes}, {"body_bytes", l.BodyBytes}, {"header_bytes", l.HeaderBytes}} {
		if limit.value != nil && *limit.value <= 0 {
			return Configuration("limits."+limit.name, "limits.%s must be more than 0 bytes, got %d", limit.name, *limit.value)
		}
	}
	if l.Redirects != nil && *l.Redirects < 0 {
		return Configuration("limits.redirects", "limits.redirects must be 0 (none) or more, got %d", *l.Redirects)
	}
	return nil
}
