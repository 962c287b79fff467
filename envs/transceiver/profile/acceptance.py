"""Which images are acceptable: the two named rules, whose least values a profile is measured densely around."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from envs import checks
from envs.transceiver.profile.table import METRICS

GRADED = tuple(metric for metric in METRICS if metric != "mse")
"""Metrics of which more is better."""


@dataclass(frozen=True)
class Acceptance:
    """An image is acceptable from a least value of a metric on.

    Attributes:
        metric: one of `GRADED`.
        least: its least value.

    Raises:
        ValueError: an unknown metric, or a value that is not finite.
    """

    metric: str
    least: float

    def __post_init__(self) -> None:
        checks.choice("metric of acceptance", self.metric, GRADED)
        checks.number("least of acceptance", self.least)

    @property
    def name(self) -> str | None:
        """Its name in `ACCEPTANCE_RULES`; None for one's own."""
        return next((name for name, rule in ACCEPTANCE_RULES.items() if rule == self), None)

    def __str__(self) -> str:
        said = f"{self.metric} ≥ {self.least:g}"
        return said if self.name is None else f"{self.name} ({said})"


ACCEPTANCE_RULES = {"similarity": Acceptance("ssim", 0.8), "alignment": Acceptance("alignment", 0.9)}
"""`similarity` is closeness to the noise-free image of the same request and T, SemAIGC's idea of quality (IV-A); its
threshold is ours: it reproduces the paper's 0.70 at -6 dB with the whole of the edge. `alignment` is how surely the
image shows what the prompt says, for images that differ from the reference by design."""

ACCEPTED: Mapping[str, float] = {rule.metric: rule.least for rule in ACCEPTANCE_RULES.values()}
"""Metric -> where the acceptance of images changes, which is where it is measured densely."""

AcceptanceChoice = str | Mapping[str, float | str] | Acceptance


def acceptance_rule(choice: AcceptanceChoice) -> Acceptance:
    """The rule of a name, of a mapping of `metric` and `least`, or the rule itself.

    Raises:
        ValueError: an unknown name, metric or key, or a least value that is not finite.
    """
    if isinstance(choice, Acceptance):
        return choice
    if isinstance(choice, Mapping):
        return checks.make(Acceptance, choice, "acceptance")
    return ACCEPTANCE_RULES[checks.choice("acceptance", choice, ACCEPTANCE_RULES)]
