package llm

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
)

// Deployment is one of the places that a client with several may ask: a client of its own, and what is asked of it.
type Deployment struct {
	Name        string   `json:"name,omitempty"`         // default: vendor/model
	Group       string   `json:"group,omitempty"`        // those of one group stand in for one another; default "default"
	Model       string   `json:"model,omitempty"`        // at the vendor
	Weight      *float64 `json:"weight,omitempty"`       // its share of the requests; default 1
	Order       int      `json:"order,omitempty"`        // lower ones are preferred
	RPM         int      `json:"rpm,omitempty"`          // requests that may begin in a minute; 0 for any number
	TPM         int64    `json:"tpm,omitempty"`          // tokens that they may have; 0 for any number
	MaxParallel int      `json:"max_parallel,omitempty"` // requests on their way at once; 0 for any number
	Defaults    Defaults `json:"defaults,omitzero"`      // of requests, see Request.Complete
	Config      `json:"-"`
}

// UnmarshalJSON reads the fields of both structs, as strictly as everything that a host writes.
func (d *Deployment) UnmarshalJSON(data []byte) error {
	type own Deployment // without this method
	type both struct {
		*own
		*Config
	}
	if err := DecodeStrict("a deployment", data, &both{(*own)(d), &d.Config}); err != nil {
		return err
	}
	return nil
}

// Routing says how a client with several deployments chooses among them.
type Routing struct {
	Strategy        string     `json:"strategy,omitempty"`         // one of Strategies; default "shuffle"
	Cooldown        *float64   `json:"cooldown,omitempty"`         // seconds that a deployment rests that failed; default 30
	AllowedFailures *int       `json:"allowed_failures,omitempty"` // in a row, before it rests; default 2
	Fallbacks       [][]string `json:"fallbacks,omitempty"`        // groups or deployments: when the first fails, the next in order
	ContextWindow   [][]string `json:"context_window_fallbacks,omitempty"`
	ContentPolicy   [][]string `json:"content_policy_fallbacks,omitempty"`
	MaxWait         *float64   `json:"max_wait,omitempty"`    // seconds to wait for a deployment with room; default: up to the deadline
	RetryPause      *float64   `json:"retry_pause,omitempty"` // seconds that a retry at the same deployment waits at least; default 0
	HedgeAfter      *float64   `json:"hedge_after,omitempty"` // seconds without a first piece, after which a second deployment races the first
	Seed            *uint64    `json:"seed,omitempty"`        // of the chances that are drawn
}

// The strategies.
const (
	InOrder       = "in_order"
	Shuffle       = "shuffle"
	LeastBusy     = "least_busy"
	LowestLatency = "lowest_latency"
	LowestCost    = "lowest_cost"
	LowestUsage   = "lowest_usage"
)

// Strategies lists them.
func Strategies() []string {
	return []string{InOrder, Shuffle, LeastBusy, LowestLatency, LowestCost, LowestUsage}
}

// DefaultGroup is the group of deployments that name none.
const DefaultGroup = "default"

// checkRoute checks the deployments and completes their names and groups.
func (c *Config) checkRoute() *Error {
	if len(c.Deployments) == 0 {
		if c.Routing != nil {
			return Configuration("routing", "routing is for a client with deployments, which are not given; give them as well")
		}
		return nil
	}
	for _, alone := range []struct {
		name  string
		given bool
	}{
		{"provider", len(c.Provider) > 0}, {"base_url", c.BaseURL != ""}, {"api_key", c.APIKey != ""},
		{"extra_headers", len(c.ExtraHeaders) > 0}, {"max_retries", c.MaxRetries != nil}, {"retry_backoff", c.RetryBackoff != nil},
		{"retry_factor", c.RetryFactor != nil}, {"throttle", c.Throttle != nil}, {"prices", len(c.Prices) > 0},
		{"limits", c.Limits != Limits{}}, {"network", !reflect.ValueOf(c.Network).IsZero()}, {"azure", c.Azure != Azure{}},
		{"timeouts.request", c.Timeouts.Request != nil}, {"timeouts.connect", c.Timeouts.Connect != nil},
		{"timeouts.first_token", c.Timeouts.FirstToken != nil}, {"timeouts.idle", c.Timeouts.Idle != nil},
		{"extra_api_keys", len(c.ExtraAPIKeys) > 0},
	} {
		if alone.given {
			return Configuration(alone.name, "%s belongs to a deployment; give it in deployments", alone.name)
		}
	}
	for i := range c.Deployments {
		if err := c.Deployments[i].check(); err != nil {
			err.Param = fmt.Sprintf("deployments[%d].%s", i, err.Param)
			err.Message = fmt.Sprintf("deployments[%d]: %s", i, err.Message)
			return err
		}
	}
	if err := c.nameDeployments(); err != nil {
		return err
	}
	if c.Routing == nil {
		c.Routing = new(Routing)
	}
	return c.Routing.check(c.Deployments)
}

