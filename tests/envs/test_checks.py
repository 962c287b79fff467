"""What users give is checked, and a refusal says what was given and what is allowed."""

from __future__ import annotations

import math
import pickle
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from envs import checks
from envs.channels import Channel
from envs.checks import Count, Natural, Points, Span
from envs.scenario import Scenario


@dataclass(frozen=True)
class Wheel:
    spokes: Count
    width_m: float = 0.02


@dataclass(frozen=True)
class Bicycle:
    gears: Natural
    wheel: Wheel
    name: str = "bicycle"
    is_red: bool = False
    seats: int = 1
    bell: Wheel | None = None
    teeth: list[Count] | None = None
    spare: list[Wheel] = field(default_factory=list)
    speed: Span = (0.0, 1.0)
    heights: Points | None = None
    bags: Count | None = None
    free: Any = None


WHOLE = {"gears": 0, "wheel": {"spokes": 32}}


def test_a_configuration_becomes_its_dataclass() -> None:
    given = {
        "gears": np.int64(7),
        "wheel": {"spokes": 32, "width_m": 1},
        "bell": {"spokes": 1},
        "teeth": [11, 13],
        "spare": [{"spokes": 3}],
        "speed": [1, 2],
        "heights": [0.5, 1],
        "bags": 2,
        "free": {"anything": [None]},
    }
    assert checks.parse(Bicycle, given) == Bicycle(
        gears=7,
        wheel=Wheel(32, 1),
        bell=Wheel(1),
        teeth=[11, 13],
        spare=[Wheel(3)],
        speed=(1.0, 2.0),
        heights=[0.5, 1],
        bags=2,
        free={"anything": [None]},
    )


def test_what_is_left_out_has_its_default_and_none_is_kept_where_it_may_stand() -> None:
    nothing = {"bell": None, "teeth": None, "heights": None, "bags": None}
    assert checks.parse(Bicycle, WHOLE | nothing) == Bicycle(0, Wheel(32))


