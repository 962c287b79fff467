"""Bad input ends a command with one clear line on stderr and exit status 2; a bug still shows its traceback."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hydra.errors import ConfigCompositionException, HydraException, MissingConfigException
from omegaconf.errors import OmegaConfBaseException

CONFIGS = Path(__file__).parents[1] / "configs"
EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130
_SWITCH = "HYDRA_FULL_ERROR"
_WANTS_TRACEBACK = os.environ.get(_SWITCH) == "1"


class Interrupted(KeyboardInterrupt):
    """The user stopped a run; the message says how to go on with it."""


@contextmanager
def one_line_errors(clean: Path | None = None) -> Iterator[None]:
    """Turn errors of the user's input into one line and exit status 2.

    Wrap it around a Hydra main (for errors of composition) and around the body of the task (so that Hydra
    adds no lines of its own). `HYDRA_FULL_ERROR=1` keeps the tracebacks.

    Args:
        clean: a folder to remove after an error if nothing was written to it.

    Raises:
        SystemExit: 2 after an error of the input, 130 after an interruption.
    """
    before = os.environ.get(_SWITCH)
    os.environ[_SWITCH] = "1"  # Hydra then hands its errors over instead of printing them and exiting with 1
    try:
        yield
    except (HydraException, OmegaConfBaseException, ValueError, OSError) as error:
        if _WANTS_TRACEBACK:
            raise
        print(f"error: {one_line(error)}", file=sys.stderr)
        raise SystemExit(EXIT_BAD_INPUT) from None
    except KeyboardInterrupt as stop:
        if _WANTS_TRACEBACK:
            raise
        print(str(stop) or "interrupted", file=sys.stderr)
        raise SystemExit(EXIT_INTERRUPTED) from None
    finally:
        if clean is not None and clean.is_dir() and not any(clean.iterdir()):
            clean.rmdir()
        if before is None:
            os.environ.pop(_SWITCH, None)
        else:
            os.environ[_SWITCH] = before


def one_line(error: BaseException) -> str:
    """The message of an error in one line, with what is allowed instead of advice that does not apply here."""
    text = " ".join(str(error).split())
    if isinstance(error, MissingConfigException):
        text = text.partition(" Config search path")[0]
        if not error.options and error.missing_cfg_file:
            text = f"{text.rstrip('.')}; allowed: {', '.join(_variants(str(error.missing_cfg_file)))}"
    elif isinstance(error, ConfigCompositionException):
        text = text.replace(". To append to your config use", ": there is no such key, --help lists them;").partition(
            ";"
        )[0]
    return text or type(error).__name__


def _variants(missing: str) -> list[str]:
    """Names of the variants in the group of a configuration file that was not found."""
    return sorted(file.stem for file in (CONFIGS / missing).parent.glob("*.yaml"))
