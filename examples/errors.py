"""What can go wrong, and what a program can know about it: each kind of failure once."""

from pyagent import Provider, errors

# The model inside pyagent fails as the script says. With a vendor the same exceptions come without a script.
provider = Provider.echo(max_retries=1, retry_backoff=0.01)


def ask(**script: object) -> None:
    try:
        for piece in provider.stream("one two three", timeout=0.2, extra_body={"fake": script}):
            print(piece, end="", flush=True)
        print()
    except errors.RateLimitError as error:
        print(f"slow down for {error.retry_after} s; {error.attempts} attempts were made: {error.message}")
    except errors.APIStatusError as error:
        print(f"the vendor said no, HTTP {error.status_code} ({error.code}): {error.message}")
    except errors.APITimeoutError as error:
        print(f"\nthe clock {error.clock} ran out")
    except errors.StreamInterruptedError as error:
        print(f"\ncut off after {error.partial_text!r}")


ask()
ask(status=429, headers={"retry-after": "0"}, body={"error": {"message": "Too many requests."}})
ask(status=404, body={"error": {"message": "No such model.", "code": "model_not_found"}})
ask(after=2, end="stall")
ask(after=2, end="cut")

try:
    provider.stream("one two three", temperature="hot")  # type: ignore[arg-type]
except errors.ConfigurationError as error:
    print(f"nothing was sent: {error}")
