"""The command's entry: reads the arguments, runs one function per command, turns errors into exit codes."""

from __future__ import annotations

import argparse
import os
import sys

from pyagent._version import __version__
from pyagent.errors import ConfigurationError, PyAgentError, UnsupportedFeatureError

from . import _ask, _config, _doctor, _serve

_FAILED, _USAGE, _INTERRUPTED = 1, 2, 130


def main(arguments: list[str] | None = None) -> int:
    """Runs one command.

    Args:
        arguments: The words after `pyagent`; those of the process by default.

    Returns:
        The exit code: 0 done, 1 the request failed, 2 wrong usage, 130 Ctrl-C.
    """
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
        sys.stdout.flush()
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return _INTERRUPTED
    except (ConfigurationError, UnsupportedFeatureError) as error:
        print(f"pyagent: {_one_line(error)}", file=sys.stderr)
        return _USAGE
    except PyAgentError as error:
        print(f"pyagent: {type(error).__name__}: {_one_line(error)}", file=sys.stderr)
        return _FAILED
    except BrokenPipeError:  # the reader of a pipe has left, for example `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _FAILED
    return code


def _one_line(error: PyAgentError) -> str:
    return " ".join(str(error).split())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="pyagent", description="Ask language models from the command line.")
    parser.add_argument("--version", action="version", version=f"pyagent {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    demo = commands.add_parser("demo", help="stream an answer from the built-in model, without key or network")
    demo.set_defaults(run=_ask.demo)

    for name, run, text in (
        ("generate", _ask.generate, "ask a model and print its whole answer"),
        ("stream", _ask.stream, "ask a model and print its answer as it is written"),
    ):
        _add_question(commands.add_parser(name, help=text, description=text), run)

    fake = commands.add_parser("fake", help="run a scripted model server on 127.0.0.1 until Ctrl-C")
    fake.add_argument("--port", type=int, default=0, help="default: any free port")
    fake.add_argument("--script", metavar="JSON", help='how to answer, for example \'{"text": "Hi", "delay": 0.1}\'')
    fake.set_defaults(run=_serve.fake)

    config = commands.add_parser("config", help="show where header and library are, for compilers of other languages")
    config.add_argument("--cflags", action="store_true", help="print what a C compiler needs")
    config.add_argument("--libs", action="store_true", help="print what a linker needs")
    config.add_argument("--pkgconfig-dir", action="store_true", help="print the directory of pyagent.pc")
    config.set_defaults(run=_config.config)

    doctor = commands.add_parser("doctor", help="show what pyagent finds on this machine; never shows a key")
    doctor.set_defaults(run=_doctor.doctor)
    return parser


def _add_question(command: argparse.ArgumentParser, run: object) -> None:
    command.add_argument("prompt", help='the question; "-" reads it from standard input')
    command.add_argument("--model", required=True, help="the model's name at the provider")
    command.add_argument("--provider", default="openrouter", help="default: %(default)s")
    command.add_argument("--base-url", metavar="URL", help="another address of the provider")
    command.add_argument("--system", metavar="TEXT", help="the system prompt")
    command.add_argument("--temperature", type=float, metavar="NUMBER")
    command.add_argument("--max-tokens", type=int, metavar="NUMBER")
    command.add_argument("--json", action="store_true", help="print JSON: one event per line, or the whole response")
    command.set_defaults(run=run)
