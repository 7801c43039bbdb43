"""From the arguments of completion() to those of Provider: every one of them acts, is refused, or is dropped aloud."""

from __future__ import annotations

from . import exceptions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Arguments that Provider takes under the same name and with the same meaning.
_SAME = frozenset({
    "temperature", "top_p", "n", "stop", "presence_penalty", "frequency_penalty", "logit_bias", "user", "seed",
    "tool_choice", "logprobs", "top_logprobs", "parallel_tool_calls", "modalities", "prediction", "audio", "verbosity",
    "service_tier", "store", "prompt_cache_key", "safety_identifier", "top_k", "extra_body",
    "reasoning_budget", "reasoning_summary", "previous_response_id",
})  # fmt: skip
# The same for what embeds.
_SAME_EMBEDDING = frozenset({"dimensions", "input_type", "user"})
_MADE_EMBEDDING = frozenset({"max_retries", "timeout"})
# What litellm takes for itself and this package has no part for. Each is refused unless it says "off".
_NOT_HERE = frozenset({
    "aembedding", "api_type", "assistant_continue_message", "atext_completion", "cache", "cache_key", "caching",
    "client", "context_window_fallback_model", "cooldown_time",
    "enable_json_schema_validation", "ensure_alternating_roles", "id",
    "guardrails", "hf_model_name", "include_server_side_tool_invocations", "litellm_credential_name", "max_budget",
    "model_list", "no-log", "organization_id", "preset_cache_key", "prompt_id", "prompt_variables", "retry_policy",
    "retry_strategy", "roles", "initial_prompt_value", "final_prompt_value", "bos_token", "eos_token",
    "rpm", "tpm", "s3_bucket_name", "shared_session", "ssl_verify", "supports_system_message", "tags", "ttl",
    "use_in_pass_through", "user_continue_message", "use_litellm_proxy", "vertex_credentials", "vertex_location",
    "vertex_project", "aws_access_key_id", "aws_secret_access_key", "aws_region_name", "azure_ad_token",
    "azure_ad_token_provider", "tenant_id", "client_id", "client_secret",
})  # fmt: skip


def read_options(arguments: dict[str, Any], provider: str, model: str, method: str) -> dict[str, Any]:
    """Makes the arguments of a method of Provider of the ones that are left when the call itself has taken its own.

    What is not known here goes into the body: litellm's way of giving a vendor its own fields.

    Raises:
        UnsupportedParamsError: An argument has a part of litellm that is not here.
    """
    options: dict[str, Any] = {}
    body = dict(arguments.pop("extra_body", None) or {})
    headers = {**(arguments.pop("headers", None) or {}), **(arguments.pop("extra_headers", None) or {})}
    organization = arguments.pop("organization", None)
    if organization:
        headers["OpenAI-Organization"] = organization
    same = _SAME_EMBEDDING if method == "embed" else _SAME
    refused = _find_refused(arguments, method)
    if refused:
        raise exceptions.UnsupportedParamsError(
            f"pyagent.litellm has no {', '.join(refused)} here; see docs/litellm.md for what stands in its place.",
            model=model,
            llm_provider=provider,
        )
    for name, value in arguments.items():
        if value is None or name in _NOT_HERE:
            continue
        make = _MAKERS.get(name)
        if make is not None:
            options.update(make(value, provider))
        elif name in same:
            options[name] = value
        else:
            body[name] = value
    if "functions" in arguments and options.get("tools") and "tool_choice" not in options:
        options.update(_function_choice(arguments.get("function_call")))
    if body:
        options["extra_body"] = {**body, **options.get("extra_body", {})}
    if headers:
        options["extra_headers"] = headers
    return options


def without(arguments: dict[str, Any], path: str) -> dict[str, Any]:
    """The arguments without what a path names: `user`, `parent.child`, `tools[0]`, `tools[*].input_examples`."""
    from re import findall

    left: dict[str, Any] = _without(arguments, findall(r"[^.\[\]]+|\[(?:\*|\d+)\]", path))
    return left


def _without(value: Any, steps: list[str]) -> Any:
    """A copy, as far as the steps lead into it: the caller's own objects stay as they are."""
    step, *rest = steps
    if step.startswith("["):
        places: Any = range(len(value)) if isinstance(value, list) else ()
        taken = places if step == "[*]" else {int(step[1:-1])} & set(places)
    else:
        places = list(value) if isinstance(value, dict) else ()
        taken = {step} & set(places)
    if not taken:
        return value
    kept = {
        place: _without(value[place], rest) if place in taken else value[place]
        for place in places
        if rest or place not in taken
    }
    return kept if isinstance(value, dict) else list(kept.values())


