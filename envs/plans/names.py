"""Plans by name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from inspect import signature
from typing import Any, NamedTuple

from envs.checks import import_object, integer
from envs.plans import collaborative_plans as shared
from envs.plans import mobile_edge_plans as meg
from envs.plans.codecs import (
    DEFAULT_QUALITY,
    LATENT_CODECS,
    LOSSLESS_CODECS,
    SUFFIX,
    codec_payload,
    codec_suffix,
    full_codec,
)
from envs.plans.euci_plans import euci
from envs.plans.plan import NUM_INFERENCE_STEPS, Plan, Transmit
from envs.plans.semaigc_plans import (
    cloud_aigc,
    edge_aigc,
    local_aigc,
    local_light_aigc,
    non_finetuning,
    non_root,
    semaigc,
)

PROTOCOLS = ("semaigc", "edge_aigc", "local_aigc", "euci", "uieg_text", "ciag_text")
"""The actions of `SemAIGC/Protocols-v0`: the plans of the four papers whose quality has been measured, each once."""

SCHEMES: dict[str, Callable[[int], Plan]] = {
    "edge_aigc": edge_aigc,
    "local_aigc": local_aigc,
    "local_light_aigc": local_light_aigc,
    "cloud_aigc": cloud_aigc,
    "non_root": non_root,
    "non_finetuning": non_finetuning,
    "full_ue": meg.full_ue,
    "full_es": meg.full_es,
    "uieg": meg.uieg,
    "eiug": meg.eiug,
    "ciag": meg.ciag,
    "esuc": meg.esuc,
    "uieg_text": partial(meg.uieg, request="text"),
    "ciag_text": partial(meg.ciag, request="text"),
    "esuc_text": partial(meg.esuc, request="text"),
}
"""Plans that T alone defines."""


class Family(NamedTuple):
    """Plans of one name and some whole numbers: `name(1,2)`.

    Attributes:
        make: (*numbers, num_inference_steps=T) -> Plan.
        numbers: what they are called.
        first: of a family of splits, which its bare name expands to: the first one; the last is T - `left`.
        left: denoising steps that the last one leaves to the other end.
    """

    make: Callable[..., Plan]
    numbers: tuple[str, ...]
    first: int | None = None
    left: int = 0


FAMILIES: dict[str, Family] = {
    "semaigc": Family(semaigc, ("split",), 0),
    "euci": Family(euci, ("split",), 1),
    "euci_unet_sent": Family(partial(euci, weights="sent"), ("split",), 1),
    "euci_cache_miss": Family(partial(euci, weights="fetched"), ("split",), 1),
    "edge_to_devices": Family(shared.edge_to_devices, ("shared", "users")),
    "device_to_device": Family(shared.device_to_device, ("shared",)),
    "cluster": Family(shared.cluster, ("shared", "users")),
    "uidg": Family(meg.uidg, ("servers",)),
    "diug": Family(meg.diug, ("servers",)),
    "dsuc": Family(meg.dsuc, ("servers",)),
    "uidcg": Family(meg.uidcg, ("servers",)),
    "dcsuc": Family(meg.dcsuc, ("servers",)),
}
"""Plans with numbers in their names."""


def expand(
    names: str | Plan | Sequence[str | Plan], num_inference_steps: int = NUM_INFERENCE_STEPS
) -> tuple[Plan, ...]:
    """Turn names into plans, in their order; a plan that comes twice is kept at its first place.

    Args:
        names: a name of `SCHEMES`, a name of `FAMILIES` with its numbers (`"semaigc(7)"`), a family of splits
            without (`"semaigc"` is splits 0..T, `"euci"` 1..T), or a plan; or several of these. `module:NAME` or
            `FILE.py:NAME`, with numbers or without, is one's own `Plan`, `Family`, or function of numbers and
            `num_inference_steps` that gives a plan, see `envs.checks.import_object`. Behind any of them may stand
            codecs of what it sends (`envs.plans.codecs`) and its own T: `"edge_aigc_webp@8"`, `"semaigc(12)_u4"`,
            `"semaigc@8"` (splits 0..8).
        num_inference_steps: T of the plans given by name that do not say theirs.

    Raises:
        ValueError: an unknown name, numbers that its plan refuses, a codec of what it does not send, no name at all, or
            one name for different plans.
    """
    chosen: dict[str, Plan] = {}
    for name in names if isinstance(names, Iterable) and not isinstance(names, str) else [names]:
        for plan in (name,) if isinstance(name, Plan) else _named(name, num_inference_steps):
            if chosen.setdefault(plan.name, plan) != plan:
                raise ValueError(f"two different plans are named {plan.name!r}")
    if not chosen:
        raise ValueError("plans must name at least one plan, got none")
    return tuple(chosen.values())


def _named(name: str, total: int) -> tuple[Plan, ...]:
    match = re.fullmatch(rf"(.+?)((?:{SUFFIX})*)(?:@(\d+))?", name) if isinstance(name, str) else None
    if match is None:
        return _uncoded(name, total)
    body, suffixes, steps = match.groups()
    codecs = [full_codec(suffix[1:]) for suffix in re.findall(SUFFIX, suffixes)]
    made = _uncoded(body, total if steps is None else int(steps))
    if steps is not None and (other := [plan for plan in made if plan.num_inference_steps != int(steps)]):
        raise ValueError(f"plan {name!r}: {body} takes {other[0].num_inference_steps} steps, whatever is asked for")
    at = "" if steps is None or int(steps) == total else f"@{int(steps)}"
    return tuple(replace(plan, name=plan.name + at) for plan in _coded(name, made, codecs))


def _uncoded(name: str, total: int) -> tuple[Plan, ...]:
    if isinstance(name, str) and ":" in name:
        return _imported(name, total)
    if name in SCHEMES:
        return (SCHEMES[name](total),)
    stem, numbers = _parts(name)
    if stem not in FAMILIES:
        raise ValueError(f"unknown plan {name!r}; allowed: {', '.join(_allowed(total))}; {_SUFFIXES}")
    return _members(name, stem, FAMILIES[stem], numbers, total)


_SUFFIXES = (
    f"each with _{', _'.join((*LOSSLESS_CODECS, *DEFAULT_QUALITY))} where it sends an image, "
    f"_{LATENT_CODECS[0]}.._{LATENT_CODECS[-1]} where it sends a latent, and @T for its own number of steps"
)


def _coded(name: str, made: Sequence[Plan], codecs: Sequence[str]) -> Sequence[Plan]:
    """The same plans with codecs of what they send; of a family, those that send it."""
    by_payload = {codec_payload(codec): codec for codec in sorted(codecs, key=codec_payload, reverse=True)}
    if len(by_payload) < len(codecs):
        raise ValueError(f"plan {name!r} names several codecs of the same: {', '.join(codecs)}")
    coded = list(made)
    for payload, codec in by_payload.items():
        sends = [any(isinstance(s, Transmit) and s.payload == payload for s in plan.stages) for plan in made]
        if not any(sends):
            raise ValueError(f"plan {name!r}: it sends no {payload}, so that codec {codec} has nothing to do")
        coded = [_with_codec(plan, codec) if sent else plan for plan, sent in zip(coded, sends, strict=True)]
    return coded


def _with_codec(plan: Plan, codec: str) -> Plan:
    stages = tuple(
        replace(stage, codec=codec) if isinstance(stage, Transmit) and stage.payload == codec_payload(codec) else stage
        for stage in plan.stages
    )
    return replace(plan, name=plan.name + codec_suffix(codec), stages=stages)


def _imported(name: str, total: int) -> tuple[Plan, ...]:
    """Plans of a user's own code."""
    place, _, held = name.rpartition(":")
    stem, numbers = _parts(held)
    stem = f"{place}:{held if stem is None else stem}"
    found = import_object(stem)
    made: tuple[Any, ...] = (found,) if numbers is None else ()
    if callable(found) and "num_inference_steps" in signature(found).parameters:
        words = tuple(word for word in signature(found).parameters if word != "num_inference_steps")
        found, numbers = Family(found, words), numbers if words else numbers or ()
    if isinstance(found, Family):
        made = _members(name, stem, found, numbers, total)
    if not made or not all(isinstance(each, Plan) for each in made):
        raise ValueError(
            f"plan {name!r} must be a Plan, a Family, or a function of numbers and num_inference_steps that gives a "
            f"Plan, got {found!r}"
        )
    return made


