"""One object that is being asked for: which request comes next, and what an answer means. Nothing here waits."""

from __future__ import annotations

from . import _checks
from ._json_check import SchemaMismatch
from ._object_plan import MODES, Plan
from ._totals import total_cost, total_usage
from .errors import (
    BadRequestError,
    ObjectError,
    ObjectRefusedError,
    ObjectTruncatedError,
    ObjectValidationError,
    PyAgentError,
    UnprocessableEntityError,
    UnsupportedFeatureError,
)
from .objects import ObjectResult
from .response import Usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .response import Response

_OWN = {"self", "schema", "mode", "repairs"}
_PARAMETERS = {"response_format", "tools", "tool_choice"}
# What vendors say of a schema, or of a way to ask for one, that they do not take.
_WORDS = ("response_format", "json_schema", "schema", "output_config", "tool_choice", "structured output")

REPAIR = """\
This does not fit:
{errors}
Give the whole corrected JSON object, and nothing else."""


class ObjectJob:
    """The state of one `generate_object` or `stream_object`.

    A way of asking that the vendor cannot take leads to the next one; an answer that does not fit leads to a request
    with what is wrong with it, `repairs` times at most. Failures of the transport are neither: they have been retried
    before they get here, and go to the caller.
    """

    def __init__(self, arguments: dict[str, Any], *, repairs: int = 0) -> None:
        mode = arguments["mode"]
        if mode not in {"auto", *MODES}:
            raise _checks.wrong("mode", f"one of 'auto', {', '.join(map(repr, MODES))}", mode)
        self.repairs = _checks.count("repairs", repairs) or 0
        self.plan = Plan(arguments["schema"], mode)
        self._forms = list(self.plan.forms)
        self._options = {name: value for name, value in arguments.items() if name not in _OWN}
        self._exchange: list[dict[str, Any]] = []  # answers that did not fit, and what was said of them
        self.mode = ""
        self.usage = Usage()
        self.cost: float | None = 0.0
        self.attempts = 0
        self.done = False
        self.object: Any = None
        self.response: Response | None = None
        self._choose()

    def _choose(self) -> None:
        self.mode, self._form = self._forms.pop(0)

    def request(self) -> dict[str, Any]:
        """The arguments of the next request, as `Provider.generate` has them."""
        form = dict(self._form)
        instruction = form.pop("instruction", None)
        request = {**self._options, **form}
        if instruction:
            before = request.get("system_prompt")
            request["system_prompt"] = f"{before}\n\n{instruction}" if isinstance(before, str) else instruction
        if self._exchange:
            asked = request.get("messages") or [{"role": "user", "content": request["prompt"]}]
            request["messages"] = [*asked, *self._exchange]
        return request

    @property
    def result(self) -> ObjectResult[Any]:
        """What came of it, once it is done."""
        answer = self.response
        assert answer is not None
        return ObjectResult(
            self.object,
            response=answer,
            usage=self.usage,
            cost=self.cost,
            mode=self.mode,
            attempts=self.attempts,
        )

    def fail(self, error: PyAgentError) -> None:
        """A request failed. Goes to the next way of asking, if that is what the vendor does not take.

        Raises:
            PyAgentError: The error, if it is another.
        """
        if not self._forms or self.attempts or not _is_about_the_form(error):
            raise error
        self._choose()

    def take(self, response: Response) -> None:
        """An answer has come: it has the object, or is to be repaired.

        Raises:
            ObjectError: It has no object, and there is nothing more to be done.
        """
        self.attempts += 1
        self.response = response
        self.usage = total_usage([self.usage, response.usage])
        self.cost = total_cost([self.cost, response.cost])
        text = self._text(response)
        if response.refusal or response.finish_reason == "content_filter":
            words = f": {response.refusal}" if response.refusal else ", or its vendor's filter stopped the answer"
            raise self._error(ObjectRefusedError, f"The model refused to give the object{words}", text, [])
        if response.finish_reason == "length":
            raise self._error(
                ObjectTruncatedError,
                "The answer was cut before the object was complete; raise max_tokens, or ask for less",
                text,
                ["the answer was cut at the limit of tokens"],
            )
        try:
            self.object = self.plan.read(text)
            self.done = True
        except SchemaMismatch as error:
            if self.attempts > self.repairs:
                what = "; ".join(error.errors[:5])
                raise self._error(
                    ObjectValidationError, f"The answer does not fit the schema: {what}", text, error.errors
                ) from None
            self._say(response, error.errors)

    def _text(self, response: Response) -> str:
        """Where the object is: the arguments of the tool call, or the text, into which some models write it anyway."""
        return response.tool_calls[0].arguments if response.tool_calls else response.text

    def _say(self, response: Response, errors: list[str]) -> None:
        said = REPAIR.format(errors="\n".join(f"- {error}" for error in errors[:20]))
        self._exchange.append(response.message)
        if response.tool_calls:
            self._exchange.extend(
                {"role": "tool", "tool_call_id": call.id, "content": said, "is_error": True}
                for call in response.tool_calls
            )
        else:
            self._exchange.append({"role": "user", "content": said})

    def _error(self, kind: type[ObjectError], message: str, text: str, errors: list[str]) -> ObjectError:
        answer = self.response
        assert answer is not None
        return kind(
            f"{message.rstrip('.')}.",
            text=text,
            errors=errors,
            usage=self.usage,
            mode=self.mode,
            answer=answer,
            attempts=self.attempts,
            provider=answer.provider,
            model=answer.model,
        )


def _is_about_the_form(error: PyAgentError) -> bool:
    if isinstance(error, UnsupportedFeatureError):  # found before anything was sent
        return error.param in _PARAMETERS
    if type(error) in {BadRequestError, UnprocessableEntityError}:  # a model that nothing was known of
        said = f"{error.param} {error.message}".lower()
        return any(word in said for word in _WORDS)
    return False
