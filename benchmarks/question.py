"""What every contestant asks, and what the server says. Imports nothing, because start-up is measured too."""

MODEL = "bench-1"
QUESTION = "How fast is this?"
ANSWER = "As fast as a loopback interface, and no faster than the client that reads from it."
MESSAGES = [{"role": "user", "content": QUESTION}]

# The deltas of a streamed answer, again and again.
WORDS = (
    *(" The", " answer", " to", " that", " is", " not", " at", " all"),
    *(" simple", ".", " First", ",", " a", " word", " on", " it"),
)


def characters(deltas: int) -> int:
    """How long the text of a streamed answer is: what a client says it read must agree."""
    whole, rest = divmod(deltas, len(WORDS))
    return whole * sum(map(len, WORDS)) + sum(map(len, WORDS[:rest]))


def conversation(messages: int) -> list[dict[str, str]]:
    """A long exchange, with the roles in turn."""
    line = "All work and no play makes a dull loopback. " * 3
    return [{"role": ("user", "assistant")[i % 2], "content": f"{i}: {line}"} for i in range(messages)]
