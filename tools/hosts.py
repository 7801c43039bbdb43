"""Runs the bindings of other languages in hosts/, each against the scripted server, and says how each went.

A binding is a row of `HOSTS`: what it needs, which commands fetch and build it, how its two programs are run. `example`
is the program of the language's page, and prints what the page shows. `checks` makes the six checks that
docs/hosts/index.md lists; what only the server can know of them is asked and looked up here.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import re
import selectors
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pyagent
from pyagent._fake import FakeServer

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "hosts"
CHECKS = ["stream", "tools", "error", "cancel", "many", "handles"]
STAGES = ("fetch", "build")
MADE = {"build", "node_modules"}
SECONDS = 60  # for one program
MANY = 100
SOAK = 50


class Failure(Exception):
    """Why a binding did not pass, in words for whoever ran it."""


class Host(NamedTuple):
    """One language. Commands run in hosts/NAME; {build} is the folder for all that is made there."""

    title: str
    binding: tuple[str, ...]  # the files that a program takes over, at most 200 lines together
    needs: tuple[tuple[str, str], ...]  # commands that must succeed, and what brings them
    run: str  # {program} is `example` or `checks`
    fetch: tuple[str, ...] = ()  # what needs the network, done once
    build: tuple[str, ...] = ()
    quick: bool = True  # fetched and built in seconds, so that the test suite does it too


HOSTS = {
    "c": Host(
        title="C",
        binding=("pyagent_stream.h", "pyagent_stream.c"),
        needs=(
            ("cc --version", "apt-get install gcc libc6-dev"),
            ("cc -fsyntax-only -include cjson/cJSON.h -x c /dev/null", "apt-get install libcjson-dev"),
        ),
        build=tuple(
            f"cc -std=c11 -D_DEFAULT_SOURCE -O1 -g -Wall -Wextra -Werror {name}.c pyagent_stream.c {{flags}} -lcjson"
            f" -lpthread -o {{build}}/{name}"
            for name in ("example", "checks")
        ),
        run="{build}/{program}",
    ),
    "cpp": Host(
        title="C++",
        binding=("pyagent.hpp",),
        needs=(
            ("c++ --version", "apt-get install g++"),
            ("c++ -fsyntax-only -include nlohmann/json.hpp -x c++ /dev/null", "apt-get install nlohmann-json3-dev"),
        ),
        build=tuple(
            f"c++ -std=c++17 -Wall -Wextra -Wpedantic -Werror {name}.cpp {{flags}} -lpthread -o {{build}}/{name}"
            for name in ("example", "checks")
        ),
        run="{build}/{program}",
    ),
    "rust": Host(
        title="Rust",
        binding=("src/lib.rs",),
        needs=(("cargo --version", "rustup"),),
        fetch=("cargo fetch --quiet",),
        build=("cargo build --quiet --offline --target-dir {build} --examples",),
        run="{build}/debug/examples/{program}",
        quick=False,
    ),
    "node": Host(
        title="Node.js",
        binding=("pyagent.js",),
        needs=(
            (
                "node --eval 'process.exit(parseInt(process.version.slice(1)) < 20 ? 1 : 0)'",
                "apt-get install nodejs, 20 or newer",
            ),
            ("npm --version", "apt-get install npm"),
        ),
        fetch=("cp package.json {build}", "npm install --prefix {build} --no-audit --no-fund --no-package-lock"),
        build=("cp pyagent.js example.js checks.js {build}",),
        run="node --expose-gc {build}/{program}.js",
        quick=False,
    ),
    "java": Host(
        title="Java",
        binding=("pyagent/PyAgent.java",),
        needs=(
            ("javac --version", "apt-get install openjdk-17-jdk-headless"),
            ("mvn --version", "apt-get install maven"),
        ),
        fetch=("mvn --batch-mode --quiet dependency:copy-dependencies -DoutputDirectory={build}/jars",),
        build=(
            (
                "javac -Xlint:all,-classfile -Werror -encoding UTF-8 -cp {build}/jars/* -d {build}"
                " pyagent/PyAgent.java Example.java Checks.java"
            ),
        ),
        run="java -Xmx64m -cp {build}:{build}/jars/* {Program}",
        quick=False,
    ),
    "ruby": Host(
        title="Ruby",
        binding=("pyagent.rb",),
        needs=(("ruby -e 'exit RUBY_VERSION >= \"3.1\"' -r fiddle -r json", "apt-get install ruby, 3.1 or newer"),),
        run="ruby -W {program}.rb",
    ),
}


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(HOSTS)}; default: all")
    parser.add_argument("--quick", action="store_true", help="leave out what would take long to fetch and build")
    parser.add_argument("--soak", action="store_true", help=f"make `many` {SOAK} times, and show the memory")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in HOSTS]
    if unknown:
        parser.error(f"unknown host {unknown}; there are {', '.join(HOSTS)}")
    failed = 0
    for name in options.names or HOSTS:
        begun = time.monotonic()
        reason = why_not(name, options.quick)
        try:
            if not reason:
                test(name, SOAK if options.soak else 1)
            verdict = f"skipped: {reason}" if reason else f"passed in {time.monotonic() - begun:.1f} s"
        except (Failure, OSError) as failure:
            verdict = f"FAILED: {failure}"
            failed += 1
        print(f"{name:<6} {verdict}", flush=True)
    return 1 if failed else 0


def why_not(name: str, quick: bool) -> str:
    """What is missing; empty if the host can be tested."""
    host = HOSTS[name]
    if quick and not host.quick and any(stamp(name, stage) != state(name, stage) for stage in STAGES):
        return f"takes long to fetch and build; `make hosts` does it, or `.venv/bin/python tools/hosts.py {name}`"
    for command, remedy in host.needs:
        try:
            done = subprocess.run(shlex.split(command), check=False, capture_output=True, timeout=60)
        except FileNotFoundError:
            return f"{shlex.split(command)[0]} is not installed; `{remedy}` brings it"
        if done.returncode:
            return f"`{command}` fails; `{remedy}` may help"
    return ""


def test(name: str, times: int) -> None:
    """Fetches, builds and runs a host; what has not changed since is not fetched or built again.

    Raises:
        Failure: It did not do what it should.
    """
    (FOLDER / name / "build").mkdir(exist_ok=True)
    for stage in STAGES:
        if (wanted := state(name, stage)) != stamp(name, stage):
            for command in getattr(HOSTS[name], stage):
                call(name, command, 600)
            (FOLDER / name / "build" / stage).write_text(wanted, encoding="utf-8")
    with FakeServer() as server:
        said = call(name, HOSTS[name].run, SECONDS, program="example", server=server.url)
        if said != (promised := shown(name)):
            raise Failure(f"the example printed\n{said}\nand its page says\n{promised}")
        check(name, server, times)


def state(name: str, stage: str) -> str:
    """What a stage depends on: its commands, and the files that name packages or, for a build, all and the header."""
    suffixes = {".json", ".toml", ".xml"}
    found = sorted((FOLDER / name).rglob("*"))
    files = [path for path in found if not MADE & set(path.relative_to(FOLDER).parts) and path.is_file()]
    files = [path for path in files if path.suffix != ".lock"]
    read = [path for path in files if stage == "build" or path.suffix in suffixes]
    read += [Path(pyagent.get_include(), "pyagent.h")]
    return "\n".join([*getattr(HOSTS[name], stage), *(path.read_text(encoding="utf-8") for path in read)])


def stamp(name: str, stage: str) -> str:
    """The state that a stage was last done for."""
    path = FOLDER / name / "build" / stage
    return path.read_text(encoding="utf-8") if path.exists() else "never"


def words(name: str, command: str, program: str = "") -> list[str]:
    """A command in its words, with what stands in braces put in. {flags} is several words."""
    places = {
        "build": "build",
        "program": program,
        "Program": program.title(),
        "include": pyagent.get_include(),
        "library": pyagent.get_library(),
    }
    folder = os.path.dirname(pyagent.get_library())
    flags = [f"-I{pyagent.get_include()}", f"-L{folder}", "-lpyagent", f"-Wl,-rpath,{folder}"]
    split = [flags if word == "{flags}" else [word.format(**places)] for word in shlex.split(command)]
    return [word for part in split for word in part]


def environment(server: str = "", times: int = 1) -> dict[str, str]:
    """What every program is told; a proxy that nothing may use shows whether loopback is asked directly."""
    kept = {key: value for key, value in os.environ.items() if not key.endswith(("_API_KEY", "_BASE_URL"))}
    places = {"PYAGENT_LIBRARY": pyagent.get_library(), "PYAGENT_INCLUDE": pyagent.get_include()}
    return {**kept, **places, "PYAGENT_SERVER": server, "PYAGENT_TIMES": str(times)}


def call(name: str, command: str, seconds: float, program: str = "", server: str = "") -> str:
    """Runs a command to its end and returns what it printed."""
    line = words(name, command, program)
    settings: dict[str, Any] = {"cwd": FOLDER / name, "env": environment(server), "text": True, "encoding": "utf-8"}
    try:
        done = subprocess.run(
            line, check=False, stdin=subprocess.DEVNULL, stdout=-1, stderr=-1, timeout=seconds, **settings
        )
    except subprocess.TimeoutExpired:
        raise Failure(f"`{shlex.join(line)}` has not ended within {seconds} s") from None
    if done.returncode:
        raise Failure(f"`{shlex.join(line)}` ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def shown(name: str) -> str:
    """The output of the example as the page of the language shows it: its last block of text."""
    page = (ROOT / "docs" / "hosts" / f"{name}.md").read_text(encoding="utf-8")
    return re.findall(r"^```text\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)[-1]


def check(name: str, server: FakeServer, times: int) -> None:
    """Runs `checks`, answers what it asks about the server, and looks at what the server saw.

    More than once is for looking at the memory: it is printed when a tenth of the streams have ended, and after each
    further tenth.
    """
    ask(server, "DELETE")
    line = words(name, HOSTS[name].run, "checks")
    process = subprocess.Popen(
        line,
        cwd=FOLDER / name,
        env=environment(server.url, times),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    said: list[str] = []
    try:
        assert process.stdin
        for text in lines(process, time.monotonic() + SECONDS * times):
            said.append(text)
            if times > 1 and text == "ok many" and (done := said.count(text)) % (times // 10) == 0:
                print(f"{name:<6} {done * MANY:>5} streams, {resident(process.pid):.1f} MB", flush=True)
            if text.startswith("gone? "):
                answer = "yes\n" if is_gone(server, text[len("gone? ") :]) else "no\n"
                process.stdin.write(answer.encode())
                process.stdin.flush()
    finally:
        process.kill()
        process.communicate()
    told = "\n".join(said)
    if process.returncode:
        raise Failure(f"`{shlex.join(line)}` ended with {process.returncode}:\n{told}")
    passed = [text[len("ok ") :] for text in said if text.startswith("ok ")]
    if passed != (due := [check for check in CHECKS for _ in range(times if check == "many" else 1)]):
        raise Failure(f"the checks are to be {due}, passed were {passed}:\n{told}")
    if times == 1:
        look(list(ask(server, "GET")))


def resident(pid: int) -> float:
    """The resident memory of a process, in MB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1024


