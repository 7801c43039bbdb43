// Package engine wires the parts together: a client's configuration, one call through policy, dialect and transport, and the
// events it gives. It is the only package that knows them all.
package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"pyagent/core/fake"
	"pyagent/core/guard"
	"pyagent/core/llm"
	"pyagent/core/policy"
	"pyagent/core/price"
	"pyagent/core/provider"
	"pyagent/core/transport"
)

// Engine holds what clients share: connections, and the model server inside this process.
type Engine struct {
	userAgent string
	throttles throttles
	budgets   budgets
	spent     tally              // by all clients
	prices    func() []price.Row // which are read when first asked for

	mu         sync.Mutex
	transports map[string]*sharedTransport // by their options
	local      *fake.Pipe                  // started when first asked for
	polls      bool                        // Go's network poller is there
}

// sharedTransport is a transport and the number of open clients that use it.
type sharedTransport struct {
	*transport.Transport
	options string
	clients int
}

// New makes an engine that names itself to vendors as userAgent.
func New(userAgent string) *Engine {
	return &Engine{userAgent: userAgent, transports: make(map[string]*sharedTransport), prices: sync.OnceValue(price.List)}
}

// Providers lists the registry, with what each vendor can be asked for.
func Providers() []provider.Listed { return provider.List() }

// Models lists what is known of models.
func Models() []provider.ModelRow { return provider.Models() }

// Client is one configuration and the connections it may use. It is safe for any number of calls at once.
type Client struct {
	engine    *Engine
	config    *llm.Config
	row       *provider.Row
	models    []provider.ModelRow // what is known of the vendor's models
	dialect   provider.Dialect
	transport *sharedTransport
	offers    func() []price.Offer // of the vendor's models
	budget    *budget              // nil for none
	spent     tally
	keys      *policy.Keys
	router    *router                    // of a client with deployments, which has none of the other parts
	parent    *Client                    // of a deployment
	limits    atomic.Pointer[seenLimits] // what the vendor said last of its rate limits
	addresses provider.Addresses
}

// Open checks a configuration and prepares a client; nothing is connected yet.
func (e *Engine) Open(config *llm.Config) (*Client, *llm.Error) {
	if len(config.Deployments) > 0 {
		return e.openRouter(config)
	}
	row, err := findRow(config.Provider)
	if err != nil {
		return nil, err
	}
	if config.BaseURL == "" && row.BaseURL == "" {
		return nil, llm.Configuration("base_url", "provider %q has no base URL of its own; give base_url", row.Name)
	}
	for i, key := range config.ExtraAPIKeys {
		name := fmt.Sprintf("extra_api_keys[%d]", i)
		if key == "" {
			return nil, llm.Configuration(name, "%s is empty; leave it out", name)
		}
		if err := provider.CheckKey(name, key); err != nil {
			return nil, err
		}
	}
	if err := e.throttles.open(config.Throttle); err != nil {
		return nil, err
	}
	shared, err := e.acquire(config, row.Local)
	if err != nil {
		return nil, err
	}
	return &Client{
		engine: e, config: config, row: row, models: provider.ModelsOf(row.Name), dialect: row.Protocol(), transport: shared,
		offers: sync.OnceValue(func() []price.Offer { return price.Offers(row.Name) }),
		budget: e.openBudget(config.Budget),
		keys:   policy.NewKeys(config.APIKey, config.ExtraAPIKeys),
	}, nil
}

// Close gives the client's share in its connections back.
func (c *Client) Close() {
	if c.router != nil {
		c.router.close()
		return
	}
	c.engine.release(c.transport)
}

// Describe says for an inspection where the client's requests go, and what they cost.
func (c *Client) Describe() map[string]any {
	if c.router != nil {
		return map[string]any{"provider": c.row.Name, "costs": c.spent.list(false), "deployments": c.router.describe()}
	}
	base := c.config.BaseURL
	if base == "" {
		base = c.row.BaseURL
	}
	said := map[string]any{"provider": c.row.Name, "base_url": llm.Redact(shown(base), c.secrets()...), "costs": c.spent.list(false)}
	if seen := c.limits.Load(); seen != nil {
		said["rate_limits"] = seen.describe(time.Now())
	}
	return said
}

// secrets are the client's keys.
func (c *Client) secrets() []string {
	return append([]string{c.config.APIKey}, c.config.ExtraAPIKeys...)
}

// findRow reads the provider option: the name of a row, a row as an object, or nothing.
func findRow(option json.RawMessage) (*provider.Row, *llm.Error) {
	if len(option) == 0 || string(option) == "null" {
		option = json.RawMessage(`"openrouter"`)
	}
	var name string
	if json.Unmarshal(option, &name) != nil {
		return provider.ParseRow(option)
	}
	row, ok := provider.Lookup(name)
	if !ok {
		return nil, provider.UnknownProvider(name)
	}
	return row, nil
}

func (e *Engine) acquire(config *llm.Config, local bool) (*sharedTransport, *llm.Error) {
	options := transport.Options{
		Network:     config.Network,
		HeaderBytes: policy.ResolveSizes(config.Limits, llm.Limits{}).Header,
	}
	text, failure := json.Marshal(struct {
		Network     llm.Network
		HeaderBytes int64
		Local       bool
	}{options.Network, options.HeaderBytes, local})
	if failure != nil {
		return nil, llm.Errorf(llm.KindInternal, "network options cannot be compared: %s", failure)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	shared, ok := e.transports[string(text)]
	if !ok {
		if local {
			options.Network = llm.Network{} // no proxy or certificate stands between this process and itself
			options.Dial = e.dialLocal
		}
		if err := e.makePoller(); err != nil {
			return nil, err
		}
		made, err := transport.New(options)
		if err != nil {
			return nil, err
		}
		shared = &sharedTransport{Transport: made, options: string(text)}
		e.transports[shared.options] = shared
	}
	shared.clients++
	return shared, nil
}

// makePoller is called with the lock held.
func (e *Engine) makePoller() *llm.Error {
	if e.polls {
		return nil
	}
	err := guard.MakePoller()
	e.polls = err == nil
	return err
}

func (e *Engine) release(shared *sharedTransport) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if shared.clients--; shared.clients == 0 {
		delete(e.transports, shared.options)
		shared.Close()
	}
}

// dialLocal connects to the scripted model server in this process, which starts with the first connection.
func (e *Engine) dialLocal(ctx context.Context, _, _ string) (net.Conn, error) {
	e.mu.Lock()
	if e.local == nil {
		pipe := fake.NewPipe()
		server := fake.New(fake.Options{})
		guard.Go(func() { _ = server.Serve(pipe) }, func(*llm.Error) { _ = pipe.Close() })
		e.local = pipe
	}
	pipe := e.local
	e.mu.Unlock()
	return pipe.Dial(ctx)
}
