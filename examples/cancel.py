"""Four ways to end a stream early; each closes the connection to the vendor at once."""

import threading

from pyagent import Provider, StreamCancelledError

# The model inside pyagent, which writes one word every 20 ms. With a vendor: Provider.openai("gpt-4o-mini").
provider = Provider.echo()
slowly = {"fake": {"pieces": ["word "], "repeat": 1000, "delay": 0.02}}

# 1. Leave the loop.
for number, _piece in enumerate(provider.stream_text("Write a lot.", extra_body=slowly)):
    if number == 3:
        break
print("left the loop")

# 2. A with block, which also closes the stream when something else fails inside it.
with provider.stream_text("Write a lot.", extra_body=slowly) as stream:
    print("first piece:", next(stream))

# 3. close(). Text that was cut is never taken for the whole: reading on is an error.
stream = provider.stream_text("Write a lot.", extra_body=slowly)
next(stream)
stream.close()
try:
    next(stream)
except StreamCancelledError as error:
    print("closed after", repr(error.partial_text))

# 4. cancel() from another thread, while this one waits.
stream = provider.stream_text("Write a lot.", extra_body=slowly)
threading.Timer(0.1, stream.cancel).start()
try:
    print("the whole answer:", stream.result.text)
except StreamCancelledError:
    print("cancelled by another thread")
