"""What a latent shows to an eavesdropper, who has neither the prompt nor the seed.

He decodes it as it came, or finishes it with an empty prompt: both with the generator's own weights, and with the noise
of a link of his own. Beside him stands the user, who has the prompt, and somebody who has received nothing. Networks
that are trained to attack could find more than either: what is found here is the least that leaks.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from tqdm import tqdm

from agents.evaluation.statistics import NOTHING as NO_INTERVAL
from agents.evaluation.statistics import Interval, column_intervals
from agents.experiments.shared.claims import Claim, Near, order_claim, report, value_claim
from agents.experiments.shared.findings import Findings, Row
from agents.experiments.shared.states import mean_over_states
from agents.experiments.shared.study import Study
from agents.reports.drawing import draw_intervals, subplots
from agents.reports.style import GREY, OKABE_ITO, house_style
from envs.checks import Count, Points
from envs.files import whole_file
from envs.transceiver import metrics_against

WORDS = ("noun", "colour", "place")
METRICS = ("alignment", "ssim", "psnr_db", *WORDS)
USER, FINISHED, DECODED, NOTHING = "user", "finished", "decoded", "nothing"
LABELS = {
    USER: "user, who has the prompt",
    FINISHED: "finished with an empty prompt",
    DECODED: "decoded as it came",
    NOTHING: "nothing received",
}
COLOURS = {USER: OKABE_ITO[0], FINISHED: OKABE_ITO[5], DECODED: OKABE_ITO[1], NOTHING: GREY}
SHOWN = {"alignment": "Alignment with the prompt", "noun": "Nouns read", "colour": "Colours read", "ssim": "SSIM"}
RECEIVER = "rematch"
HIS_DRAW = 1
"""Channel draw of the eavesdropper's link; the user's is 0."""
OTHER_SEEDS = 10**6
"""What seeds are moved by for who has received nothing."""
AT_CHANCE = 0.05
"""A share of words read counts as chance within this of it."""


@dataclass(frozen=True)
class Options:
    """Sizes.

    Attributes:
        splits: steps that the latent has behind it, 1..T.
        snr_db: of the eavesdropper's link.
        num_requests: the first ones of those that policies are judged on.
        early: share of the steps after which a latent is early: what "shared steps" hand over.
    """

    splits: list[int]
    snr_db: Points
    num_requests: Count
    early: float


@dataclass(frozen=True)
class Overheard:
    """What each one gets of the same R requests.

    Attributes:
        splits, snr_db: K and S.
        values: name -> metric -> float64 [R, K, S]; a word is 1 where it was read right, NaN where the prompt has none.
        chance: word -> share that guessing gets right.
    """

    splits: Sequence[int]
    snr_db: Sequence[float]
    values: Mapping[str, Mapping[str, NDArray[np.float64]]]
    chance: Mapping[str, float]

    def interval(self, name: str, metric: str, split: int, snr_db: float) -> Interval:
        """Mean over the requests, of those that say the word."""
        own = self.values[name][metric][:, self.splits.index(split), self.snr_db.index(snr_db)]
        return _mean(own[np.isfinite(own)])

    def lead(self, name: str, other: str, metric: str, split: int, snr_db: float) -> Interval:
        """The same of paired differences."""
        place = np.s_[:, self.splits.index(split), self.snr_db.index(snr_db)]
        gap = self.values[name][metric][place] - self.values[other][metric][place]
        return _mean(gap[np.isfinite(gap)])


def _mean(values: NDArray[np.float64]) -> Interval:
    return mean_over_states(values) if len(values) else NO_INTERVAL


def run(study: Study, options: Options) -> Findings:
    """Overhear with the live transceiver (a part a split, resumable) and compare with the user and with guessing."""
    steps = study.num_inference_steps
    splits = sorted(set(options.splits))
    if not splits or not 0 < splits[0] <= splits[-1] <= steps:
        raise ValueError(f"experiment.splits must lie in 1..{steps}, where a latent is sent; got {options.splits}")
    if not 0 < options.early <= 1:
        raise ValueError(f"experiment.early must lie in (0, 1], got {options.early}")
    if study.settings.link == "digital":
        study.note("over link=digital nothing noisy arrives: the eavesdropper's is the analogue one all the same")
    heard = _overhear(study, options, splits)
    early = max((split for split in splits if split <= options.early * steps), default=splits[0])
    return Findings(
        "Eavesdropper: what the latent shows without prompt and seed",
        {"": _draw(heard)},
        {"": _rows(heard)},
        _claims(heard, early),
        [
            *study.notes,
            f"{len(heard.values[USER]['ssim'])} requests, receiver {RECEIVER} on both sides; whoever received nothing "
            "generates with an empty prompt from another seed. Chance is that of the classifier's words.",
            "The eavesdropper has the generator's weights and knows split and SNR. One who trains a network for it may "
            "read more: this is a lower bound of what leaks.",
        ],
    )


def _overhear(study: Study, options: Options, splits: Sequence[int]) -> Overheard:
    transceiver = study.live_transceiver()
    classifier = transceiver.components.classifier
    if classifier is None:
        raise ValueError("the eavesdropper's words are read by the classifier of the model, which has none")
    requests = study.part.requests[: options.num_requests]
    prompts, seeds = [each.prompt for each in requests], [each.seed for each in requests]
    judge = _Judge(transceiver, prompts, seeds)
    folder = study.folder / "parts"
    folder.mkdir(parents=True, exist_ok=True)
    facts = [transceiver.fingerprint, [list(map(str, each)) for each in zip(prompts, seeds, strict=True)]]
    digest = hashlib.sha256(json.dumps([*facts, list(options.snr_db)], sort_keys=True).encode()).hexdigest()[:12]
    parts = []
    for split in tqdm(splits, desc="eavesdropper", unit="split", leave=False):
        path = folder / f"split{split}_{digest}.npz"
        if not path.is_file():
            with whole_file(path) as partial:
                np.savez(partial, **_one_split(judge, split, options.snr_db))  # type: ignore[arg-type]
        with np.load(path) as kept:
            parts.append({name: kept[name] for name in kept.files})
    nothing = np.broadcast_to(judge.of_nothing()[:, None], (len(METRICS), len(splits), len(requests)))
    values = {
        name: dict(zip(METRICS, np.stack([part[name] for part in parts], axis=2), strict=True))  # [M][R, K, S]
        for name in (USER, FINISHED, DECODED)
    }
    shape = (len(requests), len(splits), len(options.snr_db))
    values[NOTHING] = {
        metric: np.broadcast_to(own.T[..., None], shape) for metric, own in zip(METRICS, nothing, strict=True)
    }
    heads = (classifier.config.nouns, classifier.config.colours, classifier.config.places)
    chance = {word: 1 / len(words) for word, words in zip(WORDS, heads, strict=True)}
    return Overheard(splits, list(options.snr_db), values, chance)


def _one_split(judge: _Judge, split: int, snr_db: Sequence[float]) -> dict[str, NDArray[np.float64]]:
    """Metrics of everybody who receives the latent, [M, R, S] each."""
    found: dict[str, list[NDArray[np.float64]]] = {USER: [], FINISHED: [], DECODED: []}
    for level in snr_db:
        for name, images in judge.images_of(split, level).items():
            found[name].append(judge.metrics(images))
    return {name: np.stack(each, axis=-1) for name, each in found.items()}


class _Judge:
    """Makes the images of everybody for some requests, and says what they show."""

    def __init__(self, transceiver: Any, prompts: Sequence[str], seeds: Sequence[int]) -> None:
        self.transceiver, self.prompts, self.seeds = transceiver, prompts, seeds
        self.states = transceiver.trajectory(prompts, seeds)
        self.reference = transceiver.decode(self.states[-1])
        classifier = transceiver.components.classifier
        self.classifier, self.labels = classifier, np.array([classifier.labels(prompt) for prompt in prompts])

    def images_of(self, split: int, snr_db: float) -> dict[str, Any]:
        """Images [R, 3, H, W] of the user and of the eavesdropper, each over a link of his own."""
        count = len(self.seeds)
        sent = self.states[split]

        def receive(prompts: Sequence[str], draw: int) -> Any:
            return self.transceiver.deliver(sent, prompts, self.seeds, split, snr_db, RECEIVER, [draw] * count)

        overheard = receive([""] * count, HIS_DRAW)
        return {
            USER: receive(self.prompts, 0).images,
            FINISHED: overheard.images,
            DECODED: self.transceiver.decode(overheard.latents_received),
        }

    def of_nothing(self) -> NDArray[np.float64]:
        """Metrics [M, R] of images that have nothing to do with the requests."""
        seeds = [seed + OTHER_SEEDS for seed in self.seeds]
        return self.metrics(self.transceiver.decode(self.transceiver.trajectory([""] * len(seeds), seeds)[-1]))

    def metrics(self, images: Any) -> NDArray[np.float64]:
        """`METRICS` [M, R] of images, beside the noise-free image of the request and its words."""
        values = metrics_against(images, self.reference)
        values["alignment"] = self.classifier.alignment(images, self.prompts).double().cpu().numpy()
        for word, logits, label in zip(WORDS, self._read(images), self.labels.T, strict=True):
            values[word] = np.where(label < 0, np.nan, logits == label)
        return np.stack([np.asarray(values[name], dtype=np.float64) for name in METRICS])

    def _read(self, images: Any) -> list[NDArray[np.int64]]:
        """The likeliest noun, colour and place of each image, [R] each."""
        with torch.no_grad():
            return [logits.argmax(dim=1).cpu().numpy() for logits in self.classifier(images)]


def _claims(heard: Overheard, early: int) -> list[Claim]:
    best_db, last = heard.snr_db[-1], heard.splits[-1]
    read = {
        word: max(
            (heard.interval(name, word, early, best_db) for name in (FINISHED, DECODED)), key=lambda each: each.mean
        )
        for word in WORDS
    }
    at_best = f"at {best_db:g} dB"
    seen = heard.lead(FINISHED, NOTHING, "alignment", early, best_db)
    of_user = heard.interval(USER, "alignment", early, best_db)
    return [
        value_claim(
            "paper",
            "Du et al.: handing a latent over after shared steps maintains privacy (nothing is read off it)",
            f"after {early} steps {at_best}: "
            + ", ".join(f"{word} {read[word].text('.2f')} (chance {heard.chance[word]:.2f})" for word in WORDS),
            [(Near(heard.chance[word], AT_CHANCE), each) for word, each in read.items()],
            "the latent shows part of the prompt although neither prompt nor seed is known",
        ),
        order_claim(
            "paper",
            "MEG: whoever overhears the latent can go on with the generation and see the content",
            f"after {early} steps {at_best}: alignment {seen.text('+.3f')} over nothing received, the user has "
            f"{of_user.mean:.3f}",
            [seen],
            "what is overheard shows no more than nothing at all",
        ),
        *(report(f"from which split on a {word} is read beyond chance", _since(heard, word)) for word in WORDS),
        report(
            "how much of the user's alignment the eavesdropper has",
            "; ".join(
                f"after {split} steps "
                + ", ".join(
                    f"{heard.interval(FINISHED, 'alignment', split, snr_db).mean:.2f} of "
                    f"{heard.interval(USER, 'alignment', split, snr_db).mean:.2f} at {snr_db:g} dB"
                    for snr_db in dict.fromkeys((heard.snr_db[0], best_db))
                )
                for split in dict.fromkeys((early, last))
            ),
        ),
    ]


def _since(heard: Overheard, word: str) -> str:
    """The first split at each SNR at which either way of looking is clearly above chance."""
    found = []
    for snr_db in heard.snr_db:
        clear = [
            split
            for split in heard.splits
            if any(heard.interval(name, word, split, snr_db).low > heard.chance[word] for name in (FINISHED, DECODED))
        ]
        found.append(f"{clear[0] if clear else 'none'} at {snr_db:g} dB")
    return ", ".join(found) + f" (chance {heard.chance[word]:.2f})"


def _rows(heard: Overheard) -> list[Row]:
    return [
        {"who": name, "split": split, "snr_db": snr_db}
        | {metric: heard.interval(name, metric, split, snr_db) for metric in METRICS}
        | {f"{word}_chance": heard.chance[word] for word in WORDS}
        for name in LABELS
        for split in heard.splits
        for snr_db in heard.snr_db
    ]


@house_style()
def _draw(heard: Overheard) -> Figure:
    levels = list(dict.fromkeys((heard.snr_db[0], heard.snr_db[-1])))
    shape = len(levels), len(SHOWN)
    figure, panels = subplots(
        2.3 * len(SHOWN), 0.5 + 2.1 * len(levels), *shape, squeeze=False, sharex=True, sharey=True
    )
    for row, snr_db in zip(panels, levels, strict=True):
        column = heard.snr_db.index(snr_db)
        for panel, (metric, title) in zip(row, SHOWN.items(), strict=True):
            for name, label in LABELS.items():
                values = heard.values[name][metric][:, :, column]
                said = values[np.isfinite(values).all(axis=1)]
                means = column_intervals(said) if len(said) else [NO_INTERVAL] * len(heard.splits)
                draw_intervals(panel, heard.splits, means, color=COLOURS[name], marker=".", label=label)
            if metric in heard.chance:
                panel.axhline(heard.chance[metric], color="black", linewidth=0.8, linestyle=":")
            panel.set(title=f"{title}, {snr_db:g} dB", ylim=(-0.02, 1.02))
        row[0].set_ylabel("Mean over requests")
    for panel in panels[-1]:
        panel.set_xlabel("Split (edge steps)")
    handles, names = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=len(LABELS))
    return figure
