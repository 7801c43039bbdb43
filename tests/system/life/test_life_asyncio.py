"""Event loops come and go: forks, threads, closed loops, Ctrl-C, and whole programs with every debugging aid on."""

from __future__ import annotations

import pytest

PRELUDE = """
import asyncio, gc
from pyagent import InternalError, StreamCancelledError

async def aask(text="hi", asking=provider):
    assert await asking.agenerate_text(text) == text
    assert "".join([piece async for piece in asking.astream_text(text)]) == text

async def first_piece(stream):
    piece = await stream.__anext__()
    assert piece == "a"
    return stream

"""

AFTER_A_LOOP = """
asyncio.run(aask())
kept = []
async def leave_open():
    kept.append(await first_piece(provider.astream("", **SLOW)))
asyncio.run(leave_open())
def child():
    async def old():
        for use in (lambda: kept[0].__anext__(), lambda: kept[0].result):
            try:
                await use()
            except InternalError as error:
                assert "before os.fork()" in error.message
            else:
                raise AssertionError
        await kept[0].aclose()
    for _ in range(2):
        asyncio.run(aask())
    asyncio.run(old())
    kept.clear()
    ask()
    fork(lambda: asyncio.run(aask()))
fork(child)
asyncio.run(aask())
print("done")
"""

# Children of a process whose loop runs: each starts a loop of its own, and the parent's streams arrive whole.
INSIDE_A_LOOP = """
async def read(stream):
    return len("".join([piece async for piece in stream]))
def child(stream, reading):
    def main():
        asyncio.events._set_running_loop(None)  # as multiprocessing does
        asyncio.run(aask())
        ask()
        async def old():
            for use in (lambda: stream.__anext__(), lambda: reading.__anext__()):
                try:
                    for _ in range(50):  # some pieces may have arrived before the fork
                        await use()
                except InternalError as error:
                    assert "before os.fork()" in error.message
                else:
                    raise AssertionError
        asyncio.run(old())
        gc.collect()
    return main
async def main():
    stream = await first_piece(provider.astream("", **SLOW))
    reading = await first_piece(provider.astream("", **SLOW))
    task = asyncio.ensure_future(read(reading))
    await asyncio.sleep(0)
    children = []
    for _ in range(3):
        children.append(start_fork(child(stream, reading)))
        await asyncio.sleep(0.01)
    assert await read(stream) == 49
    assert await task == 49
    for pid in children:
        wait_for(pid)
    await aask()
asyncio.run(main())
print("done")
"""

ONE_AFTER_ANOTHER = """
kept = []
async def leave_streams():
    await aask()
    await first_piece(provider.astream("", **ENDLESS))
    kept.append(await first_piece(provider.astream("", **ENDLESS)))
for turn in range(200):
    asyncio.run(leave_streams() if turn % 4 == 0 else provider.agenerate_text("hi"))
    if turn == 20:
        before = descriptors()
assert descriptors() <= before + 2, (before, descriptors())
assert len(kept) == 50
from pyagent import _loading
gc.collect()
kept[-1].cancel()
wait_until_closed()
assert _loading.runtime().inspect()["handles"]["inboxes"] <= 1
print("done")
"""

SIDE_BY_SIDE = """
def loops():
    for _ in range(10):
        asyncio.run(several())
async def several():
    await asyncio.gather(*[aask() for _ in range(5)])
    await asyncio.gather(*[asyncio.to_thread(ask) for _ in range(2)]) if hasattr(asyncio, "to_thread") else None
def plain():
    for _ in range(30):
        ask()
in_threads(*[loops] * 6, plain, plain)
gc.collect()
wait_until_closed()
print("done")
"""

LEFT_OPEN = """
import warnings
kept = []
async def main():
    loop = asyncio.get_running_loop()
    kept.append(await first_piece(provider.astream("", **ENDLESS)))
    kept.append(provider.astream("", **SILENT).events())
    kept.append(await first_piece(provider.astream("", **ENDLESS)))
    kept.append(loop.create_task(provider.agenerate_text("x", **fake(header_delay=60))))
    iterator = provider.astream("", **ENDLESS).__aiter__()
    await iterator.__anext__()
    kept.append(iterator)
    await asyncio.sleep(0.05)
asyncio.run(main())
HOW
asyncio.run(aask())
print("done")
"""

WAYS = {
    "kept": "",
    "dropped": "kept.clear(); gc.collect(); wait_until_closed()",
    "in-a-cycle": "kept.append(kept); del kept; gc.collect(); wait_until_closed()",
    "collected-elsewhere": "kept.append(kept); del kept; in_threads(gc.collect); wait_until_closed()",
    "dropped-elsewhere": "in_threads(kept.clear); gc.collect(); wait_until_closed()",
    "cancelled-elsewhere": "in_threads(kept[0].cancel, kept[2].cancel)",
}

