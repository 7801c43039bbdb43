"""Asks many prompts, some at a time: in order, and as the answers come with errors in their place."""

import time

from pyagent import Provider, PyAgentError

# The model inside pyagent, which takes 0.1 s for each answer. With a vendor: Provider.openai("gpt-4o-mini").
provider = Provider.echo()
slowly = {"fake": {"header_delay": 0.1}}

# In the order of the prompts. They may come from any iterable, and are read as there is room.
began = time.perf_counter()
questions = (f"Question {number}" for number in range(40))
answers = list(provider.map(questions, concurrency=20, extra_body=slowly))
print(f"{len(answers)} answers from {answers[0]!r} to {answers[-1]!r} in {time.perf_counter() - began:.1f} s")

# As they come, each with the number of its prompt. An error is a value, and the others go on.
prompts = ["How warm is it in Oslo?", "", 17, [{"role": "user", "content": "And in Rome?"}]]
for number, answer in sorted(dict(provider.map(prompts, ordered=False, return_exceptions=True)).items()):
    print(number, f"failed: {answer}" if isinstance(answer, PyAgentError) else repr(answer))

# Leaving the loop closes every connection that is open.
for answer in provider.map((f"Question {number}" for number in range(1_000_000)), extra_body=slowly):
    print("the first of a million:", repr(answer))
    break
