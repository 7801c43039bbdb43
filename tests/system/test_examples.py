"""Every example in Python runs without a key and prints what it promises; tests/abi runs those in C."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"

# A piece of what each prints, as a pattern.
PROMISES = {
    "cancel.py": r"left the loop\nfirst piece: word \nclosed after '(word )+'\ncancelled by another thread\n",
    "conversation.py": r"Hello, Alice\.\nYour name is Alice\.\n6 messages, 3 turns\n"
    r"Back in another program: 6 messages\n",
    "errors.py": r"one two three\nslow down for 0 s; 2 attempts .*\n.*HTTP 404 \(model_not_found\): No such model\.\n"
    r"one two\nthe clock idle ran out\none two\ncut off after 'one two'\nnothing was sent: temperature .*\n",
    "generate.py": r"Just the text, please\.\nEverything, please\.\n"
    r"model echo, id .*, finished with 'stop'\n4 \+ 2 = 6 tokens\n",
    "json_mode.py": r"Ada, born 1815\n",
    "local_endpoint.py": r"Provider\(model='our-model', base_url='http://127.0.0.1:\d+/v1'\)\nHello from the house\.\n",
    "map.py": r"40 answers from 'Question 0' to 'Question 39' in [0-9]\.[0-9] s\n"
    r"0 'How warm is it in Oslo\?'\n1 ''\n2 failed: prompts\[2\] must be .*, got 17 \(int\)\.\n3 'And in Rome\?'\n"
    r"the first of a million: 'Question 0'\n",
    "stream.py": r"Streaming shows each piece as soon as it is there\.\n10 prompt tokens, 10 completion tokens\n",
    "threads.py": r"20 streams, 200 pieces, [0-9]\.[0-9] s\n",
    "tools.py": r"the model calls get_weather\(\{\"city\":\"Oslo\"\}\)\nIt is 7 °C in Oslo\.\n",
}


def environment() -> dict[str, str]:
    """Without any key, and with a proxy that nothing may use."""
    kept = {name: value for name, value in os.environ.items() if not name.endswith(("_API_KEY", "_BASE_URL"))}
    paths = os.pathsep.join(filter(None, [str(ROOT), kept.get("PYTHONPATH", "")]))
    return {**kept, "PYTHONPATH": paths, "HTTP_PROXY": "http://127.0.0.1:9", "PYTHONIOENCODING": "utf-8"}


def test_every_example_is_run() -> None:
    assert sorted(PROMISES) == sorted(path.name for path in EXAMPLES.glob("*.py"))


@pytest.mark.parametrize("name", PROMISES)
def test_python(name: str) -> None:
    command = [sys.executable, "-W", "error", EXAMPLES / name]
    done = subprocess.run(
        command, check=False, capture_output=True, encoding="utf-8", env=environment(), timeout=60, cwd=EXAMPLES
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert re.fullmatch(PROMISES[name], done.stdout), done.stdout
