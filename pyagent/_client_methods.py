"""The methods of Client that ask all of its vendors at once."""

from __future__ import annotations

from ._results import Results
from ._whole import wait_for
from .errors import PyAgentError
from .models import ModelLists

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .options import Limits, Timeouts
    from .provider import Provider


class ClientMethods:
    """One question to many vendors: list_models."""

    __slots__ = ()

    if TYPE_CHECKING:
        _providers: dict[str, Provider]

    def list_models(
        self,
        *,
        timeout: float | None = None,
        timeouts: Timeouts | None = None,
        limits: Limits | None = None,
        max_retries: int | None = None,
    ) -> ModelLists:
        """Asks all vendors side by side which models they offer. What one of them cannot say does not stop the others.

        Args:
            timeout: Seconds to wait for all pages of one list.
            timeouts: The clocks one by one, instead of timeout.
            limits: What the answer to each request may weigh.
            max_retries: Attempts after the first, for each request.

        Returns:
            ModelLists: the models by vendor, and the errors of the vendors who gave none.

        Raises:
            ConfigurationError: An option is wrong; nothing was sent. A ValueError.
        """
        options = {"timeout": timeout, "timeouts": timeouts, "limits": limits, "max_retries": max_retries}
        lists = ModelLists()
        calls = [(name, provider._start("models", options)) for name, provider in list(self._providers.items())]
        for name, call in calls:
            try:
                found = wait_for(call, Results())
            except PyAgentError as error:
                lists.errors[name] = error.with_traceback(None)
            else:
                lists.models[name] = found.models
        return lists
