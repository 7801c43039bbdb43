"""Asks for one whole answer: as plain text, and as a Response with everything that is known about it."""

from pyagent import Provider

# The model inside pyagent: no key, no network. A vendor's: Provider("openai/gpt-4o-mini") with OPENROUTER_API_KEY set.
provider = Provider.echo()

print(provider.generate_text("Just the text, please."))

response = provider.generate(
    "Everything, please.", system_prompt="Answer briefly.", temperature=0.2, max_tokens=100, timeout=30
)
print(response.text)
print(f"model {response.model}, id {response.id}, finished with {response.finish_reason!r}")
print(f"{response.prompt_tokens} + {response.completion_tokens} = {response.total_tokens} tokens")
