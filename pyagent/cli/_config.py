"""The command that tells a compiler where the header and the library are."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys

from pyagent._places import get_executable, get_include, get_library, get_pkgconfig

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace


def config(options: Namespace) -> int:
    """Prints what was asked for in one line, quoted for a shell; every place, a line each, if nothing was.

    Returns:
        1 if a library is asked for and there is none to link with.
    """
    if (options.libs or options.pkgconfig_dir) and not os.path.exists(get_library()):
        print(
            f"pyagent: there is no {get_library()} to link with; packages for musl hold an executable instead",
            file=sys.stderr,
        )
        return 1
    words = []
    if options.cflags:
        words.append(f"-I{get_include()}")
    if options.libs:
        folder = os.path.dirname(get_library())
        words += [f"-L{folder}", "-lpyagent"]
        if sys.platform != "win32":
            words.append(
                f"-Wl,-rpath,{folder}"
            )  # The program finds the library where it is; Windows has no such thing.
    if words:
        print(subprocess.list2cmdline(words) if sys.platform == "win32" else " ".join(map(shlex.quote, words)))
    elif options.pkgconfig_dir:
        print(get_pkgconfig())
    else:
        places = {"library": get_library(), "executable": get_executable()}
        print(f"include        {get_include()}\npkg-config     {get_pkgconfig()}")
        for name, path in places.items():  # a wheel holds one of the two
            print(f"{name:<14} {path if os.path.exists(path) else 'not there'}")
    return 0