def _find_refused(arguments: dict[str, Any], method: str) -> list[str]:
    refused = [name for name, value in arguments.items() if name in _NOT_HERE and value]
    if method == "embed":
        of_chats = (_SAME | _MAKERS.keys()) - _SAME_EMBEDDING - _MADE_EMBEDDING
        refused += [name for name in arguments if name in of_chats]
    return refused


def _function_choice(choice: Any) -> dict[str, Any]:
    if isinstance(choice, dict):
        choice = {"type": "function", "function": {"name": choice.get("name")}}
    return {} if choice is None else {"tool_choice": choice}


def _tools(value: Any, _: str) -> dict[str, Any]:
    return {"tools": list(value)} if value else {}


def _functions(value: Any, _: str) -> dict[str, Any]:
    return {"tools": [{"type": "function", "function": function} for function in value]} if value else {}


def _response_format(value: Any, _: str) -> dict[str, Any]:
    """A dict as it is, a word as edgequake takes it, or the schema of a class of pydantic."""
    if isinstance(value, str):
        return {"response_format": {"type": value}}
    schema = getattr(value, "model_json_schema", None)
    if isinstance(value, type) and schema is not None:
        named = {"name": value.__name__, "schema": _closed(schema()), "strict": True}
        return {"response_format": {"type": "json_schema", "json_schema": named}}
    return {"response_format": value}


def _closed(schema: Any) -> Any:
    """A schema in the strict form: every object has the fields that it names, and no others."""
    if isinstance(schema, list):
        return [_closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: _closed(value) for name, value in schema.items() if name != "default"}
    if closed.get("type") == "object" and "properties" in closed:
        closed["additionalProperties"] = False
        closed["required"] = list(closed["properties"])
    return closed


def _thinking(value: Any, provider: str) -> dict[str, Any]:
    kind = value.get("type") if isinstance(value, dict) else None
    if kind == "disabled":
        return {"reasoning_budget": 0}
    if kind == "enabled" and set(value) == {"type", "budget_tokens"}:
        return {"reasoning_budget": value["budget_tokens"]}
    return {"extra_body": {"thinking": value}}


def _effort(value: Any, provider: str) -> dict[str, Any]:
    """A word, or OpenAI's object with an effort and a summary; "default" leaves it to the vendor."""
    if isinstance(value, dict):
        summary = value.get("summary")
        return {**_effort(value.get("effort"), provider), **({"reasoning_summary": summary} if summary else {})}
    return {} if value in {None, "default"} else {"reasoning_effort": value}


def _timeout(value: Any, _: str) -> dict[str, Any]:
    """Seconds, or an httpx.Timeout."""
    if not hasattr(value, "read"):
        return {"timeout": float(value)}
    from pyagent import Timeouts

    return {"timeouts": Timeouts(connect=value.connect, first_token=value.read, idle=value.read)}


_MAKERS = {
    "max_tokens": lambda value, _: {"max_tokens": value},
    "max_completion_tokens": lambda value, _: {"max_tokens": value},
    "system": lambda value, _: {"system_prompt": value},
    "tools": _tools,
    "functions": _functions,
    "function_call": lambda value, _: {},
    "response_format": _response_format,
    "thinking": _thinking,
    "reasoning_effort": _effort,
    "max_retries": lambda value, _: {"max_retries": value},
    "timeout": _timeout,
}


def plain_messages(messages: Any) -> Any:
    """Messages as dicts: answers that were appended to a conversation are objects."""
    if not isinstance(messages, list):
        return messages
    return [_plain_message(message) for message in messages]


def _plain_message(message: Any) -> Any:
    if hasattr(message, "model_dump"):
        message = message.model_dump()
    if not isinstance(message, dict):
        return message
    plain = {name: value for name, value in message.items() if value is not None or name == "content"}
    plain.update(plain.pop("provider_specific_fields", None) or {})
    if not plain.get("annotations", True):
        del plain["annotations"]
    if plain.get("tool_calls"):
        plain["tool_calls"] = [
            call.model_dump() if hasattr(call, "model_dump") else call for call in plain["tool_calls"]
        ]
    return plain


def repair(messages: Any, options: dict[str, Any]) -> Any:
    """What `modify_params` allows: a conversation that vendors refuse for its form is given the form that they want."""
    if not messages:
        return [{"role": "user", "content": "."}]
    called = any(isinstance(message, dict) and message.get("tool_calls") for message in messages)
    if called and not options.get("tools"):
        nothing = {"type": "object", "properties": {}}
        options["tools"] = [
            {
                "type": "function",
                "function": {"name": "dummy_tool", "description": "Not to be called.", "parameters": nothing},
            }
        ]
    return messages
