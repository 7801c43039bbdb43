"""The build backend: that of setuptools, which asks for Go and for a C compiler only where the machine has none."""

from __future__ import annotations

from typing import Any

import toolchain
from setuptools.build_meta import *  # noqa: F403
from setuptools.build_meta import get_requires_for_build_editable as _editable
from setuptools.build_meta import get_requires_for_build_wheel as _wheel


def get_requires_for_build_wheel(config_settings: Any = None) -> list[str]:
    return [*_wheel(config_settings), *toolchain.packages()]


def get_requires_for_build_editable(config_settings: Any = None) -> list[str]:
    return [*_editable(config_settings), *toolchain.packages()]
