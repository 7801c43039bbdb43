"""What the tests for switching users share: a clean environment, and the scripted server where their vendor was."""

from __future__ import annotations

import http.client
import json
import os
from collections.abc import Iterator
from typing import Any

import pytest

from pyagent._fake import FakeServer

CORE = ("PYAGENT_LIBRARY", "PYAGENT_EXECUTABLE", "PYAGENT_TRANSPORT")


class Vendor:
    """The scripted server behind every preset's address. Without a script it says the user's message back."""

    def __init__(self, fake: FakeServer) -> None:
        self.address = fake.address
        self.url = fake.url

    def requests(self) -> list[dict[str, Any]]:
        connection = http.client.HTTPConnection(self.address, timeout=5)
        try:
            connection.request("GET", "/_fake/requests")
            return list(json.load(connection.getresponse()))
        finally:
            connection.close()

    def only(self) -> dict[str, Any]:
        (request,) = self.requests()
        return request


@pytest.fixture
def vendor(monkeypatch: pytest.MonkeyPatch) -> Iterator[Vendor]:
    for name in list(os.environ):
        settings = name.startswith("PYAGENT_") and name not in CORE
        if settings or name.upper().endswith("_PROXY"):
            monkeypatch.delenv(name)
    with FakeServer() as fake:
        for name in ("OPENROUTER", "OPENAI", "ANTHROPIC"):
            monkeypatch.setenv(f"{name}_API_KEY", f"key-of-{name.lower()}")
            monkeypatch.setenv(f"{name}_BASE_URL", fake.url)
        yield Vendor(fake)


@pytest.fixture
def deploy(vendor: Any) -> Any:
    """Makes a deployment: its id is the name of its model too, so that the server's log says who was asked."""

    def make(group: str, id: str, script: dict[str, Any] | None = None, **params: Any) -> dict[str, Any]:
        said = {"model": f"openai/{id}", "api_key": f"key-{id}", "api_base": vendor.url, **params}
        if script is not None:
            said["extra_body"] = {"fake": script}
        return {"model_name": group, "litellm_params": said, "model_info": {"id": id}}

    return make
