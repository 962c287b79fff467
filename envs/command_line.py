"""Commands: a module of `commands/` each, found by its name, with `configs/NAME.yaml`.

Bad input ends a command with one clear line on stderr and exit status 2; a bug still shows its traceback.
"""

from __future__ import annotations

import ast
import os
import re
import shlex
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import wraps
from importlib import import_module
from inspect import getmodule
from pathlib import Path
from typing import Any

import hydra
from hydra import compose, initialize_config_dir
from hydra._internal.utils import get_args_parser
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Quote, QuotedString
from hydra.errors import ConfigCompositionException, HydraException, MissingConfigException, OverrideParseException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from envs import checks

HERE = Path(__file__).parent
CONFIGS = next(folder for folder in (HERE / "configs", HERE.parent / "configs") if (folder / "train.yaml").is_file())
"""Inside the package where it is installed, beside it in a checkout."""
EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130
_SWITCH = "HYDRA_FULL_ERROR"
_WANTS_TRACEBACK = os.environ.get(_SWITCH) == "1"


def command(name: str) -> Callable[[Callable[[DictConfig], None]], Callable[[], None]]:
    """Make a command of a function of its configuration; a decorator.

    `--help` prints the docstring of the function's module and the settings, and starts no work.

    Args:
        name: of the command and of its configuration.
    """

    def decorate(run: Callable[[DictConfig], None]) -> Callable[[], None]:
        @wraps(run)
        def task(config: DictConfig) -> None:
            with one_line_errors(clean=Path(HydraConfig.get().runtime.output_dir)):
                run(config)

        @wraps(run)
        def main() -> None:
            with one_line_errors():
                if {"--help", "-h"} & set(sys.argv[1:]):
                    print(f"{getmodule(run).__doc__}\n{_settings_help(name, sys.argv[1:])}")  # type: ignore[union-attr]
                    return
                hydra.main(version_base="1.3", config_path=str(CONFIGS), config_name=name)(task)()

        return main

    return decorate


def _settings_help(name: str, arguments: Sequence[str]) -> str:
    """The settings of a command, with those that its arguments change, and the variants of its groups."""
    given = get_args_parser().parse_args(list(arguments))
    own = [Path(given.config_dir).absolute()] if given.config_dir else []
    if own and not own[0].is_dir():
        raise ValueError(f"--config-dir must be a folder, got {given.config_dir!r}")
    overrides = [*given.overrides, *(argument("hydra.searchpath", [f"file://{folder}"]) for folder in own)]
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        config = compose(name, overrides=overrides, return_hydra_config=True)
    chosen = [group for group in config.hydra.runtime.choices if "/" not in group and "@" not in group]
    folders = {group: [folder / group for folder in (CONFIGS, *own)] for group in chosen}
    variants = {
        group: sorted({file.stem for folder in folders[group] for file in folder.glob("*.yaml")}) for group in chosen
    }
    listed = "".join(f"  {group}={'|'.join(names)}\n" for group, names in variants.items() if names)
    settings = OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"])
    shown = "".join(f"  {line}\n" for line in OmegaConf.to_yaml(settings).splitlines())
    return (f"Variants:\n\n{listed}\n" if listed else "") + f"Settings, KEY=VALUE:\n\n{shown}"


def dispatch(package: str, more: str = "") -> None:
    """`python -m PACKAGE`: list its commands, or run the one that is named.

    Args:
        package: whose folder `commands` holds them.
        more: printed below the list.

    Raises:
        SystemExit: 2 for an unknown command.
    """
    commands = HERE.parent / package / "commands"
    name = sys.argv[1] if len(sys.argv) > 1 else "--help"
    if name in ("--help", "-h"):
        print(f"python -m {package} COMMAND [KEY=VALUE ...]        --help behind a command: its settings\n")
        print(listing({file.stem: file for file in sorted(commands.glob("[!_]*.py"))}) + more)
        return
    with one_line_errors():
        checks.choice("command", name, [file.stem for file in sorted(commands.glob("[!_]*.py"))])
    sys.argv = [f"python -m {package} {name}", *sys.argv[2:]]
    import_module(f"{package}.commands.{name}").main()


