"""PuterAI: a conversation with the models behind a Puter account."""

from __future__ import annotations

from pyagent.errors import AuthenticationError

from ._account import Account
from ._content import asked
from ._translated import translated
from .exceptions import PuterAPIError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence
    from typing import Any

    from pyagent import Response

    Message = dict[str, Any]

__all__ = ["PuterAI"]

_DEFAULT_DRIVER = "openai-completion"


class PuterAI(Account):
    """A conversation with the models behind a Puter account. It keeps the history and serves many threads and tasks.

    Args:
        username, password: Of the account. Default: PUTER_USERNAME and PUTER_PASSWORD. With them the client logs in by
            itself when it has no token, or when Puter does not take it any more.
        token: What an earlier login gave, in place of both. Default: PUTER_AUTH_TOKEN.
        settings: Settings of this client alone, in place of those of `config`; see PuterConfig.

    Attributes:
        chat_history: The messages so far. Both sides of a turn are added together, once the answer is complete.
        current_model: What is asked unless a call names another model.

    Raises:
        PuterError: There is no such setting, or its value is wrong.
    """

    def __init__(
        self, username: str | None = None, password: str | None = None, token: str | None = None, **settings: Any
    ) -> None:
        super().__init__(username, password, token, settings)
        self.chat_history: list[Message] = []
        self.current_model = "claude-opus-4"
        self._models: dict[str, str] | None = None

    def chat(
        self,
        prompt: str | list[Message] | None = None,
        model: str | None = None,
        *,
        images: Any = None,
        content_parts: Sequence[dict[str, Any]] | None = None,
        system_prompt: str | None = None,
        temperature: float | None = 0.7,
        max_tokens: int | None = 4096,
    ) -> str:
        """Says something and returns what the model answers.

        Args:
            prompt: A text, or whole messages.
            model: In place of `current_model`, for this turn.
            images: One image or a list of them: a path, bytes, an open file, a URL, a data URL, a pair of bytes and
                media type, or a part that is ready.
            content_parts: The whole content in OpenAI's form, in place of prompt and images.
            system_prompt: Put before the history; it does not become part of it.
            temperature: Randomness, 0 to 2; None leaves it to the model.
            max_tokens: The most tokens to generate; None leaves it to the model.

        Raises:
            PuterAuthError: There is no token and no way to get one, or Puter does not take it.
            PuterAPIError: The request failed, or the answer holds no text.
        """
        answer = self.respond(
            prompt, model, images=images, content_parts=content_parts, system_prompt=system_prompt,
            temperature=temperature, max_tokens=max_tokens,
        )  # fmt: skip
        return answer.text

    async def async_chat(
        self,
        prompt: str | list[Message] | None = None,
        model: str | None = None,
        *,
        images: Any = None,
        content_parts: Sequence[dict[str, Any]] | None = None,
        system_prompt: str | None = None,
        temperature: float | None = 0.7,
        max_tokens: int | None = 4096,
    ) -> str:
        """The twin of `chat` for coroutines."""
        answer = await self.async_respond(
            prompt, model, images=images, content_parts=content_parts, system_prompt=system_prompt,
            temperature=temperature, max_tokens=max_tokens,
        )  # fmt: skip
        return answer.text

    def respond(
        self,
        prompt: str | list[Message] | None = None,
        model: str | None = None,
        *,
        images: Any = None,
        content_parts: Sequence[dict[str, Any]] | None = None,
        system_prompt: str | None = None,
        tools: list[dict[str, Any]] | None = None,
        tool_choice: str | dict[str, Any] | None = None,
        temperature: float | None = 0.7,
        max_tokens: int | None = 4096,
    ) -> Response:
        """Says something and returns all that is known about the answer: text, reasoning, tool calls, usage.

        The results of tools are the next prompt: a list of `pyagent.messages.tool_result(call, ...)`.

        Args:
            tools: What the model may call, in OpenAI's form.
            tool_choice: "auto", "none", "required", or one tool in OpenAI's form.

        The other arguments and the errors are those of `chat`.
        """
        turn = asked(prompt, images, content_parts)
        options = self._options(
            turn, model, system_prompt,
            tools=tools, tool_choice=tool_choice, temperature=temperature, max_tokens=max_tokens,
        )  # fmt: skip
        with translated("AI chat error"):
            token = self._token or self._new_token(None)
            try:
                answer = self._provider().generate(api_key=token, **options)
            except AuthenticationError:
                if not self._can_log_in():
                    raise
                answer = self._provider().generate(api_key=self._new_token(token), **options)
        return self._keep(turn, answer)

    async def async_respond(
        self,
        prompt: str | list[Message] | None = None,
        model: str | None = None,
        *,
        images: Any = None,
        content_parts: Sequence[dict[str, Any]] | None = None,
        system_prompt: str | None = None,
        tools: list[dict[str, Any]] | None = None,
        tool_choice: str | dict[str, Any] | None = None,
        temperature: float | None = 0.7,
        max_tokens: int | None = 4096,
    ) -> Response:
        """The twin of `respond` for coroutines."""
        turn = asked(prompt, images, content_parts)
        options = self._options(
            turn, model, system_prompt,
            tools=tools, tool_choice=tool_choice, temperature=temperature, max_tokens=max_tokens,
        )  # fmt: skip
        with translated("AI chat error"):
            token = self._token or await self._anew_token(None)
            try:
                answer = await self._provider().agenerate(api_key=token, **options)
            except AuthenticationError:
                if not self._can_log_in():
                    raise
                answer = await self._provider().agenerate(api_key=await self._anew_token(token), **options)
        return self._keep(turn, answer)

    def stream(
        self,
        prompt: str | list[Message] | None = None,
        model: str | None = None,
        *,
        images: Any = None,
        content_parts: Sequence[dict[str, Any]] | None = None,
        system_prompt: str | None = None,
        temperature: float | None = 0.7,
        max_tokens: int | None = 4096,
    ) -> Iterator[str]:
        """Gives the answer piece by piece. The arguments and errors are those of `chat`.

        The history gets the turn when the answer is complete; leaving the loop early closes the connection.
        """
        turn = asked(prompt, images, content_parts)
        options = self._options(turn, model, system_prompt, temperature=temperature, max_tokens=max_tokens)
        return self._pieces(turn, options)

    def async_stream(
        self,
        prompt: str | list[Message] | None = None,
        model: str | None = None,
        *,
        images: Any = None,
        content_parts: Sequence[dict[str, Any]] | None = None,
        system_prompt: str | None = None,
        temperature: float | None = 0.7,
        max_tokens: int | None = 4096,
    ) -> AsyncIterator[str]:
        """The twin of `stream` for coroutines: an async iterator."""
        turn = asked(prompt, images, content_parts)
        options = self._options(turn, model, system_prompt, temperature=temperature, max_tokens=max_tokens)
        return self._apieces(turn, options)

    def clear_chat_history(self) -> None:
        """Forgets the conversation."""
        self.chat_history = []

    def set_model(self, model_name: str) -> bool:
        """Asks this model from now on, and says whether it is in Puter's list; if it is not, nothing changes."""
        if model_name not in self.available_models:
            return False
        self.current_model = model_name
        return True

    @property
    def available_models(self) -> dict[str, str]:
        """Puter's models, and the vendor behind each. The list is asked for once, when it is first needed.

        Raises:
            PuterAPIError: Puter did not give it.
        """
        if self._models is None:
            with translated("Model list error"):
                self._set_models(self._provider().list_models())
        assert self._models is not None
        return self._models

    @available_models.setter
    def available_models(self, models: dict[str, str]) -> None:
        self._models = models

    def get_available_models(self) -> list[str]:
        """The names of Puter's models."""
        return list(self.available_models)

    async def async_get_available_models(self) -> list[str]:
        """The twin of `get_available_models` for coroutines."""
        if self._models is None:
            with translated("Model list error"):
                self._set_models(await self._provider().alist_models())
        return list(self.available_models)

    def __repr__(self) -> str:
        return f"PuterAI(username={self._username!r}, current_model={self.current_model!r})"

    def _options(
        self, turn: list[Message], model: str | None, system_prompt: str | None, **options: Any
    ) -> dict[str, Any]:
        """What Provider's methods are given for a turn."""
        name = model if model is not None else self.current_model
        options.update(messages=[*self.chat_history, *turn], model=name, system_prompt=system_prompt)
        if self._setting("legacy_drivers"):
            options["extra_body"] = {"driver": self._get_driver_for_model(name), "testMode": False}
        return options

    def _get_driver_for_model(self, model_name: str) -> str:
        return self.available_models.get(model_name) or _DEFAULT_DRIVER

    def _keep(self, turn: list[Message], answer: Response) -> Response:
        """Adds a turn to the history, at once: other threads and tasks may add theirs."""
        if not answer.text.strip() and not answer.tool_calls:
            why = f"; it ended with {answer.finish_reason!r}" if answer.finish_reason else ""
            raise PuterAPIError(f"AI chat error: the answer holds no text{why}.")
        self.chat_history += [*turn, answer.choices[0].message]
        return answer

    def _pieces(self, turn: list[Message], options: dict[str, Any]) -> Iterator[str]:
        with translated("AI chat error"):
            token = self._token or self._new_token(None)
            stream = self._provider().stream(api_key=token, **options)
            try:
                yield from stream
            except AuthenticationError:  # it comes before the first piece
                if not self._can_log_in():
                    raise
                stream = self._provider().stream(api_key=self._new_token(token), **options)
                yield from stream
            answer = stream.result
        self._keep(turn, answer)

    async def _apieces(self, turn: list[Message], options: dict[str, Any]) -> AsyncIterator[str]:
        with translated("AI chat error"):
            token = self._token or await self._anew_token(None)
            for again in (True, False):
                async with self._provider().astream(api_key=token, **options) as stream:
                    try:
                        async for piece in stream:
                            yield piece
                    except AuthenticationError:
                        if not again or not self._can_log_in():
                            raise
                        token = await self._anew_token(token)
                    else:
                        answer = await stream.result
                        break
        self._keep(turn, answer)

    def _set_models(self, models: Any) -> None:
        self._models = {name: model.owner or "" for model in models for name in (model.id, *(model.aliases or ()))}
