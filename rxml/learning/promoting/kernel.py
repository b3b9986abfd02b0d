"""Promotion: a challenger takes over as soon as it is proven to be better, however often one looks."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Literal, TypeAlias

from rxml.errors import AliasMovedError, UnknownModelError
from rxml.flow.supervising.news import News
from rxml.learning.promoting.trial import Trial

if TYPE_CHECKING:
    from rxml.flow.flowable import Flowable
    from rxml.learning.promoting.trial import Verdict
    from rxml.models.registry import Registry

Decision: TypeAlias = Literal["promoted", "rejected", "moved"]
"""The challenger is the champion; it is no challenger any more; somebody has moved an alias meanwhile."""


@dataclass(frozen=True, slots=True)
class PromotionReport:
    """What was decided about a challenger.

    Attributes:
        decision: that was made.
        champion: the version that was champion.
        challenger: the version that was tried against it.
        labels: by which it was decided.
        difference: mean of the champion's loss less the challenger's.
        lower: bound of what that is in truth.
        upper: bound of it.
    """

    decision: Decision
    champion: str
    challenger: str
    labels: int
    difference: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class Pair:
    """The versions that are compared.

    Attributes:
        champion: that answers.
        challenger: that is tried.
    """

    champion: str
    challenger: str


class Promotion:
    """Decides between the versions that two aliases show, for `ops.promote`, which is handed this.

    With each labelled element a confidence sequence of the mean of (champion's loss - challenger's loss) becomes narrower
    (Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting", JRSS B 2024). When its lower
    bound is above 0 the champion's alias is moved to the challenger; when its upper bound is below 0 the challenger's alias
    is moved to the champion. Both moves are by compare and set, and both aliases show one version then, so that there is no
    challenger until somebody names the next one, which is tried anew. A challenger that is no better is promoted, ever and
    at however many looks, with probability `delta` at most; one that is no worse is rejected with as much.

    Losses must lie in [low, high], such as 0 and 1 for wrong classes or clipped errors: no such promise can be made of what
    has no bounds.

    Args:
        registry: that has both.
        name: of the model.
        champion: alias.
        challenger: alias; it need not be there yet.
        delta: above 0 and below .5.
        low: the least loss.
        high: the largest.
        least: labels before anything is decided, >= 1.
        propensity: the least probability with which either of them answers, above 0 and at most .5; it counts only where each
            element is answered by one of them, as by `ops.split`. The smaller, the more labels it takes.
        check: seconds after which it is looked whether somebody has moved an alias; only while elements pass.
        keep: reports that are remembered for readers, >= 1.

    Raises:
        ValueError: a number out of its range.
    """

    def __init__(  # noqa: PLR0913 - each is a thing of its own that one may say of a decision
        self,
        registry: Registry,
        name: str,
        *,
        champion: str = "champion",
        challenger: str = "challenger",
        delta: float = 0.05,
        low: float = 0.0,
        high: float = 1.0,
        least: int = 1,
        propensity: float = 0.1,
        check: float = 1.0,
        keep: int = 1024,
    ) -> None:
        if not 0 < check < inf:
            raise ValueError(f"Promotion(check) wants seconds > 0, got {check!r}")
        if champion == challenger:
            raise ValueError(f"Promotion wants two aliases, got {champion!r} twice")
        self.name: str = name
        self.champion: str = champion
        self.challenger: str = challenger
        self.check: float = check
        self._registry = registry
        self._bounds = (low, high)
        self._settings = (delta, least, propensity)
        self.trial(parted=False)
        self.trial(parted=True)
        self._news: News[PromotionReport] = News(keep)

    @property
    def reports(self) -> Flowable[PromotionReport]:
        """The decisions that are remembered, then those that are made; it ends when its run is drained."""
        return self._news.flow("promotion")

    @property
    def now(self) -> PromotionReport | None:
        """The latest decision; None before the first."""
        recent = self._news.recent()
        return recent[-1] if recent else None

    def trial(self, *, parted: bool) -> Trial:
        """A comparison that knows nothing yet.

        Args:
            parted: each element is answered by one of them.
        """
        delta, least, propensity = self._settings
        return Trial(*self._bounds, delta, least, propensity if parted else None)

    def pair(self) -> Pair | None:
        """The versions that the aliases show; None if they are not two. Reads files.

        Raises:
            UnknownModelError: there is no such model.
        """
        aliases = self._registry.aliases(self.name)
        champion, challenger = aliases.get(self.champion), aliases.get(self.challenger)
        if champion is None or challenger is None or champion.version == challenger.version:
            return None
        return Pair(champion.version, challenger.version)

    def act(self, pair: Pair, verdict: Verdict) -> PromotionReport:
        """Move the alias that is to be moved, and tell of it. Writes files."""
        better = verdict.better
        decision: Decision = "promoted" if better else "rejected"
        # whoever is worse than a champion of before may be better than this one
        if not (better or self.pair() == pair) or not self._moved(pair, better=better):
            decision = "moved"
        return PromotionReport(
            decision,
            pair.champion,
            pair.challenger,
            verdict.labels,
            verdict.difference,
            verdict.lower,
            verdict.upper,
        )

    def _moved(self, pair: Pair, *, better: bool) -> bool:
        """Whether the alias could be moved, and shows what it is to show."""
        alias, to = (self.champion, pair.challenger) if better else (self.challenger, pair.champion)
        before = pair.champion if better else pair.challenger
        try:
            self._registry.promote(self.name, alias, to, expect=before)
        except (AliasMovedError, UnknownModelError):
            return False
        return True

    def tell(self, report: PromotionReport) -> None:
        """There is a decision; on the loop of whoever reads."""
        self._news.tell(report)
