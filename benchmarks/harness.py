"""What the benchmarks share: settings from the command line, turns, clocks and memory."""

from __future__ import annotations

import argparse
import ctypes
import gc
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import torch
from tqdm import tqdm

Run = Callable[[], Any]
Each = TypeVar("Each")


def settings(description: str | None) -> argparse.ArgumentParser:
    """What reads a benchmark's settings; `--help` prints the description as it is."""
    return argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)


def processor_s(run: Run, calls: int = 1) -> float:
    """Processor time of a call, in seconds."""
    start = time.process_time()
    for _ in range(calls):
        run()
    return (time.process_time() - start) / calls


def seconds(run: Run, device: torch.device) -> float:
    """Seconds of one run: of the processor on a CPU (one thread), of the clock on a GPU."""
    if device.type != "cuda":
        return processor_s(run)
    torch.cuda.synchronize(device)
    start = time.perf_counter()
    run()
    torch.cuda.synchronize(device)
    return time.perf_counter() - start


def in_turns(contestants: Sequence[Each], rounds: int, title: str) -> Iterator[tuple[int, Each]]:
    """(round, contestant): every one in every round, from the first to the last and back in the next."""
    for turn in tqdm(range(rounds), desc=title, unit="round", leave=False):
        for contestant in contestants[:: -1 if turn % 2 else 1]:
            yield turn, contestant


def peak_bytes(run: Run, device: torch.device) -> float:
    """Most memory that a run takes beyond what was held before; NaN where the system does not say."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        run()
        return torch.cuda.max_memory_allocated(device) - before
    reset, status = Path("/proc/self/clear_refs"), Path("/proc/self/status")
    if not reset.exists() or not hasattr(libc := ctypes.CDLL(None), "malloc_trim"):
        return float("nan")
    gc.collect()
    libc.malloc_trim(0)  # what earlier runs freed goes back to the system, so that this one takes it again
    reset.write_text("5")  # sets the peak to what is held now
    before = _resident_bytes(status, "VmRSS")
    run()
    return _resident_bytes(status, "VmHWM") - before


def _resident_bytes(status: Path, name: str) -> int:
    line = next(line for line in status.read_text().splitlines() if line.startswith(name))
    return 1024 * int(line.split()[1])
