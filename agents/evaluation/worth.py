"""Is splitting worth it? Lists of honest opponents and of splits, and the exact optimum over each.

An optimum is fitted on the training requests and judged on those that an environment serves; its bound is fitted on
these themselves. What splitting adds is the optimum over everything less that over the opponents, in the same states
with the same requests.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from agents.evaluation.expected import margins_of_choices
from agents.evaluation.statistics import Interval, Margins
from agents.policies import fitted
from agents.policies.model_based import check_one_reward, sample_observations
from envs import SplitSettings, SplitVectorEnv
from envs.plans import Plan, codec_payload, expand, full_codec
from envs.transceiver import TRAIN, QualityProfile, measured_requests

OPPONENTS = ("edge_aigc_{codec}", "local_aigc", "local_light_aigc", "cloud_aigc_{codec}")
"""Nothing is split: everything at the edge, at the user, at the user by a light network, in the cloud."""
CODEC, LATENT_CODEC = "webp", "u4"
CHOSEN, SPLITS, ALL = "opponents", "splits", "all"
"""Names of lists: all that is no split, real splits alone, and both."""
NO_CLOUD = "_no_cloud"
"""Behind the name of a list: without the cloud's plans."""
LISTS: dict[str, tuple[str, ...]] = {
    CHOSEN: ("named", "end"),
    "named": ("named",),
    SPLITS: ("split",),
    ALL: ("named", "end", "split"),
    "family": ("plain",),
    "papers": ("raw", "local"),
    "two": ("edge", "local"),
}
"""List -> kinds of its plans, see `plan_lists`."""
OF_CLOUD = (CHOSEN, "named", ALL)
"""Lists in which the cloud stands."""


@dataclass(frozen=True)
class PlanLists:
    """Lists of plans that a profile has measured, as indices into the list of them all.

    Attributes:
        names: P plans, the actions of an environment; opponents first, so that they win where plans are equally good.
        members: list -> int64 [...], indices of its plans, increasing; see `plan_lists`.
        steps: the T of the plans, increasing.
        notes: what was left out, one line each.
    """

    names: tuple[str, ...]
    members: Mapping[str, NDArray[np.int64]]
    steps: tuple[int, ...]
    notes: tuple[str, ...] = ()

    def of(self, name: str) -> tuple[str, ...]:
        """Names of the plans of a list."""
        return tuple(self.names[index] for index in self.members[name])


class _Candidate(NamedTuple):
    """A plan, what it stands for, and the name of its kind without T and split."""

    plan: Plan
    kinds: tuple[str, ...]
    stem: str


def plan_lists(base: SplitSettings, codec: str = CODEC, latent_codec: str = LATENT_CODEC) -> PlanLists:
    """The lists that splitting is judged by, of every number of steps T that was measured.

    | list | plans |
    |---|---|
    | `opponents` | `OPPONENTS` with their images coded, and both ends of `semaigc`, which split nothing |
    | `named` | `OPPONENTS` alone |
    | `splits` | `semaigc(k)`, 0 < k < T, and the same with a coded latent where that was measured |
    | `all` | opponents and splits |
    | `family` | `semaigc(0)` .. `semaigc(T)` |
    | `two` | everything at the edge, its image coded, or everything at the user |
    | `papers` | everything at the edge as raw pixels, or everything at the user: the papers' opponents |

    `opponents`, `named` and `all` come without the cloud too (`NO_CLOUD`), and each of them of one T alone (`two@8`).
    A T of which a plan has fewer requests than of another is left out: environments serve what all of their plans
    have, and one small table would take the requests of all.

    Args:
        base: settings of the environment, with the profile itself; its plans do not matter.
        codec: of images.
        latent_codec: of latents.

    Raises:
        ValueError: an unknown codec, one of the other payload, or a profile without any opponent or any split.
    """
    for payload, name in (("image", codec), ("latent", latent_codec)):
        if codec_payload(full_codec(name)) != payload:
            raise ValueError(f"codec {name} is not for {payload}s")
    found, notes = _measured(base, _candidates(base, codec, latent_codec))
    kinds = {name: [each for each in found if set(each.kinds) & set(own)] for name, own in LISTS.items()}
    for name in (CHOSEN, SPLITS):
        if not kinds[name]:
            raise ValueError(f"the profile has measured none of the {name}: {'; '.join(notes)}")
    kinds |= {name + NO_CLOUD: [each for each in kinds[name] if not each.plan.uses_cloud] for name in OF_CLOUD}
    steps = tuple(sorted({each.plan.num_inference_steps for each in found}))
    of_one = {
        f"{name}@{total}": [each for each in own if each.plan.num_inference_steps == total]
        for name, own in kinds.items()
        for total in steps
    }
    place = {each.plan.name: index for index, each in enumerate(found)}
    members = {
        name: np.array([place[each.plan.name] for each in own], dtype=np.int64)
        for name, own in (kinds | of_one).items()
    }
    return PlanLists(tuple(place), members, steps, tuple(notes))


