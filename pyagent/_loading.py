"""The core of this process: loaded on first use, and anew after a fork.

After `fork()` the child's Go runtime is dead: its threads stayed behind. The hook below marks it so, and the next use
loads a private copy. A handle knows its runtime: using one from before the fork is an error, closing it is nothing."""

from __future__ import annotations

import os

from . import _opening
from ._lib import LoadingError, Runtime
from ._places import get_executable, get_library
from .errors import ConfigurationError, InternalError

_runtime: Runtime | None = None
_forked = False  # whether a library was loaded in this process when it was forked off


def runtime() -> Runtime:
    """The core of this process. The first use loads or starts it, and so does the first one after its end."""
    current = _runtime
    while current is None or not current.alive:
        current = _replace()
    return current


def _replace() -> Runtime | None:
    """Loads a core in place of one that is not there, unless somebody else is faster."""
    global _runtime
    with _opening.lock:
        before = _runtime
        if before is not None and before.alive:
            return before
        made = _load()
        if _runtime is before:
            _runtime = made
        else:  # a signal handler was here in the meantime
            made.drop()
        return _runtime


def _load() -> Runtime:
    """The library; the executable, where PYAGENT_TRANSPORT says so or there is nothing else that works."""
    wanted = os.environ.get("PYAGENT_TRANSPORT", "")
    if wanted not in ("", "library", "process"):
        raise ConfigurationError(
            f"PYAGENT_TRANSPORT is {wanted!r}; set it to 'library' or 'process', or to nothing for the one that works.",
            param="PYAGENT_TRANSPORT",
        )
    if wanted == "process":
        return _start()
    try:
        return _load_library()
    except LoadingError as error:
        if wanted or os.environ.get("PYAGENT_LIBRARY") or not os.path.exists(get_executable()):
            raise
        if os.path.exists(get_library()):
            from warnings import warn

            warn(
                f"{error.message} Until then pyagent works through its executable, which takes longer for each "
                "request; PYAGENT_TRANSPORT=process chooses it without this warning.",
                RuntimeWarning,
                stacklevel=2,
            )
    return _start()


def _start() -> Runtime:
    from ._process import Process

    return Process(get_executable())


def _load_library() -> Runtime:
    where = get_library()
    if not os.path.exists(where):
        raise LoadingError(
            f"The library {where} does not exist. Install pyagent with pip, build it with `make build` in a checkout, "
            "or set PYAGENT_LIBRARY to its path."
        )
    os.close(os.open(os.devnull, os.O_RDONLY))  # where no descriptor is left, that is not the library's fault
    return _load_copy(where) if _forked else Runtime(where, where)


def _after_fork() -> None:
    global _runtime, _forked
    if _runtime is not None:
        _runtime.die()
        _forked = _forked or type(_runtime) is Runtime
        _runtime = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _load_copy(where: str) -> Runtime:
    """Loads the library from a file of its own: the dynamic linker would hand out the dead copy for the known file."""
    with open(where, "rb") as file:
        content = file.read()
    if hasattr(os, "memfd_create"):
        try:
            return _load_memory(where, content)
        except TimeoutError:  # of a signal handler
            raise
        except (OSError, InternalError):
            pass  # some systems forbid code in anonymous memory; a file may still do
    import tempfile

    with tempfile.NamedTemporaryFile(prefix="pyagent-", suffix=".so") as file:
        file.write(content)
        file.flush()
        try:
            return Runtime(where, file.name)
        except InternalError as error:
            raise LoadingError(
                "After os.fork() the child needs a copy of the library, and neither anonymous memory nor a file in "
                f"{tempfile.gettempdir()} can hold one: {error.message} Set TMPDIR to a directory that allows "
                "execution, or start worker processes with the method 'spawn'."
            ) from None


def _load_memory(where: str, content: bytes) -> Runtime:
    descriptor = os.memfd_create("pyagent")
    try:
        with open(descriptor, "wb", closefd=False) as file:
            file.write(content)
        # With the process id: equal names are one library to the linker, and a child's child has the same descriptor.
        return Runtime(where, f"/proc/{os.getpid()}/fd/{descriptor}")
    finally:
        os.close(descriptor)
