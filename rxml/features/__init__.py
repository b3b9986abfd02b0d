"""Features: transforms that learn from a stream, the same online, over a batch and for one request."""

from __future__ import annotations

from rxml.features.calendar import Calendar
from rxml.features.decayed import DecayedStatistics
from rxml.features.exponential import ExponentialScaler
from rxml.features.hashing import FeatureHasher, buckets
from rxml.features.imputing import Imputer
from rxml.features.lags import Lags
from rxml.features.minmax import MinMaxScaler
from rxml.features.onehot import OneHot
from rxml.features.pipeline import Features
from rxml.features.ranks import QuantileTransform
from rxml.features.robust import RobustScaler
from rxml.features.rolling import RollingStatistics
from rxml.features.standard import StandardScaler
from rxml.features.target import TargetEncoder
from rxml.features.transform import Columns, Transform

__all__ = [
    "Calendar",
    "Columns",
    "DecayedStatistics",
    "ExponentialScaler",
    "FeatureHasher",
    "Features",
    "Imputer",
    "Lags",
    "MinMaxScaler",
    "OneHot",
    "QuantileTransform",
    "RobustScaler",
    "RollingStatistics",
    "StandardScaler",
    "TargetEncoder",
    "Transform",
    "buckets",
]
