"""Detectors of drift: a number comes in, and out comes whether what it is drawn from has changed."""

from __future__ import annotations

from rxml.evaluation.drift.adwin import ADWIN
from rxml.evaluation.drift.ddm import DDM
from rxml.evaluation.drift.detector import DriftDetector
from rxml.evaluation.drift.foreign import RiverDetector
from rxml.evaluation.drift.kswin import KSWIN
from rxml.evaluation.drift.page_hinkley import PageHinkley

__all__ = ["ADWIN", "DDM", "KSWIN", "DriftDetector", "PageHinkley", "RiverDetector"]
