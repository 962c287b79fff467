"""Evaluations in parts: what each policy earned with each seed, a whole file each, which machines may share."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from agents.evaluation.comparison import Contender
from agents.evaluation.entries import COLUMNS, Entry, Outcomes, joined
from envs.files import WHOLE, Shard, whole_file

NAMED = 4
"""Missing evaluations that a message names."""
GATHER = "gather"


@dataclass(frozen=True)
class Turn:
    """One policy, or training run, in one scenario.

    Attributes:
        entry: what it becomes; its outcomes are still empty.
        name: of the policy or run, where the entry has the group's.
        by: what acts.
        facts: all that its outcomes depend on beside seed and number of requests, as JSON has them.
    """

    entry: Entry
    name: str
    by: Contender
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class Kept:
    """Where outcomes are kept, and which of them are made here.

    Attributes:
        folder: of the files; None: nothing is kept.
        shard: the part that is this process's.
    """

    folder: Path | None = None
    shard: Shard = WHOLE

    def file(self, turn: Turn, num_requests: int, seed: int) -> Path:
        """Of the outcomes with one seed, by all that they depend on."""
        facts = {**turn.facts, "num_requests": num_requests, "num_envs": turn.by.environment.num_envs, "seed": seed}
        digest = hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()[:16]
        return (self.folder or Path()) / f"{digest}.npz"

    def serve(
        self, turns: Sequence[Turn], num_requests: int, seeds: Sequence[int], on_turn: Callable[[str], None]
    ) -> tuple[int, int]:
        """Make what is missing of this part.

        Returns:
            How many files of this part there are now, and how many of all.
        """
        files = [self.file(turn, num_requests, seed) for turn in turns for seed in seeds]
        pairs = [(turn, seed) for turn in turns for seed in seeds]
        own = [(file, *pair) for file, pair in zip(files, pairs, strict=True) if self.shard.holds(file)]
        for file, turn, seed in own:
            if not file.is_file():
                on_turn(f"{turn.entry.scenario}: {turn.name}")
                _write(file, turn.by.serve(num_requests, seed))
        return len(own), len(files)

    def entries(
        self, turns: Sequence[Turn], num_requests: int, seeds: Sequence[int], on_turn: Callable[[str], None]
    ) -> list[Entry]:
        """All outcomes; they are read where they are kept, and served where not.

        Raises:
            ValueError: some are not there that should be, some of them by name.
        """
        if self.folder is not None:
            self._check(turns, num_requests, seeds)
        found = []
        for turn in turns:
            if self.folder is None:
                on_turn(f"{turn.entry.scenario}: {turn.name}")
                parts = [(seed, turn.by.serve(num_requests, seed)) for seed in seeds]
            else:
                parts = [(seed, dict(np.load(self.file(turn, num_requests, seed)))) for seed in seeds]
            own = turn.entry
            found.append(Entry(own.scenario, own.policy, joined(parts), own.run, own.training_seed))
        return found

    def _check(self, turns: Sequence[Turn], num_requests: int, seeds: Sequence[int]) -> None:
        each = [(turn, seed) for turn in turns for seed in seeds]
        missing = [(turn, seed) for turn, seed in each if not self.file(turn, num_requests, seed).is_file()]
        if missing:
            named = "; ".join(f"{turn.name} in {turn.entry.scenario}, seed {seed}" for turn, seed in missing[:NAMED])
            more = f" and {len(missing) - NAMED:,} more" if len(missing) > NAMED else ""
            raise ValueError(f"{len(missing):,} of {len(each):,} evaluations are not in {self.folder}: {named}{more}")


def _write(file: Path, outcomes: Outcomes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(file) as partial:
        np.savez_compressed(partial, **{name: np.asarray(outcomes[name]) for name in COLUMNS})  # type: ignore[arg-type]