def lines(process: subprocess.Popen[bytes], deadline: float) -> Iterator[str]:
    """What a program prints, line by line until it ends."""
    assert process.stdout
    received = b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            if not selector.select(max(0, deadline - time.monotonic())):
                raise Failure(f"the checks have not ended within {SECONDS} s")
            piece = os.read(process.stdout.fileno(), 65536)
            received += piece
            *whole, received = received.split(b"\n")
            yield from (line.decode(errors="replace") for line in whole)
            if not piece:
                process.wait(10)
                return


def ask(server: FakeServer, method: str) -> Any:
    """The server's list of requests, or its removal."""
    connection = http.client.HTTPConnection(server.address, timeout=10)
    try:
        connection.request(method, "/_fake/requests")
        body = connection.getresponse().read()
        return json.loads(body) if body else None
    finally:
        connection.close()


def question(request: dict[str, Any]) -> str:
    """The first message of a request, by which the checks name theirs."""
    return str(request["body"]["messages"][0]["content"])


def is_gone(server: FakeServer, name: str) -> bool:
    """Whether the server sees within five seconds that the client of this request has left."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        if any(question(seen) == name and seen["state"] == "disconnected" for seen in ask(server, "GET")):
            return True
        time.sleep(0.01)
    return False


def look(requests: list[dict[str, Any]]) -> None:
    """Holds what the server saw against the checks."""
    results = [message for seen in requests for message in seen["body"]["messages"] if message["role"] == "tool"]
    if [(result["tool_call_id"], result["content"]) for result in results] != [("call_1", "7 degrees")]:
        raise Failure(f"tools: the server was to be told the result of the tool once, and saw {results}")
    for name in ("cancel", "left"):
        if not any(question(seen) == name and seen["state"] == "disconnected" for seen in requests):
            raise Failure(f"{name}: the server was not left in mid-stream")
    many = [seen for seen in requests if question(seen).startswith("many ")]
    if len(many) != MANY or max(seen["started"] for seen in many) > min(seen["ended"] for seen in many):
        raise Failure(f"many: of {len(many)} streams not {MANY} were open at once")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