def _members(name: str, stem: str, family: Family, numbers: tuple[int, ...] | None, total: int) -> tuple[Plan, ...]:
    """The plan of a family that numbers choose, or all of a family of splits."""
    if numbers is None and family.first is not None:
        total = integer("num_inference_steps", total, 1)
        splits = range(family.first, total - family.left + 1)
        return tuple(family.make(split, num_inference_steps=total) for split in splits)
    if numbers is None or len(numbers) != len(family.numbers):
        raise ValueError(f"plan {name!r} must be written {stem}({','.join(family.numbers)}), with whole numbers")
    return (family.make(*numbers, num_inference_steps=total),)


def _parts(name: str) -> tuple[str | None, tuple[int, ...] | None]:
    """`"a(1,2)"` as ("a", (1, 2)), `"a"` as ("a", None); no stem for anything else."""
    match = re.fullmatch(r"(\w+)(?:\((-?\d+(?:,-?\d+)*)\))?", name.replace(" ", "")) if isinstance(name, str) else None
    if match is None:
        return None, None
    return match[1], None if match[2] is None else tuple(map(int, match[2].split(",")))


def _allowed(total: int) -> list[str]:
    splits = {name: family.first for name, family in FAMILIES.items() if family.first is not None}
    ranges = {name: [name, f"{name}({first}..{total - FAMILIES[name].left})"] for name, first in splits.items()}
    others = [f"{name}({','.join(family.numbers)})" for name, family in FAMILIES.items() if name not in splits]
    return [*ranges.pop("semaigc"), *SCHEMES, *(word for words in ranges.values() for word in words), *others]
