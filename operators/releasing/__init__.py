"""Operators that bring models in front of those who ask: by shares, on trial, in the shadow, by reward."""

from __future__ import annotations

from rxml.operators.releasing.canarying import canary
from rxml.operators.releasing.drawing import bandit
from rxml.operators.releasing.shadowing import shadow
from rxml.operators.releasing.splitting import split

__all__ = ["bandit", "canary", "shadow", "split"]
