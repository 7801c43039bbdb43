"""The methods of Provider for coroutines that ask for something else than an answer.

Written by tools/twins.py from _operation_methods.py: change that file, then run `make fmt`."""

from __future__ import annotations

from ._results import Results
from ._whole import await_for

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ._inbox import AsyncCall
    from ._option_types import ToolLike
    from .embeddings import Embeddings
    from .models import ModelInfo
    from .options import Limits, Timeouts


class AsyncOperationMethods:
    """Vectors, lists of models, counts of tokens, logins: aembed, alist_models, acount_tokens and alogin."""

    __slots__ = ()

    if TYPE_CHECKING:

        def _astart(self, op: str, arguments: dict[str, Any]) -> AsyncCall: ...

    async def aembed(
        self,
        input: str | Sequence[Any],
        *,
        dimensions: int | None = None,
        input_type: str | None = None,
        user: str | None = None,
        allow_unsupported: bool = False,
        extra_body: dict[str, Any] | None = None,
        extra_headers: dict[str, str] | None = None,
        timeout: float | None = None,
        timeouts: Timeouts | None = None,
        limits: Limits | None = None,
        max_retries: int | None = None,
        tag: str | None = None,
        api_key: str | None = None,
        base_url: str | None = None,
        model: str | None = None,
    ) -> Embeddings:
        """Gives the vectors of one text or of many.

        Any number of texts will do: they are divided into as many requests as the vendor wants, a few of them side by
        side, and the vectors come in the order of the texts.

        Args:
            input: A text, or a list of texts. Some vendors take token ids or lists of content parts in place of a text.
            dimensions: How long the vectors are to be, for models that can shorten them.
            input_type: What the vectors are for, in the vendor's words.
            user: Your own id of the end user.
            allow_unsupported: Send what the model is known to lack, see `Provider.capabilities`.
            extra_body: Fields that only the vendor knows; they have the last word on the request body.
            extra_headers: Added to those of the Provider, winning over them.
            timeout: Seconds to wait for all of it.
            timeouts: The clocks one by one, instead of timeout.
            limits: What the answer to each request may weigh.
            max_retries: Attempts after the first, for each request.
            tag: Whom or what the cost is counted for, see `pyagent.costs`; not sent to the vendor.
            api_key: Instead of the Provider's.
            base_url: Instead of the Provider's.
            model: Instead of the Provider's.

        Returns:
            Embeddings: a sequence of vectors, which NumPy can share.

        Raises:
            ConfigurationError: An option is wrong; nothing was sent. A ValueError.
            UnsupportedFeatureError: The vendor has no embeddings or cannot honour an option. A ValueError.
            APIConnectionError: No answer. A ConnectionError; APITimeoutError is also a TimeoutError.
            APIStatusError: The vendor said no; its subclasses say why. A RuntimeError.
            ResponseParseError, LimitExceededError: The answer is not usable. RuntimeErrors.
        """
        return (await await_for(self._astart("embed", locals()), Results())).embeddings

    async def alist_models(
        self,
        *,
        extra_headers: dict[str, str] | None = None,
        timeout: float | None = None,
        timeouts: Timeouts | None = None,
        limits: Limits | None = None,
        max_retries: int | None = None,
        api_key: str | None = None,
        base_url: str | None = None,
    ) -> list[ModelInfo]:
        """Asks the vendor which models it offers, page by page until the last one.

        Args:
            extra_headers: Added to those of the Provider, winning over them.
            timeout: Seconds to wait for all of it.
            timeouts: The clocks one by one, instead of timeout.
            limits: What the answer to each request may weigh.
            max_retries: Attempts after the first, for each request.
            api_key: Instead of the Provider's.
            base_url: Instead of the Provider's.

        Returns:
            A list of ModelInfo.

        Raises:
            ConfigurationError: An option is wrong; nothing was sent. A ValueError.
            UnsupportedFeatureError: The vendor has no list of models. A ValueError.
            APIConnectionError: No answer. A ConnectionError; APITimeoutError is also a TimeoutError.
            APIStatusError: The vendor said no; its subclasses say why. A RuntimeError.
            ResponseParseError, LimitExceededError: The answer is not usable. RuntimeErrors.
        """
        return (await await_for(self._astart("models", locals()), Results())).models

    async def acount_tokens(
        self,
        prompt: str | None = None,
        *,
        system_prompt: str | None = None,
        messages: list[dict[str, Any]] | None = None,
        tools: Sequence[ToolLike] | None = None,
        tool_choice: str | dict[str, Any] | None = None,
        response_format: dict[str, Any] | None = None,
        reasoning_effort: str | None = None,
        reasoning_budget: int | None = None,
        allow_unsupported: bool = False,
        extra_body: dict[str, Any] | None = None,
        extra_headers: dict[str, str] | None = None,
        timeout: float | None = None,
        timeouts: Timeouts | None = None,
        limits: Limits | None = None,
        max_retries: int | None = None,
        api_key: str | None = None,
        base_url: str | None = None,
        model: str | None = None,
    ) -> int:
        """Asks the vendor how many tokens a request would have, without making it.

        Args:
            prompt: The user's message. Ignored when `messages` is given and not empty.
            system_prompt: Put before everything else as a system message.
            messages: The whole conversation as dicts with role and content.
            tools: What the model may call: functions, Tool objects, or dicts in OpenAI's form.
            tool_choice: "auto", "none", "required", or one tool in OpenAI's form.
            response_format: For example {"type": "json_object"}, or a JSON schema in OpenAI's form.
            reasoning_effort: How long to think: "low", "medium", "high", or the vendor's other words.
            reasoning_budget: How many tokens to think with; 0 for no thinking.
            allow_unsupported: Send what the model is known to lack, see `Provider.capabilities`.
            extra_body: Fields that only the vendor knows; they have the last word on the request body.
            extra_headers: Added to those of the Provider, winning over them.
            timeout: Seconds to wait for the answer.
            timeouts: The clocks one by one, instead of timeout.
            limits: What the answer may weigh.
            max_retries: Attempts after the first.
            api_key: Instead of the Provider's.
            base_url: Instead of the Provider's.
            model: Instead of the Provider's.

        Returns:
            The number of tokens of the prompt.

        Raises:
            ConfigurationError: An option is wrong; nothing was sent. A ValueError.
            UnsupportedFeatureError: The vendor counts no tokens or cannot honour an option. A ValueError.
            APIConnectionError: No answer. A ConnectionError; APITimeoutError is also a TimeoutError.
            APIStatusError: The vendor said no; its subclasses say why. A RuntimeError.
            ResponseParseError, LimitExceededError: The answer is not usable. RuntimeErrors.
        """
        return (await await_for(self._astart("count", locals()), Results())).tokens

    async def alogin(
        self,
        username: str,
        password: str,
        *,
        code: str | None = None,
        recovery_code: str | None = None,
        login_url: str | None = None,
        extra_headers: dict[str, str] | None = None,
        timeout: float | None = None,
        timeouts: Timeouts | None = None,
        limits: Limits | None = None,
        max_retries: int | None = None,
        base_url: str | None = None,
    ) -> str:
        """Exchanges a name and a password for a token, which is then the key. Only Puter has such a thing.

            token = await Provider.puter("claude-haiku-4-5", api_key="").alogin("me", "secret")
            provider = Provider.puter("claude-haiku-4-5", api_key=token)

        Args:
            username: The account's name, or its mail address.
            password: Sent to the vendor's own place only, and never shown.
            code: The one-time code, for accounts that are asked for one.
            recovery_code: In place of the one-time code.
            login_url: Where to log in, if that is not the vendor's own place.
            extra_headers: Added to those of the Provider, winning over them.
            timeout: Seconds to wait for the answer.
            timeouts: The clocks one by one, instead of timeout.
            limits: What the answer may weigh.
            max_retries: Attempts after the first.
            base_url: Instead of the Provider's.

        Returns:
            The token.

        Raises:
            ConfigurationError: An option is wrong; nothing was sent. A ValueError.
            UnsupportedFeatureError: The vendor has no login. A ValueError.
            AuthenticationError: The name, the password or the code is wrong, or a code is needed. A RuntimeError.
            APIConnectionError: No answer. A ConnectionError; APITimeoutError is also a TimeoutError.
            APIStatusError: The vendor said no; its subclasses say why. A RuntimeError.
            ResponseParseError, LimitExceededError: The answer is not usable. RuntimeErrors.
        """
        return (await await_for(self._astart("login", locals()), Results())).token