def listing(files: Mapping[str, Path]) -> str:
    """Modules by their names, with the first line of each docstring; nothing is imported."""
    trees = {name: ast.parse(file.read_text(encoding="utf-8")) for name, file in files.items()}
    lines = {name: (ast.get_docstring(tree) or "").partition("\n")[0] for name, tree in trees.items()}
    width = max(map(len, lines))
    return "\n".join(f"  {name:{width}}  {re.sub(r': `python .*$', '', line)}" for name, line in lines.items())


def plain(config: DictConfig | Mapping[str, Any], exclude: Iterable[str] = ()) -> dict[str, Any]:
    """A configuration as plain Python values, without the keys of `exclude`."""
    container = OmegaConf.to_container(OmegaConf.create(dict(config)), resolve=True)
    left_out = set(exclude)
    return {str(key): value for key, value in dict(container).items() if key not in left_out}  # type: ignore[arg-type]


def flatten(config: DictConfig | Mapping[str, Any]) -> dict[str, bool | int | float | str]:
    """Nested configuration as `group.key` -> a value that TensorBoard's table can hold."""
    flat: dict[str, bool | int | float | str] = {}

    def visit(prefix: str, value: object) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                visit(f"{prefix}.{key}" if prefix else str(key), inner)
        else:
            flat[prefix] = value if isinstance(value, bool | int | float | str) else str(value)

    visit("", plain(config))
    return flat


def command_line(command: str, arguments: Iterable[str] = ()) -> str:
    """A command that a shell takes as it is printed: nothing in its arguments means anything to the shell."""
    return shlex.join([*command.split(), *arguments])


def argument(key: str, value: Any) -> str:
    """`KEY=VALUE` that Hydra reads back as the value; text that it would take for something else is quoted for it."""
    return f"{key}={_hydra_value(value)}"


def _hydra_value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{key}:{_hydra_value(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_hydra_value, value)) + "]"
    if not isinstance(value, str | Path):
        return "null" if value is None else str(value)
    text = str(value).replace("${", "\\${")
    with suppress(HydraException):
        if OverridesParser.create().parse_override(f"key={text}").value() == text:
            return text
    return QuotedString(text, Quote.double).with_quotes()


def shown(path: Path) -> Path:
    """A path as it is easiest to read and to paste: from the current folder where it lies in it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


class Interrupted(KeyboardInterrupt):
    """The user stopped a run; the message says how to go on with it."""


@dataclass
class StopRequest:
    """Whether somebody asked to stop: the first Ctrl-C (SIGINT) or SIGTERM sets it, a second one interrupts at once."""

    asked: bool = False

    def __call__(self, *_: object) -> None:
        """Handle a signal."""
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True


@contextmanager
def stop_request() -> Iterator[StopRequest]:
    """Listen for a request to stop while the block runs.

    Not in a thread, where signals do not come, and not where somebody else listens (submitit requeues its job).
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    usual = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
    before = {n: signal.signal(n, request) for n, handler in usual.items() if signal.getsignal(n) == handler}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


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
        if clean is not None and clean != Path.cwd() and clean.is_dir() and not any(clean.iterdir()):
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
    elif (match := re.search(r"Could not override '(?:env\.)?(\w+)'", text)) and match[1] in checks.REPLACED:
        text = f"{match[1]} was replaced: {checks.REPLACED[match[1]]}"
    elif isinstance(error, ConfigCompositionException):
        text = text.replace(". To append to your config use", ": there is no such key, --help lists them;").partition(
            ";"
        )[0]
    elif isinstance(error, OverrideParseException) and "Unknown function" in text:
        text = f"{text.partition(' Available:')[0]}: text with brackets needs quotes, \"KEY=['semaigc(4)']\" in a shell"
    return text or type(error).__name__


def _variants(missing: str) -> list[str]:
    """Names of the variants in the group of a configuration file that was not found."""
    return sorted(file.stem for file in (CONFIGS / missing).parent.glob("*.yaml"))
