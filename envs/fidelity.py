"""Where images and their quality come from: the measured profile, or a transceiver that really generates them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from envs import checks
from envs.model import SplitModel
from envs.quality import QualitySource, Served
from envs.scenario import RequestState
from envs.transceiver import ModelOptions, QualityProfile, Request, networks_fingerprint
from envs.transceiver.profile.table import METRICS
from envs.units import FloatArray

DEFAULT_OPTIONS = ModelOptions()


class Measure(Protocol):
    """Generates images and measures them: what `envs.transceiver.profile.live.LiveQuality` does."""

    def measure(
        self,
        action: NDArray[np.integer],
        request: NDArray[np.integer],
        snr_db: NDArray[np.float64],
        draw: NDArray[np.integer],
    ) -> tuple[dict[str, NDArray[np.float64]], NDArray[np.float32]]:
        """One attempt for each of M requests: (metric -> [M], images [M, 3, H, W] in [0, 1])."""


def quality_source(model: SplitModel) -> QualitySource:
    """Choose what serves the requests of a model, by its settings `fidelity`, `transceiver` and `channel`.

    Raises:
        ValueError: a profile of another channel, a transceiver over another one, or a channel of bits where the link
            sends symbols.
    """
    if model.link.sends_symbols and model.channel is not None and model.channel.SENDS_BITS:
        raise ValueError(
            f"link {model.settings.link} sends symbols, channel {model.channel.name} bits: take awgn or rayleigh"
        )
    if model.settings.fidelity == "profile":
        _check_measured_over(model)
        return model.quality
    return LiveSource(live_quality(model, model.requests, model.settings.receiver), model)


def live_quality(model: SplitModel, requests: Sequence[Request], receiver: str) -> Measure:
    """What generates a model's plans for any requests, with its transceiver over its channel.

    Args:
        model: the decision process.
        requests: what may be asked for.
        receiver: of plans that hand over a latent.

    Raises:
        ValueError: a transceiver over another channel than the model's.
    """
    from envs.transceiver import load_transceiver
    from envs.transceiver.profile.live import LiveQuality  # torch and diffusers, only where images are generated

    channel, transceiver = "awgn" if model.channel is None else model.channel, model.settings.transceiver
    live = LiveQuality(
        requests=requests,
        plans=model.plans,
        receiver=receiver,
        transceiver=load_transceiver(channel=channel) if transceiver is None else transceiver,
        is_noisy=model.link.is_noisy,
    )
    used = live.transceiver.fingerprint["channel"]
    if model.link.is_noisy and model.channel is not None and used != model.channel.fingerprint:
        raise ValueError(f"the transceiver sends over channel {used!r}, asked for is {model.channel.fingerprint!r}")
    return live


def fresh_requests(profile: QualityProfile, count: int, rng: np.random.Generator) -> tuple[Request, ...]:
    """Requests that a profile has in no part, drawn at random: fresh seeds, and prompts as its own ones are.

    Args:
        profile: whose requests are left out; the prompts are those of all captioned scenes, or its own where it was
            measured on others.
        count: of the requests.
        rng: source of the randomness.
    """
    from envs.transceiver.scenes.scenes import ALL_SCENES

    known = {request for part in profile.parts.values() for request in part.requests}
    captions, own = tuple(scene.caption for scene in ALL_SCENES), sorted({request.prompt for request in known})
    prompts = captions if {*own} <= {*captions} else own
    drawn: list[Request] = []
    while len(drawn) < count:
        request = Request(prompts[rng.integers(len(prompts))], int(rng.integers(2**31)))
        if request not in known:
            drawn.append(request)
    return tuple(drawn)


def _check_measured_over(model: SplitModel) -> None:
    part = model.profile.part(model.settings.requests)
    noisy = [key for key in model.quality.keys if model.link.is_noisy and not key.is_coded]
    measured = {part.table(key).fingerprint.get("channel") for key in noisy}
    if model.channel is not None and not measured <= {model.channel.fingerprint}:
        raise ValueError(
            f"the profile was measured over channel {measured.pop()!r}, asked for is {model.channel.fingerprint!r}: "
            "measure one (python -m envs make_profile channel=...), or generate every image (fidelity=live)"
        )


def check_measured_with(
    model: SplitModel,
    path: str | None = None,
    options: ModelOptions = DEFAULT_OPTIONS,
    guidance_scale: float | None = None,
) -> None:
    """Refuse weights that the tables of a model were not measured with, by the files in its folders.

    Args:
        model: the decision process.
        path, options, guidance_scale: of the transceiver, as `envs.transceiver.load_transceiver` takes them.

    Raises:
        ValueError: naming the table, what it was measured with and what is given.
    """
    from envs.transceiver.profile.files import table_network  # torch

    part = model.profile.part(model.settings.requests)
    for key in model.quality.keys:
        network = table_network(key)
        given = networks_fingerprint(path, options, key.num_inference_steps, guidance_scale, network)
        try:
            part.table(key).check_measured_with(given)
        except ValueError as error:
            raise ValueError(f"the profile's table of {key} was {error}") from error


class LiveSource:
    """Serves requests by generating every attempt, in batches of those that are still waiting.

    Args:
        measure: what generates and measures.
        model: whose acceptance rule holds.
    """

    def __init__(self, measure: Measure, model: SplitModel) -> None:
        self._measure = measure
        self._metrics = METRICS
        self._rule = model.settings.acceptance_rule

    def serve(
        self, action: NDArray[np.integer], state: RequestState, possible: NDArray[np.bool_] | None = None
    ) -> Served:
        """Serve request n of the state by plan `action[n]`; see `envs.quality.QualitySource`."""
        count = len(action)
        waiting = np.arange(count) if possible is None else np.flatnonzero(possible)
        attempts = np.zeros(count, dtype=np.int64)
        quality = {name: np.full(count, np.nan) for name in self._metrics}
        images: NDArray[np.float32] | None = None
        for draw in state.draws:
            if not len(waiting):
                break
            values, made = self._measure.measure(
                action[waiting], state.request[waiting], state.snr_db[waiting], draw[waiting]
            )
            if images is None:
                images = np.zeros((count, *made.shape[1:]), made.dtype)
            images[waiting] = made
            for name, value in values.items():
                quality[name][waiting] = value
            attempts[waiting] += 1
            waiting = waiting[values[self._rule.metric] < self._rule.least]
        return Served(attempts, quality[self._rule.metric] >= self._rule.least, quality, images)


@dataclass(frozen=True)
class ComparedRewards:
    """Rewards of N requests, each served by one plan.

    Attributes:
        action: integers [N], the plan.
        request: integers [N], index into the profile's requests.
        snr_db: float64 [N].
        profile: float64 [N], read from the profile.
        live: float64 [N], really generated, with the channel draws that the profile was measured with.
        profile_mean: float64 [N], mean of the profile over all orders of its draws.
        live_fresh: float64 [N], really generated, with draws that the profile has not seen.
    """

    action: NDArray[np.integer]
    request: NDArray[np.integer]
    snr_db: FloatArray
    profile: FloatArray
    live: FloatArray
    profile_mean: FloatArray
    live_fresh: FloatArray


def compare_rewards(
    model: SplitModel, live: LiveSource, action: NDArray[np.integer], state: RequestState
) -> ComparedRewards:
    """Serve requests by the profile and live, with the same and with fresh channel draws.

    With the same draws both see the same noise, so only the interpolation between the measured SNRs and the rounding
    of the table are left: most differences are zero, and few requests give a narrow interval. Fresh draws tell
    besides how well the few measured ones stand for the channel; there the profile's mean over the orders of its
    draws takes its own luck out of each difference.

    Args:
        model: the decision process; its reward is a number, no vector.
        live: generates the same requests.
        action: integers [N], the plan of each.
        state: N requests.
    """

    def rewards(quality: QualitySource, given: RequestState) -> FloatArray:
        return model.serve(action, given, quality)[0]

    count, draws = len(action), model.quality.num_draws
    orders = permutations(range(draws), model.quality.max_attempts)
    ordered = [rewards(model.quality, state._replace(draws=_same_for_all(order, count))) for order in orders]
    return ComparedRewards(
        action,
        state.request,
        state.snr_db,
        rewards(model.quality, state),
        rewards(live, state),
        np.mean(ordered, axis=0),
        rewards(live, state._replace(draws=state.draws + draws)),
    )


class FittingLoss(NamedTuple):
    """Reward that a decision loses because few requests were measured, with the half-width of its interval (95 %)."""

    mean: float
    half: float


def fitting_loss(model: SplitModel, num_states: int = 512, folds: int = 8, seed: int = 0) -> FittingLoss:
    """What the oracle of a sample of requests loses, by cross-validation over these requests.

    In each of some states the best plan of all requests is compared with that of the other folds, on each fold's own
    requests. The former has seen them, so the difference is an upper bound, in expectation, of what an oracle that was
    fitted on so many requests (less a fold) loses on others against the best there is.

    Source: own derivation (optimism of the sample optimum, bounded by cross-validation).

    Args:
        model: the decision process, on the requests that are to be fitted on; its reward is a number.
        num_states, seed: of the states, which are independent first ones of the scenario.
        folds: of the requests.

    Raises:
        ValueError: fewer requests than two.
    """
    count = checks.integer("measured requests", model.quality.num_requests, 2)
    scenario = model.new_scenario()
    scenario.reset(num_states, np.random.default_rng(seed))
    rewards = model.expected_rewards(model.observe(scenario.state), by_request=True)  # [R, N, P]
    fold, best = np.arange(count) % min(folds, count), rewards.mean(axis=0).argmax(axis=-1)
    lost = np.empty(count)
    for each in range(fold.max() + 1):
        own = rewards[fold == each]
        chosen = rewards[fold != each].mean(axis=0).argmax(axis=-1)
        gained = [np.take_along_axis(own, plan[None, :, None], axis=-1).mean(axis=(1, 2)) for plan in (best, chosen)]
        lost[fold == each] = gained[0] - gained[1]
    return FittingLoss(float(lost.mean()), float(1.96 * lost.std(ddof=1) / np.sqrt(count)))


def _same_for_all(order: tuple[int, ...], count: int) -> NDArray[np.int64]:
    return np.repeat(np.array(order, dtype=np.int64)[:, None], count, axis=1)
