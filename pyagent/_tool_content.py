"""What a model is told of a function's value: a text, parts of a message, or JSON."""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# The parts of pyagent.messages; each has its content under a key of the same name.
_PARTS = {"text", "image_url", "input_audio", "video_url", "file"}


def content_of(value: Any) -> str | list[dict[str, Any]]:
    """The content of a tool's message.

    Args:
        value: A text, which stays as it is; a part as `messages.image` makes it, or a list of texts and parts, at least
            one; or anything that has a form in JSON: also dataclasses, pydantic models, enums, dates, sets.

    Raises:
        TypeError, ValueError, RecursionError: It has no form in JSON.
    """
    if isinstance(value, str):
        return value
    if _is_part(value):
        return [value]
    if isinstance(value, (list, tuple)) and any(_is_part(item) for item in value):
        parts = [{"type": "text", "text": item} if isinstance(item, str) else item for item in value]
        if all(_is_part(part) for part in parts):
            return parts
    return json.dumps(value, ensure_ascii=False, allow_nan=False, default=_plain)


def _is_part(value: Any) -> bool:
    return isinstance(value, dict) and value.get("type") in _PARTS and value["type"] in value


def _plain(value: Any) -> Any:
    """The plain form of what JSON does not know."""
    for name, arguments in (("model_dump", {"mode": "json"}), ("to_dict", {}), ("isoformat", {})):
        method = getattr(value, name, None)
        if callable(method) and not isinstance(value, type):
            return method(**arguments)
    fields = getattr(value, "__dataclass_fields__", None) or getattr(value, "__struct_fields__", None)
    if fields and not isinstance(value, type):
        return {name: getattr(value, name) for name in fields}
    if isinstance(value, (set, frozenset)):
        return list(value)
    if hasattr(type(value), "__members__"):  # an Enum
        return value.value
    if type(value).__module__ in {"uuid", "decimal", "fractions", "pathlib", "ipaddress"}:
        return str(value)
    raise TypeError(f"a value of the type {type(value).__qualname__} has no form in JSON")
