"""The law of the split: the latency of one request is linear in it, so that the fastest split is an end.

With T steps, density factor d, seconds of a step s_e at the edge and s_u at the user, of the text encoder t_e and t_u,
of the decoder c_u, availabilities a_e and a_u, and b bits over a link of v bits a second, one attempt of `semaigc(k)`
takes

    L(k) = (t_e + k d s_e) / a_e + b / v + ((T - k) d s_u + c_u) / a_u     for 0 < k <= T,
    L(0) = (t_u + T d s_u + c_u) / a_u.

1. For 0 < k <= T the slope is `d (s_e / a_e - s_u / a_u)`, the same for every k: each step is moved from one end to the
   other. So L is smallest at k = T where the edge takes a step sooner, and at k = 1 where the user does.
2. At k = 1 the user is the faster end of a step, and the edge can only earn there what the text encoder saves:
   `L(1) < L(0)` needs `t_u / a_u - t_e / a_e > b / v + d (s_e / a_e - s_u / a_u) > 0`. Where the two devices are in one
   ratio for both modules, or the text is as slow at either, that cannot be: the smallest is then at 0 or T.
3. Satisfaction falls with the latency. If an image of every split were accepted as often, the best split were the
   fastest one, an end; and whoever offers both ends, with their best codec, gains nothing from the splits between.

What is left to gain for a split between the ends comes from what the law leaves out:

- acceptance depends on the split: over a noisy link an early latent is repaired, a late one is not; and an attempt that
  is repeated repeats the user's steps alone (the corner where both acceptance and latency bind);
- the ends send something else, or nothing: a decoded image from the edge, no latent at k = 0;
- bits of coded latents change with the split a little;
- a limit or a price on what only one end spends: the user's joules, the edge's busy seconds (battery, queue).

Source: own derivation from SemAIGC's eqs. 19 and 20 as they are priced here (`envs.costs.table`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.evaluation.worth import ALL, CHOSEN, Judge
from agents.experiments.shared.findings import Row


@dataclass(frozen=True)
class LawChecked:
    """The law in N sampled states, for the uncoded splits of every T, with one attempt.

    Attributes:
        deviation: the largest of L(k), 0 < k <= T, from the line through L(1) and L(T), as a share of L(T).
        at_end: share of the states and T whose fastest split is 0 or T.
        at_one: share of those whose fastest split is 1; the rest would break the law.
        unsplit: share of the states in which the fastest of all plans splits nothing.
        price_alone: what splitting would add to the opponents in the mean if every image were accepted.
    """

    deviation: float
    at_end: float
    at_one: float
    unsplit: float
    price_alone: float

    @property
    def holds(self) -> bool:
        """Whether no split deviates and none between 1 and T is the fastest."""
        return self.deviation < 1e-9 and bool(np.isclose(self.at_end + self.at_one, 1.0))

    @property
    def row(self) -> Row:
        """Its numbers for a table."""
        return dict(vars(self))


def check_law(judge: Judge, observations: NDArray[np.float32]) -> LawChecked:
    """Look at the latencies of one attempt in states [N, 7 + k]."""
    model, lists = judge.model, judge.lists
    shown = model.observation.to_state(observations)
    latency_s = model.costs.price(model.costs.link_shown(shown)).bill(1).latency_s  # [N, P]
    deviations, ends, ones = [], [], []
    for total in lists.steps:
        family = lists.members[f"family@{total}"]
        if len(family) <= total:
            continue  # not all splits were measured
        order = np.argsort(model.edge_steps[family], kind="stable")
        own = latency_s[:, family[order]]  # [N, T + 1], split by split
        share = (np.arange(1, total + 1) - 1) / max(1, total - 1)
        line = own[:, 1:2] + share * (own[:, -1:] - own[:, 1:2])
        deviations.append((np.abs(own[:, 1:] - line) / own[:, -1:]).max())
        fastest = own.argmin(axis=1)
        ends.append(np.isin(fastest, (0, total)))
        ones.append((fastest == 1) & (total > 1))
    high_s = shown["latency_low_s"] * model.scenario.latency_high_ratio
    features = {name: shown[name][:, None] for name in model.scenario.FEATURES}
    offer = model.offer(features, model.costs.price(model.costs.link_shown(shown)))
    nothing = dict.fromkeys(model.reward.metrics, np.zeros(()))
    satisfied = model.settle(offer, 1, True, nothing, shown["latency_low_s"][:, None], high_s[:, None]).reward
    best = {name: satisfied[:, lists.members[name]].max(axis=1) for name in (ALL, CHOSEN)}
    first = lists.members[ALL][latency_s[:, lists.members[ALL]].argmin(axis=1)]
    return LawChecked(
        float(max(deviations, default=0.0)),
        float(np.mean(ends)) if ends else 1.0,
        float(np.mean(ones)) if ones else 0.0,
        float(np.isin(first, lists.members[CHOSEN]).mean()),
        float((best[ALL] - best[CHOSEN]).mean()),
    )
