"""Reads many streams at once, one thread each. Waiting holds no lock, so they do not slow one another down."""

import time
from concurrent.futures import ThreadPoolExecutor

from pyagent import Provider

# The model inside pyagent, which takes half a second for each answer. One Provider serves all threads, and any vendor:
# provider = Provider.openai("gpt-4o-mini")
provider = Provider.echo()
slowly = {"fake": {"pieces": ["tick "], "repeat": 10, "delay": 0.05}}


def read(number: int) -> int:
    return sum(1 for piece in provider.stream_text(f"Question {number}", extra_body=slowly))


began = time.perf_counter()
with ThreadPoolExecutor(20) as pool:
    pieces = sum(pool.map(read, range(20)))
print(f"20 streams, {pieces} pieces, {time.perf_counter() - began:.1f} s")
