"""Vendors' own lists of models, as edgequake's discovery gives them."""

from __future__ import annotations

from pyagent.errors import PyAgentError
from pyagent.provider import Provider

from . import _names
from .discovery import DiscoveredModel, find_static_models

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyagent.models import ModelInfo

_SECONDS = 10.0  # a vendor that does not answer within these is left to what is known offline


def list_live(vendor: _names.Vendor) -> list[DiscoveredModel]:
    """The models of a vendor's list, or what is known offline where it cannot be asked."""
    try:
        listed = _provider(vendor).list_models(timeout=_SECONDS, max_retries=0)
    except PyAgentError:
        return _offline(vendor)
    return _known(vendor, listed)


async def alist_live(vendor: _names.Vendor) -> list[DiscoveredModel]:
    """The twin of `list_live` for coroutines."""
    try:
        listed = await _provider(vendor).alist_models(timeout=_SECONDS, max_retries=0)
    except PyAgentError:
        return _offline(vendor)
    return _known(vendor, listed)


def list_everything() -> list[DiscoveredModel]:
    """The models of every vendor; those with a key in the environment are asked, side by side."""
    asked = list(_with_key())
    if not asked:
        return find_static_models()
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(max_workers=len(asked)) as pool:
        return _join(asked, list(pool.map(list_live, asked)))


async def alist_everything() -> list[DiscoveredModel]:
    """The twin of `list_everything` for coroutines."""
    from asyncio import gather

    asked = list(_with_key())
    return _join(asked, list(await gather(*(alist_live(vendor) for vendor in asked))))


def _join(asked: list[_names.Vendor], found: list[list[DiscoveredModel]]) -> list[DiscoveredModel]:
    names = {vendor.name for vendor in asked}
    others = [model for model in find_static_models() if model.provider not in names]
    return [model for models in found for model in models] + others


def _with_key() -> Iterator[_names.Vendor]:
    for vendor in _names.VENDORS.values():
        if vendor.vendor is not None and not vendor.keyless and _names.read_first(vendor.key_env):
            yield vendor


def _provider(vendor: _names.Vendor, model: str = "none") -> Provider:
    url = _names.read_first(vendor.url_env)
    return Provider(
        model,
        provider=vendor.target(),
        api_key=_names.read_first(vendor.key_env),
        base_url=_names.fit_address(vendor, url) if url else None,
    )


def _offline(vendor: _names.Vendor) -> list[DiscoveredModel]:
    return [model for model in find_static_models() if model.provider == vendor.name]


def _known(vendor: _names.Vendor, listed: list[ModelInfo]) -> list[DiscoveredModel]:
    provider = _provider(vendor)
    return [DiscoveredModel(provider.with_model(model.id).capabilities, vendor, model) for model in listed]
