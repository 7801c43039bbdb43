"""A round trip with a tool, by hand: the model asks for a call, the program makes it, the model answers."""

from pyagent import Provider

# The model inside pyagent follows a script. With a vendor leave `script` and `extra_body` out:
# provider = Provider.openai("gpt-4o-mini")
provider = Provider.echo()
script = [{"tools": [{"name": "get_weather", "arguments": {"city": "Oslo"}}]}, {"text": "It is 7 °C in Oslo."}]

tools = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "The weather of a city",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        },
    }
]


def get_weather(city: str) -> str:
    return f"{city}: 7 °C, rain"


messages = [{"role": "user", "content": "How warm is it in Oslo?"}]
while True:
    response = provider.generate(messages=messages, tools=tools, extra_body={"fake": script.pop(0)})
    messages.append(response.message)
    if not response.tool_calls:
        break
    for call in response.tool_calls:
        print(f"the model calls {call.name}({call.arguments})")
        messages.append({"role": "tool", "tool_call_id": call.id, "content": get_weather(**call.parsed)})
print(response.text)