def _candidates(base: SplitSettings, codec: str, latent_codec: str) -> list[_Candidate]:
    """All plans that could be in a list, opponents first."""
    profile: QualityProfile = base.profile
    default = base.num_inference_steps or profile.num_inference_steps
    stems = [name.format(codec=codec) for name in OPPONENTS]
    named = [("named", "edge"), ("named", "local"), ("named",), ("named",), ("raw",)]
    whole: list[_Candidate] = []
    splits: list[_Candidate] = []
    for total in sorted(profile.part(base.requests).references, reverse=True):
        for stem, own in zip([*stems, "edge_aigc"], named, strict=True):
            whole.append(_Candidate(expand(f"{stem}@{total}", default)[0], own, stem))
        for suffix in ("", f"_{latent_codec}"):
            for split in range(bool(suffix), total + 1):
                plan = expand(f"semaigc({split}){suffix}@{total}", default)[0]
                is_end = split in (0, total)
                own = ("end" if is_end else "split", "coded" if suffix else "plain")
                (whole if is_end else splits).append(_Candidate(plan, own, f"semaigc{suffix}"))
    return whole + splits


def _measured(base: SplitSettings, candidates: Iterable[_Candidate]) -> tuple[list[_Candidate], list[str]]:
    """Those that can be read on as many requests as any of their stem, and lines about the others."""
    parts = [base.profile.part(name) for name in dict.fromkeys((TRAIN, base.requests))]
    counts: dict[str, dict[_Candidate, tuple[int, ...]]] = {}
    lacking: dict[str, set[int]] = {}
    for each in candidates:
        try:
            count = tuple(measured_requests(part, each.plan, base.receiver) for part in parts)
            counts.setdefault(each.stem, {})[each] = count
        except ValueError:
            lacking.setdefault(each.stem, set()).add(each.plan.num_inference_steps)
    kept, fewer = [], {}
    for stem, own in counts.items():
        most = tuple(max(column) for column in zip(*own.values(), strict=True))
        kept += [each for each, count in own.items() if count == most]
        if short := {each.plan.num_inference_steps for each, count in own.items() if count != most}:
            fewer[stem] = short
    order = {each.plan.name: index for index, each in enumerate(candidates)}
    kept.sort(key=lambda each: order[each.plan.name])
    return kept, [*_lines(lacking, "was not measured"), *_lines(fewer, "has fewer requests than with another T")]


def _lines(stems: Mapping[str, set[int]], what: str) -> list[str]:
    return [f"left out: {stem} with T = {', '.join(map(str, sorted(steps)))} {what}" for stem, steps in stems.items()]


class Compared:
    """The optima over lists of plans, on the same requests."""

    def mean(self, name: str) -> Interval:
        """Mean reward of a list's optimum."""
        raise NotImplementedError

    def most_taken(self, name: str) -> str:
        """The plan that a list's optimum takes most, and how often."""
        raise NotImplementedError

    def gain(self, name: str, baseline: str) -> Interval:
        """Of one list's optimum over another's, paired."""
        raise NotImplementedError

    def bound_gain(self, name: str, baseline: str) -> Interval:
        """The same of what no policy with the plans of each passes; NaN where that was not asked for."""
        raise NotImplementedError

    def adds(self, cloud: bool = True) -> Interval:
        """What splitting adds to the opponents, with the cloud among them or without."""
        suffix = "" if cloud else NO_CLOUD
        return self.gain(ALL + suffix, CHOSEN + suffix)