# A loop that is closed without asyncio.run's tidying: tasks wait for ever in it, and are dropped with it.
ABANDONED = """
loop = asyncio.new_event_loop()
async def wait():
    async for _ in provider.astream("", **SILENT):
        pass
task = loop.create_task(wait())
task._log_destroy_pending = False
loop.run_until_complete(asyncio.sleep(0.1))
loop.close()
HOW
gc.collect()
asyncio.run(aask())
gc.collect()
wait_until_closed()
print("done")
"""

DROPPED_WHILE_THE_LOOP_RUNS = """
async def main():
    streams = [await first_piece(provider.astream("", **ENDLESS)) for _ in range(4)]
    iterators = [stream.__aiter__() for stream in streams]
    for iterator in iterators:
        await iterator.__anext__()
    cycle = [streams, iterators]
    cycle.append(cycle)
    del streams, iterators, cycle, iterator
    await asyncio.get_running_loop().run_in_executor(None, gc.collect)  # on another thread
    wait_until_closed()
    await aask()
asyncio.run(main())
print("done")
"""

CTRL_C = """
import signal
async def read(how):
    threading.Timer(0.1, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    if how == "stream":
        async for _ in provider.astream("", **SILENT):
            pass
    elif how == "whole":
        await provider.agenerate_text("x", **fake(header_delay=60))
    else:
        async for _ in provider.astream("", **fake(pieces=["ab"], repeat=10_000_000)):
            pass
# Before 3.11, Ctrl-C takes the next step of a task out of a busy loop now and then; asyncio.run waits for it for ever.
for how in ("stream", "whole", "busy")[:3 if sys.version_info >= (3, 11) else 2]:
    try:
        asyncio.run(read(how))
    except KeyboardInterrupt:
        pass
    else:
        raise AssertionError(how)
    gc.collect()
    wait_until_closed()
asyncio.run(aask())
print("done")
"""

AT_EXIT = """
import atexit
kept = []
loop = asyncio.new_event_loop()
async def main():
    kept.append(await first_piece(provider.astream("", **ENDLESS)))
    kept.append(provider.astream("", **ENDLESS).__aiter__())
    await kept[1].__anext__()
    await aask()
loop.run_until_complete(main())
atexit.register(lambda: asyncio.run(aask("last")))
atexit.register(loop.close)
print("done")
"""

IN_A_DAEMON_THREAD = """
async def main():
    await asyncio.gather(*[read() for _ in range(3)])
async def read():
    async for _ in provider.astream("", **ENDLESS):
        pass
threading.Thread(target=lambda: asyncio.run(main()), daemon=True).start()
time.sleep(0.3)
print("done")
"""

# Loops that cannot watch descriptors get a thread, which ends with them.
WITHOUT_READERS = """
class Plain(asyncio.SelectorEventLoop):
    def add_reader(self, *arguments):
        raise NotImplementedError
def run(main):
    loop = Plain()
    try:
        loop.run_until_complete(main)
    finally:
        loop.close()
Plain._make_self_pipe = lambda self: asyncio.SelectorEventLoop._make_self_pipe(self)
async def leave():
    await aask()
    return await first_piece(provider.astream("", **ENDLESS))
for turn in range(10):
    run(leave() if turn % 2 else aask())
gc.collect()
wait_until_closed()
asyncio.run(aask())
gc.collect()
deadline = time.monotonic() + 5
while threading.active_count() > 1:
    assert time.monotonic() < deadline, threading.enumerate()
    time.sleep(0.01)
print("done")
"""

PROGRAMS = {
    "after-a-loop": AFTER_A_LOOP,
    "inside-a-loop": INSIDE_A_LOOP,
    "one-after-another": ONE_AFTER_ANOTHER,
    "side-by-side": SIDE_BY_SIDE,
    **{f"left-open-{name}": LEFT_OPEN.replace("HOW", how) for name, how in WAYS.items()},
    "abandoned": ABANDONED.replace("HOW", ""),
    "abandoned-and-dropped": ABANDONED.replace("HOW", "del task, loop"),
    "abandoned-at-exit": ABANDONED.replace("HOW", "print('done'); sys.exit()"),
    "dropped-while-running": DROPPED_WHILE_THE_LOOP_RUNS,
    "ctrl-c": CTRL_C,
    "at-exit": AT_EXIT,
    "in-a-daemon-thread": IN_A_DAEMON_THREAD,
    "without-readers": WITHOUT_READERS,
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_asyncio(run, name):
    debug = {"PYTHONASYNCIODEBUG": "1"} if name not in {"one-after-another", "ctrl-c"} else {}
    run(PRELUDE + PROGRAMS[name], seconds=30, **debug)
