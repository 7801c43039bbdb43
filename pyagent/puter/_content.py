"""What a user says to Puter: a text, images in whatever form they come, or parts made elsewhere."""

from __future__ import annotations

from pyagent import messages
from pyagent.errors import ConfigurationError

from .exceptions import PuterError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    Message = dict[str, Any]


class ContentError(PuterError, ValueError):
    """There is nothing to say, or an image is none: a ValueError too, as the Puter SDK documents."""


def asked(
    prompt: str | list[Message] | None, images: Any = None, content_parts: Sequence[dict[str, Any]] | None = None
) -> list[Message]:
    """The messages that a prompt adds to the conversation.

    Args:
        prompt: A text, or whole messages, such as the results of tools.
        images: One image or a list of them: a path, bytes, an open file, a URL, a data URL, a pair of bytes and media
            type, or a part that is ready.
        content_parts: The whole content in OpenAI's form, instead of both.
    """
    if isinstance(prompt, list):
        if images is not None or content_parts is not None:
            raise ContentError("prompt is a list of messages; images and content_parts belong into one of them.")
        return prompt
    if content_parts is not None:
        return [{"role": "user", "content": list(content_parts)}]
    parts: list[Any] = [] if prompt is None else [prompt]
    single = isinstance(images, (str, bytes, bytearray, tuple, dict))
    if single or hasattr(images, "read") or hasattr(images, "__fspath__"):
        images = [images]
    parts += [_image(image) for image in images or ()]
    if not parts:
        raise ContentError("There is nothing to say; give a prompt, images or content_parts.")
    try:
        return [messages.user(*parts)]
    except ConfigurationError as error:
        raise ContentError(str(error)) from error


def _image(image: Any) -> dict[str, Any]:
    if isinstance(image, dict):
        return image
    media_type = None
    if isinstance(image, tuple):
        image, media_type = image
    if hasattr(image, "read"):
        image = image.read()
    try:
        return messages.image(image, media_type=media_type)
    except ConfigurationError as error:
        raise ContentError(str(error)) from error
