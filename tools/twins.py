"""Writes the asyncio twins of methods of Provider, Client and Conversation, so that the two cannot drift apart.

python tools/twins.py [--check]

pyagent/_text_methods.py gives _async_text_methods.py, and so on. `make fmt` runs it, and a test sees to it that nobody
forgot.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent / "pyagent"
PROCESSORS = {"processor.py": "async_processor.py", "_callbacks.py": "_async_callbacks.py"}
NOTE = "Written by tools/twins.py from {name}: change that file, then run `make fmt`."

# What is written differently for coroutines: pattern and replacement, in order.
RULES = (
    (r"\bdef (generate\w*|embed|list_models|count_tokens|login|run_tools)\(", r"async def a\1("),
    (r"\bdef (stream\w*|map)\(", r"def a\1("),
    (r"\bgenerate_text and stream_text\b", "agenerate_text and astream_text"),
    (r"\bgenerate and stream\b", "agenerate and astream"),
    (r"\bembed, list_models, count_tokens and login\b", "aembed, alist_models, acount_tokens and alogin"),
    (r"(token = )(Provider.+?)\.login\(", r"\1await \2.alogin("),
    (r"\b(generate|stream)\(\)", r"a\1()"),
    (r'refuse_several\(n, "(\w+)"\)', r'refuse_several(n, "a\1")'),
    (r"\bwait_for_all\(self\._start\(", "await await_all(self._astart("),
    (r"\bwait_for_all\b", "await_all"),
    (r"return wait_for\((self\..+, Results\(\))\)", r"return (await await_for(\1))"),
    (r"= wait_for\((call, Results\(\))\)", r"= await await_for(\1)"),
    (r"\bwait_for\b", "await_for"),
    (r"\b_start\b", "_astart"),
    (r"\b_plan\b", "_aplan"),
    (r"(class |-> |return )(\w+Methods|(?:Object|Tool)?Stream|Answers)\b", r"\1Async\2"),
    (r"\bAn ObjectStream\b", "An AsyncObjectStream"),
    (r"import ObjectResult, ObjectStream\b", "import AsyncObjectStream, ObjectResult"),
    (r"import ObjectStream\b", "import AsyncObjectStream"),
    (r"\bgenerate_object and stream_object\b", "agenerate_object and astream_object"),
    (r"\bA (Tool)?Stream\b", r"An Async\1Stream"),
    (r"\brun_tools (and|does)\b", r"arun_tools \1"),
    (r"\band stream_tools\b", "and astream_tools"),
    (r"\bdef _run\(", "async def _run("),
    (r"\breturn (_run\()", r"return await \1"),
    (r"\breturn run_to_end\b", "return await arun_to_end"),
    (r"from \._tool_drive import run_to_end", "from ._async_tool_drive import arun_to_end"),
    (r"from \.tool_stream import ToolStream", "from .async_tool_stream import AsyncToolStream"),
    (
        r"in threads; coroutine functions each in an event loop of their\n        own\.",
        "coroutine functions as tasks, other functions in\n        threads.",
    ),
    (r"from \.stream import Stream", "from .async_stream import AsyncStream"),
    (r"from \.answers import Answers", "from .async_answers import AsyncAnswers"),
    (r" Answers: an iterator", " AsyncAnswers: an async iterator"),
    (r"\bout: map\b", "out: amap"),
    (r"Iterable\[Prompt\]", "Iterable[Prompt] | AsyncIterable[Prompt]"),
    (r"\bany iterable", "any iterable or async iterable"),
    (r"import Callable, Iterable\b", "import AsyncIterable, Callable, Iterable"),
    (r"from \._call import Call\b", "from ._inbox import AsyncCall"),
    (r"-> Call\b", "-> AsyncCall"),
    (r'"""The methods of (Provider|Client)', r'"""The methods of \1 for coroutines'),
)


# What is written differently in the files of stream processors, which speak of the stream that is read.
PROCESSOR_RULES = (
    (r"\bdef (run|collect|print|_call)\(", r"async def \1("),
    (r"(\w+ = |return |^ +)(self\.(?:_call|_processor\(\)\.run|on_text\(show\)\.run)\()", r"\1await \2"),
    (r"= stream\._fetch\(", "= await stream._fetch("),
    (r"refuse_coroutine\(task, result\)", "await result"),
    (r"Plan, refuse_coroutine", "Plan"),
    (r"\bStreamProcessor\b", "AsyncStreamProcessor"),
    (r"\bStream\b", "AsyncStream"),
    (r"\bCallbacks\b", "AsyncCallbacks"),
    (r"from \.(processor|stream|_callbacks) import", r"from .async_\1 import"),
    (r"\.async__", "._async_"),
    (r"\ba AsyncStream", "an AsyncStream"),
    (r"in the thread that runs", "in the task that runs"),
    (
        r"(Reads|reads) a stream to its end and calls functions on the way\.",
        r"\1 a stream to its end from a coroutine.",
    ),
    (r"\)\.run\(\)`\.", r").run()`, awaited."),
)

# What is written differently in the methods of Conversation, which wait before they ask, so that its streams do, too.
CONVERSATION_RULES = (
    (r"\bdef (generate|stream|run_tools|trim)(\w*)\(", r"async def a\1\2("),
    (r"\bdef _(ask|open|fit|shorten|count|sum_up)\(", r"async def _a\1("),
    (r"\bself\._(ask|open|fit|shorten|count|sum_up)\(", r"await self._a\1("),
    (r"\bprovider\.(generate|count_tokens|run_tools)\(", r"provider.a\1("),
    (r"(?<!`)\b((?:turn|self)\.provider\.a(?:generate|count_tokens|run_tools)\()", r"await \1"),
    (r"\bprovider\.stream(\w*)\(", r"provider.astream\1("),
    (r"\b(generate|stream|run_tools|trim)\(\)", r"a\1()"),
    (r"\bwhat (generate|generate_stateless|stream|run_tools) does", r"what a\1 does"),
    (r": generate and stream,", ": agenerate and astream,"),
    (r"`Provider\.(generate|stream|count_tokens|run_tools)`", r"`Provider.a\1`"),
    (r"\breturn told\(", "return await atold("),
    (r"\btold$", "atold"),
    (r"\bA (Tool)?Stream\b", r"An Async\1Stream"),
    (r"(-> )((?:Tool)?Stream)\b", r"\1Async\2"),
    (r"from \.(tool_)?stream import (Tool)?Stream", r"from .async_\1stream import Async\2Stream"),
    (r"class ConversationMethods", "class AsyncConversationMethods"),
    (r'"""The methods of Conversation', r'"""The methods of Conversation for coroutines'),
)
RULES_OF = {**dict.fromkeys(PROCESSORS, PROCESSOR_RULES), "_conversation_methods.py": CONVERSATION_RULES}


def twin(name: str) -> str:
    """The text of the twin of a file of the package."""
    text = (PACKAGE / name).read_text(encoding="utf-8")
    for pattern, replacement in RULES_OF.get(name, RULES):
        text = re.sub(pattern, replacement, text, flags=re.MULTILINE)
    first, _, rest = text.partition("\n")
    imports = re.compile(r"(?:^ *from \.\S+ import .+\n)+", re.MULTILINE)
    rest = imports.sub(lambda found: "".join(sorted(found.group().splitlines(keepends=True))), rest)
    return f'{first.removesuffix(chr(34) * 3)}\n\n{NOTE.format(name=name)}"""\n{rest}'


def outdated() -> list[Path]:
    """Twins that are not what `twin` makes."""
    return [path for name, path in pairs() if not path.exists() or path.read_text(encoding="utf-8") != twin(name)]


def pairs() -> list[tuple[str, Path]]:
    jobs = ("text", "response", "map", "operation", "object", "tool", "client", "conversation")
    names = [f"_{job}_methods.py" for job in jobs]
    named = {**{name: f"_async{name}" for name in names}, **PROCESSORS}
    return [(name, PACKAGE / path) for name, path in named.items()]


def main() -> int:
    if "--check" in sys.argv[1:]:
        for path in outdated():
            print(f"{path} is out of date: run `make fmt`")
        return bool(outdated())
    for name, path in pairs():
        path.write_text(twin(name), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
