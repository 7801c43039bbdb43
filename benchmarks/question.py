"""What every contestant asks, and the answer it must get. Imports nothing, because start-up is measured too."""

MODEL = "bench-1"
QUESTION = "How fast is this?"
ANSWER = "As fast as a loopback interface, and no faster than the client that reads from it."
MESSAGES = [{"role": "user", "content": QUESTION}]
