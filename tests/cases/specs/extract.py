"""Cuts the schemas of request bodies out of a vendor's OpenAPI description, as README.md beside this file says.

python extract.py FULL.json CUT.json /path/of/an/operation...
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

WORDS = {"description", "example", "examples", "title", "externalDocs", "deprecated", "readOnly", "writeOnly"}
MAPS = {"properties", "patternProperties", "schemas", "$defs", "mapping"}  # whose keys are names and not keywords


def without_words(schema: Any, names: bool = False) -> Any:
    """A schema without what only people read."""
    if isinstance(schema, list):
        return [without_words(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: value for key, value in schema.items() if names or key not in WORDS}
    return {key: without_words(value, not names and key in MAPS) for key, value in kept.items()}


def references(schema: Any) -> set[str]:
    """The names of the component schemas that a schema points to."""
    if isinstance(schema, list):
        return {name for item in schema for name in references(item)}
    if not isinstance(schema, dict):
        return set()
    found = {name for value in schema.values() for name in references(value)}
    target = schema.get("$ref")
    return found | {target.rpartition("/")[2]} if isinstance(target, str) else found


def main() -> None:
    source, target, *paths = sys.argv[1:]
    full = json.loads(Path(source).read_text(encoding="utf-8"))
    requests = {
        path: without_words(full["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"])
        for path in paths
    }
    schemas: dict[str, Any] = {}
    wanted = references(requests)
    while missing := wanted - schemas.keys():
        for name in missing:
            schemas[name] = without_words(full["components"]["schemas"][name])
            wanted |= references(schemas[name])
    cut = {"openapi": full["openapi"], "requests": requests, "components": {"schemas": dict(sorted(schemas.items()))}}
    Path(target).write_text(json.dumps(cut, separators=(",", ":"), ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
