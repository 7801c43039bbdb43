"""Nothing in the tree is unfinished: no marker words, no empty files, no long lines in the documents."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MADE = {"build", "dist", "node_modules", "__pycache__", "cases"}
SUFFIXES = {
    "",
    ".c",
    ".cfg",
    ".go",
    ".h",
    ".html",
    ".in",
    ".json",
    ".md",
    ".mjs",
    ".mod",
    ".py",
    ".sh",
    ".toml",
    ".txt",
    ".yml",
}

UNREAD = {"LICENSE", "pyagent-process"}

# Spelled with a class in each, so that this file does not hold the words itself.
WORDS = re.compile(r"T[O]DO|F[I]XME|(?-i:X[X]X)|H[A]CK|not [i]mplemented|for [n]ow\b", re.IGNORECASE)


def files() -> Iterator[Path]:
    for folder, folders, names in os.walk(ROOT):
        # Folders with a dot belong to tools; that of the continuous integration is the project's.
        folders[:] = [name for name in folders if name not in MADE and (name == ".ci" or not name.startswith("."))]
        folders[:] = [name for name in folders if not name.endswith(".egg-info")]
        yield from (Path(folder, name) for name in names if Path(name).suffix in SUFFIXES and name not in UNREAD)


def test_no_word_of_unfinished_work() -> None:
    looked = 0
    found = []
    for path in files():
        looked += 1
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if WORDS.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}")
    assert looked > 50
    assert found == []


def test_every_text_file_ends_with_one_newline() -> None:
    wrong = []
    for path in files():
        content = path.read_bytes()
        if content and (not content.endswith(b"\n") or content.endswith(b"\n\n") or b"\r" in content):
            wrong.append(str(path.relative_to(ROOT)))
    assert wrong == []
