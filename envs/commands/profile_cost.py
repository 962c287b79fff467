"""What measuring a quality profile would cost with Stable Diffusion v1-5: `python -m envs profile_cost`.

Counted, nothing is loaded. Text encoder and judge are left out: a ViT-L/14 that judges every image would add about 1 %.
The settings are those of `make_profile`.
"""

from __future__ import annotations

from omegaconf import DictConfig

from envs.command_line import command, plain


@command("profile_cost")
def main(config: DictConfig) -> None:
    """Print what the configured profile would cost with Stable Diffusion v1-5."""
    from envs.transceiver.profile.cost import A6000_FLOPS_PER_S, TARGET_FLOPS_PER_S, profile_cost  # heavy: after help
    from envs.transceiver.profile.settings import MeasureParams, snrs_measured

    params = MeasureParams.from_config(plain(config.measure), plain(config.transceiver), plain(config.channel))
    cost = profile_cost(params)
    rates = {
        f"at {A6000_FLOPS_PER_S / 1e12:.1f} TFLOP/s (the paper's RTX A6000)": A6000_FLOPS_PER_S,
        f"at a sustained {TARGET_FLOPS_PER_S / 1e12:.0f} TFLOP/s": TARGET_FLOPS_PER_S,
    }
    for name, axes in params.receivers.items():
        requests = " + ".join(f"{params.count(name, part)} {part}" for part in params.requests)
        steps = "/".join(map(str, axes.num_inference_steps))
        print(f"{name}: T {steps}, {requests} requests, {axes.draws} channel draws")
    print(
        f"all splits, about {snrs_measured(params)} of {len(params.snr_db)} SNRs a draw: {cost.forwards:,} forwards of "
        f"Stable Diffusion v1-5's UNet, {cost.light_forwards:,} of a light one and {cost.decodings:,} decodings, "
        f"{cost.flops():.3g} FLOP"
    )
    print(", ".join(f"{cost.flops() / rate / 3600:.1f} GPU hours {name}" for name, rate in rates.items()))