func (d *Deployment) check() *Error {
	switch {
	case len(d.Deployments) > 0:
		return Configuration("deployments", "a deployment cannot have deployments; put them all into one list")
	case d.Model == "":
		return Configuration("model", "model is missing; give the name of the model at the vendor")
	case d.Weight != nil && !(*d.Weight >= 0 && *d.Weight <= 1e9):
		return Configuration("weight", "weight must be a number from 0 to 1e9, got %g", *d.Weight)
	case d.RPM < 0:
		return Configuration("rpm", "rpm must be 0 (no limit) or more requests, got %d", d.RPM)
	case d.TPM < 0:
		return Configuration("tpm", "tpm must be 0 (no limit) or more tokens, got %d", d.TPM)
	case d.MaxParallel < 0:
		return Configuration("max_parallel", "max_parallel must be 0 (no limit) or more requests, got %d", d.MaxParallel)
	}
	if err := d.Defaults.check(); err != nil {
		return err
	}
	return d.Config.check()
}

// nameDeployments gives a name to those that have none, and a group; a name may be that of a group only where both are the same.
func (c *Config) nameDeployments() *Error {
	seen := map[string]bool{}
	for i := range c.Deployments {
		d := &c.Deployments[i]
		if d.Group == "" {
			d.Group = DefaultGroup
		}
		if d.Name != "" {
			if seen[d.Name] {
				return Configuration(fmt.Sprintf("deployments[%d].name", i), "two deployments have the name %q; to let them stand in "+
					"for one another, give both the same group", d.Name)
			}
			seen[d.Name] = true
		}
	}
	for i := range c.Deployments {
		d := &c.Deployments[i]
		for number := 1; d.Name == ""; number++ {
			name := d.vendor() + "/" + d.Model
			if number > 1 {
				name = fmt.Sprintf("%s#%d", name, number)
			}
			if !seen[name] {
				d.Name, seen[name] = name, true
			}
		}
	}
	for i := range c.Deployments {
		name := c.Deployments[i].Name
		if members := Find(c.Deployments, name); len(members) != 1 || members[0] != i {
			return Configuration(fmt.Sprintf("deployments[%d].name", i), "%q is the name of a deployment and of a group; "+
				"give one of them another name", name)
		}
	}
	return nil
}

// vendor is the name of the deployment's row.
func (d *Deployment) vendor() string {
	var name string
	if json.Unmarshal(d.Provider, &name) == nil && name != "" {
		return name
	}
	var row struct {
		Name string `json:"name"`
	}
	if json.Unmarshal(d.Provider, &row) == nil && row.Name != "" {
		return row.Name
	}
	return "openrouter"
}

// Find gives the numbers of the deployments that a name means: those of a group, or the one of that name.
func Find(deployments []Deployment, name string) []int {
	var found []int
	for i := range deployments {
		if deployments[i].Group == name {
			found = append(found, i)
		}
	}
	if len(found) == 0 {
		if i := slices.IndexFunc(deployments, func(d Deployment) bool { return d.Name == name }); i >= 0 {
			found = []int{i}
		}
	}
	return found
}

func (r *Routing) check(deployments []Deployment) *Error {
	if r.Strategy == "" {
		r.Strategy = Shuffle
	}
	switch {
	case !slices.Contains(Strategies(), r.Strategy):
		return Configuration("routing.strategy", "routing.strategy must be one of %q, got %q", Strategies(), r.Strategy)
	case r.Cooldown != nil && !(*r.Cooldown >= 0):
		return Configuration("routing.cooldown", "routing.cooldown must be 0 (none) or more seconds, got %g", *r.Cooldown)
	case r.HedgeAfter != nil && !(*r.HedgeAfter > 0):
		return Configuration("routing.hedge_after", "routing.hedge_after must be more than 0 seconds, got %g", *r.HedgeAfter)
	case r.RetryPause != nil && !(*r.RetryPause >= 0):
		return Configuration("routing.retry_pause", "routing.retry_pause must be 0 or more seconds, got %g", *r.RetryPause)
	case r.MaxWait != nil && !(*r.MaxWait >= 0):
		return Configuration("routing.max_wait", "routing.max_wait must be 0 (refuse at once) or more seconds, got %g", *r.MaxWait)
	case r.AllowedFailures != nil && *r.AllowedFailures < 0:
		return Configuration("routing.allowed_failures", "routing.allowed_failures must be 0 or more, got %d", *r.AllowedFailures)
	}
	for _, lists := range []struct {
		name  string
		lists [][]string
	}{{"fallbacks", r.Fallbacks}, {"context_window_fallbacks", r.ContextWindow}, {"content_policy_fallbacks", r.ContentPolicy}} {
		for i, list := range lists.lists {
			field := fmt.Sprintf("routing.%s[%d]", lists.name, i)
			if len(list) < 2 {
				return Configuration(field, "%s must be a list of the one that fails and those that take its place, got %q", field, list)
			}
			for _, name := range list {
				if len(Find(deployments, name)) == 0 {
					return Configuration(field, "%s names %q, which is neither a group nor a deployment", field, name)
				}
			}
		}
	}
	return nil
}
