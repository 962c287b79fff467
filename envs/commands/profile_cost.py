"""What measuring a quality profile would cost with Stable Diffusion v1-5: `python -m envs profile_cost`.

Counted, nothing is loaded. Text encoder and judge are left out: a ViT-L/14 that judges every image would add about 1 %.
The settings are those of `make_profile`.
"""

from __future__ import annotations

from omegaconf import DictConfig

from envs.command_line import command
from envs.transceiver.profile.cost import A6000_FLOPS_PER_S, TARGET_FLOPS_PER_S, profile_cost

RATES = {
    f"at {A6000_FLOPS_PER_S / 1e12:.1f} TFLOP/s (the paper's RTX A6000)": A6000_FLOPS_PER_S,
    f"at a sustained {TARGET_FLOPS_PER_S / 1e12:.0f} TFLOP/s": TARGET_FLOPS_PER_S,
}


@command("profile_cost")
def main(config: DictConfig) -> None:
    """Print what the configured profile would cost with Stable Diffusion v1-5."""
    from envs.transceiver.receivers import receiver_named

    measured = config.measure
    draws = {str(name): int(count) for name, count in measured.receivers.items()}
    cost = profile_cost(
        draws,
        {name: receiver_named(name).guided for name in draws},
        measured.num_requests,
        len(measured.snr_db),
        measured.num_inference_steps,
    )
    hours = {name: cost.flops() / rate / 3600 for name, rate in RATES.items()}
    print(
        f"Stable Diffusion v1-5, {measured.num_requests} requests x {measured.num_inference_steps + 1} splits x "
        f"{len(measured.snr_db)} SNRs x draws {'/'.join(map(str, draws.values()))} of {'/'.join(draws)}: "
        f"{cost.forwards:,} UNet forwards and {cost.decodings:,} decodings, {cost.flops():.3g} FLOP; "
        + ", ".join(f"{value:.1f} GPU hours {name}" for name, value in hours.items())
    )
