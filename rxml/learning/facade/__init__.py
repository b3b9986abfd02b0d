"""A facade in front of whatever learns models: it may hang, crash or take all memory, and that is a result, not an outage.

The pattern is that of Smith, Machine Learning Systems (2018), chapter 5. What is trained is a function, `module:function`,
in a process of its own; see `LearningConfig`, `Job` and `ModelLearning`.
"""

from __future__ import annotations

from rxml.learning.facade.config import LearningConfig, Progress
from rxml.learning.facade.job import Job, Trained
from rxml.learning.facade.learning import ModelLearning
from rxml.learning.facade.result import LearningResult
from rxml.learning.facade.training import Training

__all__ = [
    "Job",
    "LearningConfig",
    "LearningResult",
    "ModelLearning",
    "Progress",
    "Trained",
    "Training",
]
