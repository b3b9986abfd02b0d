"""The engine: what a stream is made of, and what runs it. `kinds` is where an operator begins."""
