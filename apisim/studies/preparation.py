"""What stands between a scenario and its first event: options, prices, arrays."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from os import PathLike
from pathlib import Path
from typing import Any, Final, Literal

from apisim.arrays.jit import when_compiling
from apisim.engine.compiled.runner import compile_for
from apisim.engine.lowering import Charging, lower
from apisim.engine.program import Program, new_world
from apisim.engine.run import Engine
from apisim.pricing import (
    BookError,
    PriceBook,
    charge_table,
    load_book,
    metering_increment,
    stream_increment,
)
from apisim.results.accounts import Accounts
from apisim.results.usage import empty_windows
from apisim.results.verdicts import check_thresholds
from apisim.scenario import PricingError, Scenario, ScenarioError, load, loads
from apisim.scenario.formats import article
from apisim.scenario.problems import did_you_mean
from apisim.studies.warm_up import chosen_warm_up

__all__ = ["Options", "Preparation", "prepare"]

_FUNCTIONS: Final = "functions."


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a caller may say instead of the scenario; see :func:`apisim.studies.run.run`."""

    overrides: Sequence[str] = ()
    profile: str | None = None
    seed: int | None = None
    replications: int | None = None
    duration: str | int | None = None

    def apply(self, scenario: Scenario | str | Path, *, is_fixed: bool = True) -> Scenario:
        """The scenario, or the file of one, with these options.

        Parameters
        ----------
        scenario : Scenario, str or pathlib.Path
        is_fixed : bool
            Whether the number of replications and the warm-up are found out now, where the
            scenario leaves them to the simulation (``until``, ``auto``): several scenarios must
            not come to different ones.
        """
        from apisim.studies.until import with_fixed_replications
        from apisim.studies.warm_up import with_chosen_warm_up

        changed = self._changed(scenario)
        return with_fixed_replications(with_chosen_warm_up(changed)) if is_fixed else changed

    def _changed(self, scenario: Scenario | str | Path) -> Scenario:
        given: dict[str, Any] = {
            "profile": self.profile,
            "seed": self.seed,
            "replications": self.replications,
        }
        if not isinstance(scenario, Scenario):
            _refuse_what_is_no_name(scenario)
            return load(scenario, overrides=self.overrides, duration=self.duration, **given)
        values = {name: value for name, value in given.items() if value is not None}
        if self.overrides or values:
            scenario = scenario.with_(*self.overrides, **values)
        if self.duration is not None:
            file = scenario.source.file
            scenario = loads(scenario.to_yaml(), file, duration=self.duration)
        return scenario


def _refuse_what_is_no_name(scenario: object) -> None:
    """Python's own words would be about files, whatever was meant."""
    if isinstance(scenario, str | PathLike):
        return
    meant = ""
    if isinstance(scenario, list | tuple):
        meant = ": several are given one by one, as in compare(first, second)"
    elif isinstance(scenario, dict):
        meant = ": loads takes a scenario that is written out, as YAML or JSON"
    elif hasattr(scenario, "scenario"):
        meant = f": did you mean that of the {type(scenario).__name__}, its .scenario?"
    raise TypeError(
        f"a scenario is the name of its file, or what load and loads return; "
        f"got {article(type(scenario).__name__)}{meant}"
    )


@dataclass(frozen=True, slots=True)
class Preparation:
    """A scenario that is ready to run.

    Attributes
    ----------
    program : Program
        Its arrays; ``program.scenario`` is the scenario as resolved.
    accounts : Accounts
        Makes its bills.
    engine : {"compiled", "simpy"}
        The engine chosen.
    services : dict of int to object
        A user's own services by function.
    notes : tuple of str
        What was decided on the way: the warm-up, where the scenario left it open.
    """

    program: Program
    accounts: Accounts
    engine: Engine
    services: Mapping[int, Any]
    notes: tuple[str, ...] = ()


def prepare(
    scenario: Scenario,
    *,
    engine: Literal["auto", "compiled", "simpy"],
    skip_bad_rows: bool,
    extend: Mapping[str, Any] | None,
    compiling: Callable[[], None] | None = None,
) -> Preparation:
    """Everything that can go wrong before the first event, and the compiling.

    ``compiling`` is called before the engine is compiled, if it has to be.

    Raises
    ------
    ScenarioError, PricingError, ValueError
        As :func:`apisim.studies.run.run`.
    """
    check_thresholds(scenario)
    notes: tuple[str, ...] = ()
    if scenario.has_auto_warm_up:
        chosen_for_all = chosen_warm_up(scenario)
        notes = (chosen_for_all.note,)
        update = {"warm_up": chosen_for_all.warm_up_ns, "has_auto_warm_up": False}
        scenario = scenario.model_copy(update=update)
    services = _services(scenario, extend or {})
    book, charging = _prices(scenario)
    accounts = Accounts(scenario, book, _day_of_bills(scenario))
    program = lower(scenario, charging, skip_bad_rows=skip_bad_rows)
    accounts.check(empty_windows(program))
    chosen = _engine(engine, has_services=bool(services))
    if chosen == "compiled":
        # No event at all, but the kernel is compiled: before the clock starts, and before threads
        # do (two threads that fill numba's cache at once are a race, numba issue 4807).
        with when_compiling(compiling):
            compile_for(new_world(program, 0))
    return Preparation(program, accounts, chosen, services, notes)


def _day_of_bills(scenario: Scenario) -> date:
    """Day by which a price book is old: the scenario's own, today where it has none."""
    has_start = "start" in scenario.model_fields_set
    return (scenario.start if has_start else datetime.now(UTC)).date()


def _prices(scenario: Scenario) -> tuple[PriceBook, Charging]:
    """The price book, and what it says about metering."""
    try:
        book = load_book(scenario.pricing.book)
        types: set[str] = {api.type for api in scenario.apis.values()}
        increments = {name: metering_increment(book, name) or 0 for name in sorted(types)}
    except BookError:
        raise  # knows the line of the book
    except PricingError as error:
        problem = scenario.problem(("pricing", "book"), str(error))
        raise ScenarioError([problem]) from None
    return book, Charging(charge_table(book), increments, stream_increment(book) or 0)


def _services(scenario: Scenario, extend: Mapping[str, Any]) -> dict[int, Any]:
    names = list(scenario.functions)
    services = {}
    for key, service in extend.items():
        name = key.removeprefix(_FUNCTIONS)
        if key == name or name not in names:
            hint = did_you_mean(key, [_FUNCTIONS + known for known in names])
            raise ValueError(f"extend: there is no {key!r}" + (f" ({hint})" if hint else ""))
        if not callable(getattr(service, "serve", None)):
            raise ValueError(f"extend: {key} needs a method serve(call, draws)")
        services[names.index(name)] = service
    return services


def _engine(wanted: str, *, has_services: bool) -> Engine:
    if wanted not in {"auto", "compiled", "simpy"}:
        raise ValueError(f"engine must be auto, compiled or simpy, got {wanted!r}")
    if wanted == "compiled" and has_services:
        raise ValueError("extend works with the golden model only: use engine='simpy' or 'auto'")
    return "simpy" if wanted == "simpy" or has_services else "compiled"