@dataclass(frozen=True, eq=False)
class Optima(Compared):
    """The best plans of lists in N sampled states.

    Attributes:
        lists: the lists.
        model: of the environment with all P plans, on the requests that are judged on.
        observations: float32 [N, 7 + k].
        known: float64 [N, P], exact mean reward of every plan with the training requests.
        served: float64 [N, P], the same with the requests that are judged on.
        earned: list -> what its optimum, fitted on the training requests, earns with the requests judged on.
        bounds: list -> what the optimum that is fitted on these themselves earns: no choice among its plans passes it.
    """

    lists: PlanLists
    model: Any
    observations: NDArray[np.float32]
    known: NDArray[np.float64]
    served: NDArray[np.float64]
    earned: Mapping[str, Margins]
    bounds: Mapping[str, Margins]

    def actions(self, name: str) -> NDArray[np.int64]:
        """The plan of a list that is best with the training requests in every state, int64 [N]."""
        return best_of(self.lists, name, self.known)

    def mean(self, name: str) -> Interval:
        """Mean reward of a list's optimum, over states and requests."""
        return self.earned[name].interval()

    def most_taken(self, name: str) -> str:
        """The plan that a list's optimum takes most, and in which share of the states."""
        return often(self.lists.names, self.actions(name))

    def gain(self, name: str, baseline: str) -> Interval:
        """Of one list's optimum over another's, in the same states with the same requests."""
        return (self.earned[name] - self.earned[baseline]).interval()

    def bound_gain(self, name: str, baseline: str) -> Interval:
        """The same of the bounds, which know the requests that they are judged on."""
        return (self.bounds[name] - self.bounds[baseline]).interval()


def often(names: Sequence[str], actions: NDArray[np.int64]) -> str:
    """The plan that is taken most, and its share of the decisions."""
    counts = np.bincount(actions, minlength=len(names))
    return f"{names[int(counts.argmax())]} {counts.max() / counts.sum():.0%}"


def best_of(lists: PlanLists, name: str, rewards: NDArray[np.float64]) -> NDArray[np.int64]:
    """The plan of a list with the largest reward [N, P] in every state, int64 [N]; the first of equals."""
    members = lists.members[name]
    return members[rewards[:, members].argmax(axis=1)]


COMPARED = (CHOSEN, SPLITS, ALL, CHOSEN + NO_CLOUD, ALL + NO_CLOUD)
"""Lists that what splitting adds is about."""


@dataclass(frozen=True)
class Judge:
    """Finds the optima over lists in one setting.

    Attributes:
        lists: the lists.
        model: of the environment with all of their plans, on the requests that are judged on.
        known: the same on the training requests.
    """

    lists: PlanLists
    model: Any
    known: Any

    @classmethod
    def of(cls, base: SplitSettings, lists: PlanLists) -> Judge:
        """That of an environment.

        Args:
            base: its settings; the plans are replaced by those of the lists.
            lists: of `plan_lists`.

        Raises:
            ValueError: a reward that is a vector.
        """
        model = SplitVectorEnv(1, replace(base, plans=list(lists.names))).model
        check_one_reward(model)
        return cls(lists, model, fitted(model))

    def optima(self, observations: NDArray[np.float32], names: Iterable[str] = COMPARED) -> Optima:
        """The best plan of each list in given states.

        Args:
            observations: [N, 7 + k].
            names: of the lists; those without any plan are left out.
        """
        known = self.known.expected_rewards(observations)
        wanted = [name for name in dict.fromkeys(names) if len(self.lists.members.get(name, ()))]

        def choose(rows: slice, rewards: NDArray[np.float64]) -> NDArray[np.int64]:
            return np.stack([best_of(self.lists, name, each) for each in (known[rows], rewards) for name in wanted])

        margins, served = margins_of_choices(self.model, observations, choose)
        earned, bounds = (
            {name: margins[index + first] for index, name in enumerate(wanted)} for first in (0, len(wanted))
        )
        return Optima(self.lists, self.model, observations, known, served, earned, bounds)


def optima(
    base: SplitSettings, lists: PlanLists, num_states: int, seed: int, names: Iterable[str] = COMPARED
) -> Optima:
    """Find the best plan of each list in sampled states, and judge them.

    The states are first ones of sessions, independent of each other. In scenarios where decisions reach later requests
    the best plan of a request alone misleads: see `agents.evaluation.planned`.

    Args:
        base: settings of the environment; its plans are replaced by those of the lists.
        lists: of `plan_lists`.
        num_states: N.
        seed: of the states; two scenarios that differ in one range share the luck of all the others.
        names: of the lists; those without any plan are left out.

    Raises:
        ValueError: a reward that is a vector.
    """
    judge = Judge.of(base, lists)
    return judge.optima(sample_observations(judge.model, num_states, seed), names)
