"""How policies stand in a scenario: simple rules, the myopic optimum, and a price on what is scarce.

All are fitted on the profile's training requests, and judged on those of the environment.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from agents.evaluation.comparison import Contender
from agents.evaluation.entries import crossed
from agents.evaluation.statistics import Interval, mean_interval, paired_difference
from agents.policies import Predictor, load_policy
from agents.policies.rule_search import Priced, RuleSearch, TwoPlans, best_prices
from envs import SplitSettings, SplitVectorEnv

LABELS = {
    "priced": "oracle with a price on what is scarce",
    "oracle": "oracle (myopic optimum of the training requests)",
    "two_plans": "best rule of two plans",
    "best_fixed": "best fixed plan",
}


@dataclass(frozen=True)
class Standing:
    """What one policy reached.

    Attributes:
        policy: key of `LABELS`.
        decides: what it does, in words.
        satisfaction: mean reward.
        over_two_plans: paired difference to the best rule of two plans.
        failed: share of the requests.
        latency_s: mean.
        split: mean denoising steps at the edge.
    """

    policy: str
    decides: str
    satisfaction: Interval
    over_two_plans: Interval
    failed: float
    latency_s: float
    split: float


@dataclass(frozen=True)
class ScenarioFindings:
    """A scenario's rows, and by how much the oracle, fitted as the rules are, beats the best rule, and a price it."""

    rows: list[Standing]
    over_rule: Interval
    over_fixed: Interval
    price_over_oracle: Interval | None

    @property
    def is_degenerate(self) -> bool:
        """Whether a rule of two plans serves as well as the best policy here, judged by the interval."""
        best = next(row for row in self.rows if row.policy in ("priced", "oracle"))
        return best.over_two_plans.low <= 0.0


def measure_scenario(
    settings: SplitSettings, num_envs: int, num_requests: int, search_requests: int, seed: int
) -> ScenarioFindings:
    """Find the rules in sessions of training requests of `seed + 1`, and compare all policies in those of `seed`.

    Args:
        settings, num_envs: of the environment.
        num_requests, search_requests: served by each policy, and by each candidate of the rules.
        seed: of the requests.
    """
    env = SplitVectorEnv(num_envs, settings)
    search = RuleSearch(settings, search_requests, seed + 1)
    two_plans, best_fixed, prices = search.two_plans(), search.best_fixed(), best_prices(search)
    names = env.model.plan_names
    policies: dict[str, tuple[Predictor, str]] = {
        "oracle": (load_policy("oracle", env), "largest expected reward of this request"),
        "two_plans": (
            two_plans,
            f"{names[two_plans.low_action]} below {_limit(env, two_plans)}, else {names[two_plans.high_action]}",
        ),
        "best_fixed": (best_fixed, names[best_fixed.action]),
    }
    if prices:
        (resource, price), unit = next(iter(prices.items())), {"per_edge_s": "edge second", "per_user_j": "joule"}
        policies = {"priced": (Priced(env, **prices), f"the same less {price:g} per {unit[resource]}")} | policies
    served = {name: Contender(policy, env).serve(num_requests, seed) for name, (policy, _) in policies.items()}

    def over(name: str, baseline: str) -> Interval:
        return paired_difference(served[name]["reward"], served[baseline]["reward"], crossed(served[name]))

    rows = [
        Standing(
            name,
            decides,
            mean_interval(served[name]["reward"], crossed(served[name])),
            over(name, "two_plans"),
            **{mean: float(served[name][mean].mean()) for mean in ("failed", "latency_s", "split")},
        )
        for name, (_, decides) in policies.items()
    ]
    price_over_oracle = over("priced", "oracle") if prices else None
    return ScenarioFindings(rows, over("oracle", "two_plans"), over("two_plans", "best_fixed"), price_over_oracle)


def _limit(env: SplitVectorEnv, rule: TwoPlans) -> str:
    """The threshold of a rule in words."""
    name = env.model.observation.names[rule.index]
    low, high = env.model.observation.bounds[name]
    value = low + rule.threshold * (high - low)
    if name == "edge_capability_hz":
        return f"{value / env.model.costs.edge.clock_hz:.0%} of the edge"
    return f"{value:,.3g} of {name}"


def sample_paths(settings: SplitSettings, sessions: int, seed: int) -> dict[str, NDArray[Any]]:
    """States that sessions pass under the oracle, and its splits: name -> [requests, sessions]."""
    env = SplitVectorEnv(sessions, settings)
    requests = env.model.settings.episode_length
    served = Contender(load_policy("oracle", env), env).serve(sessions * requests, seed)
    names = (*env.model.observation.names, "edge_availability", "split")
    return {name: served[name].reshape(requests, sessions) for name in names if name in served}
