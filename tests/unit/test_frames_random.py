"""Frames at random: however a run of events is cut into frames and polls, a Response and its events are the same."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from pyagent import _frames
from pyagent._assembly import Assembly

# One event is (kind, index, text or object): deltas and JSON in any order, as the core may send them.
Happening = tuple[int, int, Any]
LETTERS = ["a", "é", "世", "🌍", "\n", '"', "\\", "\ud7ff", "\x7f", " "]


def make_events(chance: random.Random) -> list[Happening]:
    happened: list[Happening] = []
    for number in range(chance.randrange(60)):
        kind = chance.choice([1, 1, 1, 2, 3, 4, 17, 19, 20, 25, 9, 40])
        index = chance.choice([0, 0, 0, 1, 7])
        if kind < _frames.FIRST_JSON:
            text = "".join(chance.choices(LETTERS, k=chance.randrange(1, 9)))
            happened.append((kind, index, text + "\0" * (chance.random() < 0.05)))
        elif kind == _frames.TOOL_BEGIN:
            happened.append((kind, index, {"id": f"c{number}", "name": "f", "choice": index}))
        else:
            happened.append((kind, index, {"prompt_tokens": number} if kind == _frames.USAGE else {"n": number}))
    return [*happened, (_frames.FINISH, 0, {"finish_reason": "stop", "usage": {"completion_tokens": 5}})]


def frames_of(happened: list[Happening], chance: random.Random) -> list[bytes]:
    """The frames of these events, runs of deltas joined as the core may join them, or not."""
    frames: list[bytes] = []
    run: list[str] = []
    for place, (kind, index, value) in enumerate(happened):
        if kind >= _frames.FIRST_JSON:
            frames.append(frame(kind, index, json.dumps(value).encode()))
            continue
        run.append(value)
        following = happened[place + 1]
        joins = following[:2] == (kind, index) and "\0" not in value + str(following[2]) and chance.random() < 0.7
        if not joins:
            frames.append(frame(kind, index, "\0".join(run).encode(), _frames.MANY if len(run) > 1 else 0))
            run = []
    return frames


def frame(kind: int, index: int, payload: bytes, flags: int = 0) -> bytes:
    return _frames.HEADER.pack(len(payload), kind, flags, index, 7) + payload


def polls(frames: list[bytes], chance: random.Random) -> list[bytes]:
    """What the polls of a host deliver: some frames each, never a part of one."""
    delivered, rest = [], list(frames)
    while rest:
        count = chance.randrange(1, 6)
        delivered.append(b"".join(rest[:count]))
        rest = rest[count:]
    return delivered


@pytest.mark.parametrize("seed", range(8))
def test_cuts_change_nothing(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(150):
        happened = make_events(chance)
        expected = Assembly()
        for kind, index, value in happened:
            payload = value.encode() if isinstance(value, str) else json.dumps(value).encode()
            expected.add(frame(kind, index, payload))

        assembly, pieces = Assembly(), []
        for data in polls(frames_of(happened, chance), chance):
            pieces += assembly.add(data)
        assert pieces == [text for kind, index, text in happened if (kind, index) == (_frames.TEXT, 0)]
        assert assembly.text == "".join(pieces)
        assert assembly.response == expected.response

        parsed, seen = Assembly(), []
        for data in polls(frames_of(happened, chance), chance):
            for kind, index, value in parsed.add_and_parse(data):
                seen += [(kind, index, piece) for piece in value] if kind <= _frames.TOOL_ARGS else []
        assert seen == [event for event in happened if event[0] <= _frames.TOOL_ARGS]
        assert parsed.response == expected.response


@pytest.mark.parametrize("seed", range(4))
def test_splitting_is_the_inverse_of_joining(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(300):
        frames = [
            (
                chance.randrange(256),
                chance.randrange(256),
                chance.randrange(65536),
                chance.randbytes(chance.randrange(40)),
            )
            for _ in range(chance.randrange(20))
        ]
        data = b"".join(frame(kind, index, payload, flags) for kind, flags, index, payload in frames)
        assert _frames.split(data) == frames
