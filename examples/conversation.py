"""A conversation: its history is kept, its streams are recorded, and it is saved and loaded."""

import tempfile
from pathlib import Path

from pyagent import Conversation, Provider, SessionConfig


def says(text: str) -> SessionConfig:
    """What the model inside pyagent answers; with a vendor leave it out."""
    return SessionConfig(extra_body={"fake": {"text": text}})


provider = Provider.echo()  # or Provider.openai("gpt-4o-mini")
talk = Conversation(provider, system="Be brief.", config=SessionConfig(temperature=0.2, max_history_turns=20))

print(talk.generate("My name is Alice.", config=says("Hello, Alice.")))
for piece in talk.stream("What is my name?", config=says("Your name is Alice.")):
    print(piece, end="", flush=True)
print()
talk.generate_with("another-model", "And what do you say?")  # another Provider would do as well
print(len(talk), "messages,", talk.turns, "turns")

with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "talk.json"
    talk.save(path)  # without keys
    print("Back in another program:", len(Conversation.load(path)), "messages")
