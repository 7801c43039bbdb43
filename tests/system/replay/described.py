"""Request bodies held against a vendor's own OpenAPI description, where a field that it does not list is wrong."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest

SPECS = Path(__file__).resolve().parents[2] / "cases" / "specs"


# Fields that vendors document in other places than in these descriptions: schema, field.
BEYOND = {
    # https://github.com/ollama/ollama/blob/main/docs/api.md and api/types.go
    "ollama": [
        ("ChatMessage", "thinking"), ("ChatMessage", "tool_name"), ("ChatMessage", "tool_call_id"), ("ToolCall", "id"),
    ],
    # https://openrouter.ai/docs/use-cases/reasoning-tokens, https://openrouter.ai/docs/api-reference/parameters
    "openrouter": [
        ("ChatRequest.reasoning", "max_tokens"), ("ChatRequest.reasoning", "enabled"),
        ("ChatRequest.reasoning", "exclude"), ("ChatRequest", "verbosity"),
    ],
}  # fmt: skip


class Description:
    """The schemas of one vendor's request bodies."""

    def __init__(self, vendor: str) -> None:
        # Older versions do not find what a discriminator names; newer ones are for Python 3.10 and later.
        oas: Any = pytest.importorskip("openapi_schema_validator", "0.9")
        spec = json.loads((SPECS / f"{vendor}.json").read_text(encoding="utf-8"))
        _loosen(spec)
        self._schemas: dict[str, Any] = spec["components"]["schemas"]
        for place, field in BEYOND.get(vendor, ()):
            name, _, inner = place.partition(".")
            schema = self._schemas[name]
            (schema["properties"][inner] if inner else schema)["properties"].setdefault(field, {})
        old = spec["openapi"].startswith("3.0")
        self._closing = "additionalProperties" if old else "unevaluatedProperties"
        open_ones = set(_composed(spec))
        for name, schema in self._schemas.items():
            self._close(schema, closed=name not in open_ones)
        validator = oas.OAS30Validator if old else oas.OAS31Validator
        self._requests = {
            re.compile(re.sub(r"\{\w+\}", "[^/]+", path) + "$"): validator(
                {**copy.deepcopy(schema), "components": spec["components"]}
            )
            for path, schema in spec["requests"].items()
        }

    def complaints(self, path: str, body: Any) -> list[str]:
        """What is wrong with a body that goes to a path, in the validator's words."""
        found = [validator for pattern, validator in self._requests.items() if pattern.search(path)]
        assert len(found) == 1, f"{len(found)} operations are described for {path}"
        return [
            f"{'.'.join(map(str, error.absolute_path))}: {error.message[:300]}"
            for top in found[0].iter_errors(body)
            for error in (top, *_leaves(top))
        ]

    def _close(self, schema: Any, closed: bool) -> None:
        """Forbids the properties that an object's schema does not list, unless another schema adds to it."""
        if isinstance(schema, list):
            for item in schema:
                self._close(item, closed)
            return
        if not isinstance(schema, dict):
            return
        for key, value in schema.items():
            if key in {"properties", "patternProperties", "$defs"}:
                for inner in value.values():
                    self._close(inner, True)
            elif key in {"items", "prefixItems", "anyOf", "oneOf", "allOf"}:
                beside = isinstance(schema.get("properties"), dict) and key.endswith("Of")
                self._close(value, closed=key != "allOf" and not beside and (closed or key == "items"))
        lists = "properties" in schema or (self._closing == "unevaluatedProperties" and "allOf" in schema)
        if closed and lists and not {"additionalProperties", "unevaluatedProperties"} & schema.keys():
            schema[self._closing] = False


def _loosen(schema: Any) -> None:
    """Makes anyOf of oneOf: in these descriptions one body may fit several alternatives, and is right."""
    for value in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        _loosen(value)
    if isinstance(schema, dict) and isinstance(schema.get("oneOf"), list) and "anyOf" not in schema:
        schema["anyOf"] = schema.pop("oneOf")


def _composed(schema: Any, inside: bool = False) -> list[str]:
    """The names of the schemas that another one adds something to, by allOf."""
    if isinstance(schema, list):
        return [name for item in schema for name in _composed(item, inside)]
    if not isinstance(schema, dict):
        return []
    found = [schema["$ref"].rpartition("/")[2]] if inside and isinstance(schema.get("$ref"), str) else []
    for key, value in schema.items():
        adds = key == "allOf" and (len(value) > 1 or "properties" in schema)
        found += _composed(value, adds)
    return found


def _leaves(error: Any) -> list[Any]:
    """The errors inside an anyOf or oneOf that tell most: those deepest in the body."""
    inner = list(error.context or ())
    return [found for item in inner for found in (_leaves(item) or [item])]
