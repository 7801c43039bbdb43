"""What litellm or the drop-in knows of models' prices and limits, as JSON: `litellm_prices.py NAME` reads the models'
names from standard input, one a line."""

from __future__ import annotations

import importlib
import json
import os
import sys
from typing import Any

FIELDS = (
    "input_cost_per_token", "output_cost_per_token", "cache_read_input_token_cost", "cache_creation_input_token_cost",
    "max_input_tokens", "max_output_tokens", "mode",
)  # fmt: skip


def observe(module: Any, model: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    kind = "embedding" if "embed" in model else "completion"
    counts = {"plain": {}, "cached": {"cache_read_input_tokens": 400}, "written": {"cache_creation_input_tokens": 300}}
    for name, more in counts.items():
        try:
            found[name] = module.cost_per_token(
                model=model, prompt_tokens=1000, completion_tokens=100 * (kind[0] == "c"), call_type=kind, **more
            )
        except Exception as error:  # noqa: BLE001  # that there is none is what is compared
            found[name] = type(error).__name__
    try:
        info = module.get_model_info(model)
        found["info"] = {field: info.get(field) for field in FIELDS}
    except Exception as error:  # noqa: BLE001
        found["info"] = type(error).__name__
    return found


def main() -> None:
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    module: Any = importlib.import_module(sys.argv[1])
    print(json.dumps({model: observe(module, model) for model in sys.stdin.read().split()}))


if __name__ == "__main__":
    main()
