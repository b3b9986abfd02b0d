"""Learning in the stream: what predicts, hears what it came to, and is better at it the next time."""

from __future__ import annotations

from rxml.learning.asking import Question, Questions
from rxml.learning.coverage import Coverage, CoverageReport
from rxml.learning.coverage_by_key import KeyCoverage
from rxml.learning.drifting_news import Drift, Drifts
from rxml.learning.evaluating_handle import Evaluation, EvaluationReport
from rxml.learning.facade import LearningConfig, LearningResult, ModelLearning, Progress
from rxml.learning.label import Label
from rxml.learning.learning_model import OnlineModel
from rxml.learning.learning_model_baselines import LastValue, RunningMean
from rxml.learning.learning_model_linear import RecursiveLeastSquares
from rxml.learning.learning_model_river import RiverOnline
from rxml.learning.pooling_handle import Combination, WeightsReport
from rxml.learning.promoting import Promotion, PromotionReport
from rxml.learning.quality_handle import EstimatedQuality, QualityReport
from rxml.learning.retraining import Retraining, RetrainingReport
from rxml.learning.retraining_gates import Incumbent, Threshold

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
