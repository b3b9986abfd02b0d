"""Guarding: coroutine functions behind the policies of `rxml.resilience`, by the clock of the loop."""