def test_a_dataclass_that_is_made_already_is_taken() -> None:
    assert checks.parse(Bicycle, WHOLE | {"wheel": Wheel(20)}).wheel == Wheel(20)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"gears": -1}, "gears must be an integer >= 0, got -1"),
        ({"gears": 1.5}, "gears must be an integer >= 0, got 1.5"),
        ({"gears": True}, "gears must be an integer >= 0, got True"),
        ({"gears": None}, "gears must be an integer >= 0, got None"),
        ({"seats": "2"}, "seats must be an integer, got '2'"),
        ({"name": 3}, "name must be text, got 3"),
        ({"is_red": 1}, "is_red must be true or false, got 1"),
        ({"bags": 0}, "bags must be an integer >= 1, got 0"),
        ({"teeth": []}, r"teeth must be a list that is not empty, got \[\]"),
        ({"teeth": 3}, "teeth must be a list that is not empty, got 3"),
        ({"teeth": [11, 0]}, r"teeth\[1\] must be an integer >= 1, got 0"),
        ({"speed": [2, 1]}, r"speed must be a finite number or a range \(low, high\) with low <= high, got \[2, 1\]"),
        ({"heights": [1, 1]}, r"heights must be a list of two or more increasing numbers, got \[1, 1\]"),
        ({"wheel": {"spokes": 0}}, "^wheel.spokes must be an integer >= 1, got 0"),
        ({"wheel": {"spokes": 9, "width_m": math.nan}}, "^wheel.width_m must be a finite number, got nan"),
        ({"wheel": {"spokes": 9, "width_m": "wide"}}, "^wheel.width_m must be a finite number, got 'wide'"),
        ({"wheel": {}}, "missing keys in wheel: spokes"),
        ({"wheel": {"spokes": 9, "tyre": 1}}, "unknown keys in wheel: tyre; allowed: spokes, width_m"),
        ({"wheel": 26}, "wheel must hold keys and values, got 26"),
        ({"bell": "loud"}, "bell must hold keys and values, got 'loud'"),
        ({"spare": [{"spokes": 3}, {"spokes": -3}]}, r"^spare\[1\].spokes must be an integer >= 1, got -3"),
        ({"gear": 1}, "unknown keys in configuration: gear; allowed: gears, wheel, name"),
    ],
)
def test_a_value_that_does_not_fit_its_field_is_refused_by_its_full_name(change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        checks.parse(Bicycle, WHOLE | change)


def test_messages_name_where_the_keys_are_of() -> None:
    with pytest.raises(ValueError, match="missing keys in experiment: gears, wheel"):
        checks.parse(Bicycle, {}, "experiment")
    with pytest.raises(ValueError, match=r"^experiment\.wheel\.spokes must be"):
        checks.parse(Bicycle, {"gears": 1, "wheel": {"spokes": 0}}, "experiment", "experiment.")


@pytest.mark.parametrize(
    ("bounds", "value", "message"),
    [
        ({}, 1.0, "x must be an integer, got 1.0"),
        ({"least": 1}, 0, "x must be an integer >= 1, got 0"),
        ({"most": 5}, 6, "x must be an integer <= 5, got 6"),
        ({"least": 0, "most": 20}, 21, r"x must be an integer in 0\.\.20, got 21"),
        ({"least": 0, "most": 20}, "many", r"x must be an integer in 0\.\.20, got 'many'"),
    ],
)
def test_integers_have_bounds(bounds: dict[str, int], value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        checks.integer("x", value, **bounds)


def test_an_integer_comes_back_plain() -> None:
    assert type(checks.integer("x", np.int32(3), 0, 3)) is int


@pytest.mark.parametrize(
    ("bounds", "value", "message"),
    [
        ({}, math.inf, "x must be a finite number, got inf"),
        ({}, True, "x must be a finite number, got True"),
        ({"least": 0.0}, -1, "x must be a finite number >= 0, got -1"),
        ({"most": 2.0}, 3, "x must be a finite number <= 2, got 3"),
        ({"least": 0.0, "most": 1.0}, 1.5, r"x must be a finite number in \[0, 1\], got 1.5"),
        ({"above": 0.0}, 0.0, "x must be a finite number > 0, got 0.0"),
        ({"above": 0.0, "most": 1.0}, 0, r"x must be a finite number in \(0, 1\], got 0"),
    ],
)
def test_numbers_have_bounds(bounds: dict[str, float], value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        checks.number("x", value, **bounds)


def test_a_number_comes_back_as_it_was_given() -> None:
    assert type(checks.number("x", 3, 0.0)) is int
    assert checks.number("x", 1.0, above=0.0, most=1.0) == 1.0


def test_a_choice_is_one_of_some() -> None:
    assert checks.choice("pet", "cat", ("cat", "dog")) == "cat"
    for wrong in ("cow", ["cat"], None):
        with pytest.raises(ValueError, match="unknown pet .*; allowed: cat, dog"):
            checks.choice("pet", wrong, {"cat": 1, "dog": 2})


def test_a_range_may_be_one_number() -> None:
    assert checks.interval("x", 3) == (3.0, 3.0)
    assert checks.interval("x", np.array([1, 2])) == (1.0, 2.0)
    for wrong in ([1], [1, 2, 3], [0, math.inf], "ab", None, True, {"low": 1}):
        with pytest.raises(ValueError, match="x must be a finite number or a range"):
            checks.interval("x", wrong)


@pytest.mark.parametrize("wrong", [[1], [2, 1], [0, math.nan], [[0, 1], [2, 3]], "01", 3, None])
def test_points_increase(wrong: Any) -> None:
    with pytest.raises(ValueError, match="x must be a list of two or more increasing numbers, got"):
        checks.points("x", wrong)
    assert checks.points("x", (0, 1)) == (0, 1)


def test_keys_and_makes() -> None:
    checks.keys("here", ["a"], ["a", "b"], optional=["b"])
    with pytest.raises(ValueError, match="unknown keys in here: c, 3; allowed: none"):
        checks.keys("here", ["c", 3], [])
    assert checks.make(Wheel, {"spokes": 3}, "wheel") == Wheel(3)
    with pytest.raises(ValueError, match="missing keys in wheel: spokes"):
        checks.make(Wheel, {}, "wheel")


def test_a_name_stands_alone_or_with_parameters() -> None:
    assert checks.named("costs", "paper") == ("paper", {})
    assert checks.named("costs", {"name": "flops", "light": "small"}) == ("flops", {"light": "small"})
    assert checks.named("scenario", {"snr_db": 3}, "paper") == ("paper", {"snr_db": 3})
    with pytest.raises(ValueError, match="costs must be a name, or a mapping of name and parameters, got 3"):
        checks.named("costs", 3)  # type: ignore[arg-type]


@pytest.fixture
def own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], Path]]:
    """Write a file of one's own in the working directory; what it left behind goes with it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    known = set(sys.modules)

    def write(name: str, text: str) -> Path:
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    yield write
    for name in set(sys.modules) - known:
        del sys.modules[name]


def test_own_code_is_found_by_its_file_or_its_module(own_file: Callable[[str, str], Path]) -> None:
    file = own_file("wheels_of_mine.py", "from spokes_of_mine import SPOKES\nclass Wheel: pass\n")
    own_file("spokes_of_mine.py", "SPOKES = 3\n")
    own_file("carts_of_mine/__init__.py", "")
    own_file("carts_of_mine/big.py", "HORSES = 4\n")
    before = list(sys.path)
    wheel = checks.import_object("wheels_of_mine.py:Wheel")
    assert wheel is checks.import_object(f"{file}:Wheel") is checks.import_object("wheels_of_mine:Wheel")
    assert pickle.loads(pickle.dumps(wheel)) is wheel
    assert checks.import_object("carts_of_mine.big:HORSES") == 4
    assert checks.import_object("math:pi") == math.pi
    assert sys.path[: len(before)] == before  # hides nothing that is installed


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("axle_of_mine.py", "must be written package.module:Name, or FILE.py:Name"),
        (":Axle", "must be written"),
        ("axle_of_mine.py:two words", "must be written"),
        ("nowhere.py:Axle", "there is no file '.*nowhere.py'"),
        ("no.such.module:Axle", "there is no module 'no.such.module'"),
        ("nosuchmodule:Axle", "there is no module 'nosuchmodule'"),
        ("axle_of_mine.py:Wheel", "there is no 'Wheel' in it; it holds Axle, Thing"),
        ("queue.py:Axle", "another module is called 'queue' (.*); rename the file"),
    ],
)
def test_own_code_that_is_not_there(own_file: Callable[[str, str], Path], spec: str, said: str) -> None:
    for name in ("axle_of_mine.py", "queue.py"):
        own_file(name, "from collections import OrderedDict as Thing\nclass Axle: pass\n")
    with pytest.raises(ValueError, match=said) as caught:
        checks.import_object(spec)
    assert "\n" not in str(caught.value)


def test_mistakes_in_own_code_are_its_own(own_file: Callable[[str, str], Path]) -> None:
    own_file("broken_of_mine.py", "import no_such_library_of_mine\n")
    with pytest.raises(ModuleNotFoundError, match="no_such_library_of_mine"):
        checks.import_object("broken_of_mine.py:Axle")
    own_file("kinds_of_mine.py", "from envs.scenario import Scenario\nclass Mine(Scenario): pass\nthing = 3\n")
    assert checks.import_class("scenario", "kinds_of_mine.py:Mine", Scenario).__name__ == "Mine"
    for wrong in ("kinds_of_mine.py:thing", "collections:OrderedDict"):
        with pytest.raises(ValueError, match="scenario '.*' must be a class of the kind Scenario, got"):
            checks.import_class("scenario", wrong, Scenario)
    with pytest.raises(ValueError, match="must be a class of the kind Channel"):
        checks.import_class("channel", "envs.channels:Channel", Channel)  # abstract
