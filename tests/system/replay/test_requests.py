"""Every request of tests/cases/requests as each vendor gets it, held against the vendor's own description."""

from __future__ import annotations

import functools
import json
from typing import Any

import pytest
from described import Description
from recorded import CASES

VENDORS: dict[str, Any] = json.loads((CASES / "vendors.json").read_text(encoding="utf-8"))
NAMES = sorted(path.stem for path in (CASES / "requests").glob("*.json"))
DESCRIBED = [name for name, vendor in VENDORS.items() if "spec" in vendor]

# What a description leaves out, and where the vendor has it instead.
UNDESCRIBED = {
    # It demands "detail", which has a default: https://platform.openai.com/docs/guides/images-vision
    ("openai-responses", "image-url"),
    ("anthropic", "file-id"),  # a beta: https://docs.claude.com/en/docs/build-with-claude/files
    # Vertex AI has most of Gemini's protocol, and beside it these, of which Gemini's own description knows nothing:
    # https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api
    ("vertex", "embed"), ("vertex", "embed-dimensions"), ("vertex", "embed-input-type"),
    # https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference
    ("vertex", "metadata"),
    # https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/count-tokens
    ("vertex", "token-count"),
}  # fmt: skip

describe = functools.lru_cache(None)(Description)


def golden(vendor: str, name: str) -> Any:
    return json.loads((CASES / vendor / "requests" / f"{name}.json").read_text(encoding="utf-8"))


def test_every_vendor_has_every_request() -> None:
    assert len(NAMES) >= 30
    assert {vendor: sorted(path.stem for path in (CASES / vendor / "requests").glob("*")) for vendor in VENDORS} == (
        dict.fromkeys(VENDORS, NAMES)
    )


@pytest.mark.parametrize("vendor", DESCRIBED)
def test_bodies_are_what_the_vendor_describes(vendor: str) -> None:
    description, wrong = describe(VENDORS[vendor]["spec"]), {}
    for name in NAMES:
        request = golden(vendor, name)
        if "body" not in request or name == "extra-body" or (vendor, name) in UNDESCRIBED:
            continue
        if complaints := description.complaints(request["path"].partition("?")[0], request["body"]):
            wrong[name] = complaints
    assert wrong == {}


def test_a_description_finds_what_is_wrong() -> None:
    body = golden("mistral", "tools")["body"]
    description = describe("mistral")
    assert description.complaints("/v1/chat/completions", body) == []
    assert description.complaints("/v1/chat/completions", {**body, "made_up": 1})
    assert description.complaints("/v1/chat/completions", {**body, "messages": [{"role": "user"}]})
    assert description.complaints("/v1/chat/completions", {**body, "temperature": "hot"})


@pytest.mark.parametrize("vendor", VENDORS)
def test_what_is_refused_is_named(vendor: str) -> None:
    for name in NAMES:
        error = golden(vendor, name).get("error")
        if error:
            assert error["kind"] in {"unsupported_feature", "configuration"}, (name, error)
            assert error["param"], (name, error)
            assert vendor in error["message"], (name, error)
