"""Talks to a server of one's own, described by a few lines of JSON. Here the server is `pyagent fake` in a process."""

import json
import subprocess
import sys

from pyagent import Provider

# Any server that speaks OpenAI's chat protocol will do. Known ones have a name: Provider("qwen3", provider="vllm").
server = subprocess.Popen([sys.executable, "-m", "pyagent", "fake"], stdout=subprocess.PIPE, text=True)
try:
    address = server.stdout.readline().split()[2]  # Listening on http://127.0.0.1:PORT/v1 (Ctrl-C ends it)

    endpoint = json.loads(
        """{
            "name": "in-house",
            "key_env": ["IN_HOUSE_KEY"],
            "key_optional": true,
            "headers": {"X-Team": "search"},
            "rename": {"max_completion_tokens": "max_tokens"},
            "unsupported": ["top_k"]
        }"""
    )
    provider = Provider("our-model", provider=endpoint, base_url=address)
    print(provider)
    print(provider.generate_text("Hello from the house.", max_tokens=50))
finally:
    server.terminate()
    server.wait()
    server.stdout.close()
