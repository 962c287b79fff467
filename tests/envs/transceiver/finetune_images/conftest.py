"""A small folder of captioned images, and settings of a short training."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

CAPTIONS = ("a red apple", "a blue car at night", "an orange cat on snow", "a green tree", "a red cup on grass")


@pytest.fixture(autouse=True)
def _fresh_accelerate() -> Iterator[None]:
    """Accelerate keeps its state for the whole process; a run of its own starts without it."""
    from accelerate.state import AcceleratorState, GradientState

    yield
    AcceleratorState._reset_state(True)
    GradientState._reset_state()


def write_images(folder: Path, captions: tuple[str, ...] = CAPTIONS) -> Path:
    """Captioned pictures of noise, of several sizes."""
    folder.mkdir(parents=True, exist_ok=True)
    rng, lines = np.random.default_rng(0), []
    for index, caption in enumerate(captions):
        pixels = rng.integers(0, 256, (64 + 8 * index, 72, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{index}.png")
        lines.append(json.dumps({"file_name": f"{index}.png", "text": caption}))
    (folder / "metadata.jsonl").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture(scope="session")
def image_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five captioned images."""
    return write_images(tmp_path_factory.mktemp("images"))


def keys_of(data: Path, model: Path, output: Path, **changes: object) -> dict:
    """The keys of a short run, as the configuration has them."""
    validation = {
        "every": 0,
        "prompts": ["a red apple"],
        "num_inference_steps": 4,
        "split": 3,
        "snr_db": 0.0,
        "seed": 0,
    }
    return {
        "data": str(data),
        "model": str(model),
        "output": str(output),
        "part": "finetune_unet",
        "init": None,
        "target": "guided",
        "guidance_scale": 3.0,
        "snr_db": [-20.0, 20.0],
        "unsaid": 0.1,
        "seed": 0,
        "steps": 4,
        "batch_size": 2,
        "gradient_accumulation": 2,
        "learning_rate": 1e-3,
        "warmup_steps": 2,
        "weight_decay": 1e-2,
        "max_grad_norm": 1.0,
        "ema_decay": 0.9,
        "mixed_precision": "no",
        "gradient_checkpointing": False,
        "num_workers": 0,
        "checkpoint_every": 2,
        "log_every": 1,
        "validation": validation,
        **changes,
    }
