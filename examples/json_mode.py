"""Asks for an answer in a given JSON shape, and reads it."""

import json

from pyagent import Provider

# The model inside pyagent answers what the script says. With a vendor leave `extra_body` out:
# provider = Provider.openai("gpt-4o-mini")
provider = Provider.echo()
script = {"text": '{"name": "Ada", "born": 1815}'}

schema = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "born": {"type": "integer"}},
    "required": ["name", "born"],
    "additionalProperties": False,
}
text = provider.generate_text(
    "Who wrote the first program? Name and year of birth.",
    response_format={"type": "json_schema", "json_schema": {"name": "person", "schema": schema, "strict": True}},
    extra_body={"fake": script},
)
person = json.loads(text)
print(f"{person['name']}, born {person['born']}")
