"""The same calls through the Router of litellm or of the drop-in, and what came of each as JSON.

python litellm_router.py litellm|pyagent.litellm http://127.0.0.1:PORT/v1"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import sys
import urllib.request
import warnings
from collections.abc import Callable
from typing import Any

HELLO = [{"role": "user", "content": "Hello there you"}]


def fails(status: int, code: str = "c", message: str = "nope") -> dict[str, Any]:
    return {"status": status, "body": {"error": {"message": message, "type": "t", "code": code}}}


LONG = fails(400, "context_length_exceeded", "This model's maximum context length is 10 tokens")
REFUSED = fails(400, "content_policy_violation", "Your request was rejected as a result of our safety system")


class Peer:
    """One of the two packages at the server."""

    def __init__(self, name: str, url: str) -> None:
        self.module: Any = importlib.import_module(name)
        self.url = url

    def deploy(self, group: str, id: str, script: dict[str, Any] | None = None, **params: Any) -> dict[str, Any]:
        said = {"model": f"openai/{id}", "api_key": "k", "api_base": self.url, **params}
        if script is not None:
            said["extra_body"] = {"fake": script}
        return {"model_name": group, "litellm_params": said, "model_info": {"id": id}}

    def route(self, *deployments: dict[str, Any], **options: Any) -> Any:
        return self.module.Router(model_list=list(deployments), **{"num_retries": 0, **options})

    def asked(self) -> list[str]:
        with urllib.request.urlopen(self.url.removesuffix("/v1") + "/_fake/requests") as answer:
            return [request["body"]["model"] for request in json.load(answer) if request["method"] == "POST"]

    def observe(self, run: Callable[[], Any]) -> dict[str, Any]:
        before = len(self.asked())
        try:
            found = run()
        except Exception as error:  # noqa: BLE001  # which one it is is what is compared
            names = ("status_code", "llm_provider", "model", "num_retries", "max_retries")
            found = {"class": type(error).__name__, **{name: getattr(error, name, None) for name in names}}
        return {"found": found, "asked": self.asked()[before:]}


def told(answer: Any) -> dict[str, Any]:
    hidden = answer._hidden_params
    headers = hidden["additional_headers"]
    names = ("model-group", "attempted-retries", "attempted-fallbacks")
    return {
        "id": hidden["model_id"],
        "base": hidden["api_base"].rstrip("/"),
        **{name: headers[f"x-litellm-{name}"] for name in names},
    }


def name_of(deployment: Any) -> str:
    return str(deployment["model_name"] if isinstance(deployment, dict) else deployment.model_name)


def whole(answer: Any) -> dict[str, Any]:
    said = json.loads(json.dumps(answer.model_dump()))
    return {"answer": {name: value for name, value in said.items() if name not in {"id", "created"}}, **told(answer)}


def streamed(stream: Any) -> dict[str, Any]:
    first = told(stream)
    return {"pieces": [chunk.choices[0].delta.content for chunk in stream], **first}


def cases(peer: Peer) -> dict[str, Callable[[], Any]]:  # a list
    deploy, route = peer.deploy, peer.route
    plain = route(deploy("m", "a"), deploy("n", "b"), model_group_alias={"alias": "n"})
    down = fails(500)
    fallen = route(
        deploy("down", "a", down), deploy("wrong", "b", fails(400)), deploy("long", "c", LONG),
        deploy("refused", "d", REFUSED), deploy("fine", "e"), deploy("larger", "f"), deploy("chain", "h", down),
        fallbacks=[{"down": ["fine"]}, {"wrong": ["fine"]}, {"chain": ["down"]}, {"refused": ["fine"]}],
        context_window_fallbacks=[{"long": ["larger"]}],
    )  # fmt: skip
    lonely = route(deploy("down", "a", down), deploy("limited", "b", fails(429)), deploy("keyless", "c", fails(401)))
    spare = route(deploy("down", "a", down), deploy("fine", "b"), default_fallbacks=["fine"])
    resting = route(deploy("m", "a", fails(429), order=1), deploy("m", "b", order=2), num_retries=1)
    ordered = route(deploy("m", "a", down, order=1), deploy("m", "b", order=2))
    params = route(deploy("m", "a", temperature=0.5, user="u"), default_litellm_params={"seed": 7})

    async def aplain() -> Any:
        return whole(await plain.acompletion(model="m", messages=HELLO))

    async def astream() -> Any:
        stream = await plain.acompletion(model="m", messages=HELLO, stream=True)
        first = told(stream)
        return {"pieces": [chunk.choices[0].delta.content async for chunk in stream], **first}

    async def afallback() -> Any:
        return told(await fallen.acompletion(model="down", messages=HELLO))

    def vectors(answer: Any) -> Any:
        numbers = [[round(number, 5) for number in item["embedding"]] for item in answer["data"]]
        return {"numbers": numbers, "usage": answer.usage.prompt_tokens, "id": answer._hidden_params["model_id"]}

    def body() -> Any:
        params.completion("m", HELLO, seed=8)
        with urllib.request.urlopen(peer.url.removesuffix("/v1") + "/_fake/requests") as answer:
            sent = json.load(answer)[-1]["body"]
        return {name: sent.get(name) for name in ("temperature", "user", "seed", "model")}

    def settings() -> Any:
        changing = route(deploy("m", "a"))
        changing.update_settings(num_retries=3, cooldown_time=9, allowed_fails=4)
        names = ("num_retries", "cooldown_time", "allowed_fails", "routing_strategy", "retry_after", "timeout")
        return {name: changing.get_settings()[name] for name in names}

    def changes() -> Any:
        changing = route(deploy("m", "a"))
        first = changing.get_model_names()
        changing.set_model_list([deploy("n", "b"), deploy("o", "c")])
        gone = changing.delete_deployment("b")
        return {
            "before": first, "after": changing.get_model_names(), "ids": changing.get_model_ids(),
            "gone": name_of(gone),
            "none": changing.delete_deployment("b"), "has": changing.has_model_id("c"),
            "list": [[entry["model_name"], entry["model_info"]["id"]] for entry in changing.get_model_list()],
            "made": route({"model_name": "g", "litellm_params": {"model": "openai/m", "api_key": "k", "rpm": 2}})
            .get_model_ids(),
        }  # fmt: skip

    return {
        "plain": lambda: whole(plain.completion("m", HELLO)),
        "stream": lambda: streamed(plain.completion(model="m", messages=HELLO, stream=True)),
        "async": lambda: asyncio.run(aplain()),
        "async stream": lambda: asyncio.run(astream()),
        "alias": lambda: told(plain.completion("alias", HELLO)),
        "by id": lambda: told(plain.completion("b", HELLO)),
        "by model": lambda: told(plain.completion("openai/b", HELLO)),
        "unknown": lambda: told(plain.completion("nobody", HELLO)),
        "embedding": lambda: vectors(plain.embedding(model="m", input=["x", "y z"])),
        "async embedding": lambda: vectors(asyncio.run(plain.aembedding(model="m", input=["x"]))),
        "mock": lambda: plain.completion("m", HELLO, mock_response="mocked").choices[0].message.content,
        "fallback": lambda: told(fallen.completion("down", HELLO)),
        "fallback of a stream": lambda: streamed(fallen.completion("down", HELLO, stream=True)),
        "async fallback": lambda: asyncio.run(afallback()),
        "fallback of a bad request": lambda: told(fallen.completion("wrong", HELLO)),
        "fallback of a fallback": lambda: told(fallen.completion("chain", HELLO)),
        "fallback of a long prompt": lambda: told(fallen.completion("long", HELLO)),
        "fallback of a refused one": lambda: told(fallen.completion("refused", HELLO)),
        "fallback of one call": lambda: told(fallen.completion("down", HELLO, fallbacks=["larger"])),
        "fallback by table": lambda: told(fallen.completion("down", HELLO, fallbacks=[{"down": ["larger"]}])),
        "fallback of everybody": lambda: told(spare.completion("down", HELLO)),
        "unknown with a fallback": lambda: told(spare.completion("nobody", HELLO)),
        "no fallback": lambda: told(fallen.completion("down", HELLO, disable_fallbacks=True)),
        "all failed": lambda: told(lonely.completion("down", HELLO)),
        "all limited": lambda: told(lonely.completion("limited", HELLO)),
        "no key": lambda: told(lonely.completion("keyless", HELLO)),
        "async all failed": lambda: told(asyncio.run(lonely.acompletion(model="down", messages=HELLO))),
        "retries": lambda: told(lonely.completion("down", HELLO, num_retries=1)),
        "another one answers": lambda: told(resting.completion("m", HELLO)),
        "a higher order": lambda: told(ordered.completion("m", HELLO)),
        "the other one rests": lambda: told(resting.completion("m", HELLO)),
        "too late": lambda: told(route(deploy("m", "a", {"header_delay": 5}, timeout=0.3)).completion("m", HELLO)),
        "stream too late": lambda: told(
            route(deploy("m", "a", {"header_delay": 5}, stream_timeout=0.3)).completion("m", HELLO, stream=True)
        ),
        "arguments": body,
        "settings": settings,
        "changes": changes,
    }  # fmt: skip


def main() -> None:
    warnings.simplefilter("ignore")
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    peer = Peer(sys.argv[1], sys.argv[2])
    peer.module.suppress_debug_info = True
    print(json.dumps({case: peer.observe(run) for case, run in cases(peer).items()}))


if __name__ == "__main__":
    main()
