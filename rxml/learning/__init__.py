"""Learning in the stream: what predicts, hears what it came to, and is better at it the next time."""

from __future__ import annotations

from rxml.learning.calibrating.by_key import KeyCoverage
from rxml.learning.calibrating.coverage import Coverage, CoverageReport
from rxml.learning.evaluating.drifts import Drift, Drifts
from rxml.learning.evaluating.handle import Evaluation, EvaluationReport
from rxml.learning.facade import LearningConfig, LearningResult, ModelLearning, Progress
from rxml.learning.label import Label
from rxml.learning.online.baselines import LastValue, RunningMean
from rxml.learning.online.linear import RecursiveLeastSquares
from rxml.learning.online.model import OnlineModel
from rxml.learning.online.river import RiverOnline
from rxml.learning.pooling.handle import Combination, WeightsReport
from rxml.learning.promoting.kernel import Promotion, PromotionReport
from rxml.learning.quality.handle import EstimatedQuality, QualityReport
from rxml.learning.retraining.gates import Incumbent, Threshold
from rxml.learning.retraining.kernel import Retraining, RetrainingReport
from rxml.learning.routing.asking import Question, Questions

__all__ = [
    "Combination",
    "Coverage",
    "CoverageReport",
    "Drift",
    "Drifts",
    "EstimatedQuality",
    "Evaluation",
    "EvaluationReport",
    "Incumbent",
    "KeyCoverage",
    "Label",
    "LastValue",
    "LearningConfig",
    "LearningResult",
    "ModelLearning",
    "OnlineModel",
    "Progress",
    "Promotion",
    "PromotionReport",
    "QualityReport",
    "Question",
    "Questions",
    "RecursiveLeastSquares",
    "Retraining",
    "RetrainingReport",
    "RiverOnline",
    "RunningMean",
    "Threshold",
    "WeightsReport",
]
