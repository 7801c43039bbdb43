"""Streams an answer to the terminal, piece by piece, and then prints what it cost in tokens."""

from pyagent import Provider

# The model inside pyagent: no key, no network. A vendor's: Provider.openai("gpt-4o-mini") with OPENAI_API_KEY set.
provider = Provider.echo()

stream = provider.stream("Streaming shows each piece as soon as it is there.")
for piece in stream:
    print(piece, end="", flush=True)
print()

usage = stream.result.usage
print(f"{usage.prompt_tokens} prompt tokens, {usage.completion_tokens} completion tokens")
