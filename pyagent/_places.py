"""Where the package keeps its core and its header: for the package itself, and for programs in other languages."""

from __future__ import annotations

import os
import sys

_PACKAGE = os.path.dirname(os.path.abspath(__file__))
_LIBRARY = "libpyagent.dll" if sys.platform == "win32" else "libpyagent.so"


def get_library() -> str:
    """The path of the shared library, for `dlopen` or a linker.

    Returns:
        The path that `PYAGENT_LIBRARY` names, otherwise that of the library in the package. Nothing is loaded, and
        whether there is a file is not looked at.
    """
    return os.environ.get("PYAGENT_LIBRARY") or os.path.join(_PACKAGE, _LIBRARY)


def get_executable() -> str:
    """The path of the executable that does the same as the library, for `PYAGENT_TRANSPORT=process`.

    Returns:
        The path that `PYAGENT_EXECUTABLE` names, otherwise that of the executable in the package. A wheel has either
        the library or the executable, and whether there is a file is not looked at.
    """
    return os.environ.get("PYAGENT_EXECUTABLE") or os.path.join(_PACKAGE, "pyagent-process")


def get_include() -> str:
    """The directory of the header `pyagent.h`, for a compiler's `-I`."""
    return os.path.join(_PACKAGE, "include")


def get_pkgconfig() -> str:
    """The directory of `pyagent.pc`, for `PKG_CONFIG_PATH`."""
    return os.path.join(_PACKAGE, "pkgconfig")
