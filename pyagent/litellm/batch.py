"""batch_completion and its like: many conversations to one model, or one conversation to many models."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .types import ModelResponse

__all__ = ["batch_completion", "batch_completion_models", "batch_completion_models_all_responses"]


def batch_completion(
    model: str, messages: list[list[Any]], *, max_workers: int = 100, **kwargs: Any
) -> list[ModelResponse | Exception]:
    """Asks a model about many conversations, side by side.

    Args:
        model: "provider/model".
        messages: A list of conversations.
        max_workers: How many of them at once.
        kwargs: As in `completion`; streams are refused.

    Returns:
        The answers in the order of the conversations; an exception in the place of one that failed.
    """
    return _side_by_side([{"model": model, "messages": one, **kwargs} for one in messages], max_workers)


def batch_completion_models(*, models: list[str] | str, messages: list[Any], **kwargs: Any) -> ModelResponse:
    """Asks many models the same, and gives the first answer that is one. The others are cancelled.

    Raises:
        LiteLLMEdgeError: All of them failed; this is the last one's exception.
    """
    import asyncio
    from concurrent.futures import ThreadPoolExecutor

    names = [models] if isinstance(models, str) else models
    calls = [{"model": name, "messages": messages, **kwargs} for name in names]
    _refuse_streams(calls)
    pool = ThreadPoolExecutor(1)  # a loop of its own, for who is called inside of one
    try:
        return pool.submit(asyncio.run, _first(calls)).result()
    finally:
        pool.shutdown(wait=False)


async def _first(calls: list[dict[str, Any]]) -> ModelResponse:
    import asyncio

    from ._completion import acompletion

    failure: BaseException | None = None
    tasks: set[asyncio.Future[Any]] = {asyncio.ensure_future(acompletion(**call)) for call in calls}
    waiting = tasks
    try:
        while waiting:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                failure = task.exception()
                if failure is None:
                    return task.result()  # type: ignore[no-any-return]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    raise failure or ValueError("models is empty; name at least one")


def batch_completion_models_all_responses(
    *, models: list[str] | str, messages: list[Any], **kwargs: Any
) -> list[ModelResponse]:
    """Asks many models the same, and gives all answers; those that failed are left out, as in litellm."""
    names = [models] if isinstance(models, str) else models
    found = _side_by_side([{"model": name, "messages": messages, **kwargs} for name in names], len(names))
    return [answer for answer in found if not isinstance(answer, Exception)]


def _side_by_side(calls: list[dict[str, Any]], workers: int) -> list[ModelResponse | Exception]:
    if not calls:
        return []
    pool, waiting = _start(calls, workers)
    with pool:
        return [done.exception() or done.result() for done in waiting]


def _start(calls: list[dict[str, Any]], workers: int) -> tuple[Any, list[Any]]:
    from concurrent.futures import ThreadPoolExecutor

    from ._completion import completion

    _refuse_streams(calls)
    pool = ThreadPoolExecutor(max_workers=max(1, min(workers, len(calls))))
    return pool, [pool.submit(completion, **call) for call in calls]


def _refuse_streams(calls: list[dict[str, Any]]) -> None:
    from .exceptions import UnsupportedParamsError

    if any(call.get("stream") for call in calls):
        raise UnsupportedParamsError("A batch has no streams; use acompletion(stream=True) side by side.")
