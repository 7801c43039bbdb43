"""What a chunk of a stream costs through litellm or the drop-in: `litellm_cpu.py NAME URL CHUNKS` prints microseconds
of CPU time for each, everything counted that the process spends, and the seconds that the import took."""

from __future__ import annotations

import importlib
import os
import sys
import time
from typing import Any


def main() -> None:
    name, url, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    started = time.perf_counter()
    module: Any = importlib.import_module(name)
    imported = time.perf_counter() - started

    def read(chunks: int) -> int:
        script = {"pieces": ["one ", "two "], "repeat": chunks // 2, "per_write": 20}
        asked = {"api_base": url, "api_key": "k", "extra_body": {"fake": script}}
        stream = module.completion("openai/m", [{"role": "user", "content": "Hello"}], stream=True, **asked)
        return sum(bool(chunk.choices[0].delta.content) for chunk in stream)

    read(100)
    spent = time.process_time()
    seen = read(count)
    spent = time.process_time() - spent
    print(spent / seen * 1e6, imported)


if __name__ == "__main__":
    main()
