// Package llm is the vocabulary of the core: what a request, an event, a count of tokens and an error are, and what an error
// means. Hosts, vendors' dialects and policies all speak of these things and of nothing behind them.
package llm
