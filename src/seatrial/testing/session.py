"""A pytest session of a suite: the trial that is run for it, its cases as tests, and the gate at the end.

The suite is run once, by `seatrial.trials.change.gate`, before anything is collected; under xdist the controller does
so, and its workers read the store. A test is `FILE::TARGET::RUBRIC[CASE]`. As the trial is complete by then, a missed
case is forgiven (`xfail`) exactly where the gate has passed its rubric as a whole.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from seatrial.errors import ConfigError, Interrupted, SeatrialError, safe
from seatrial.testing.plugin import NAME
from seatrial.testing.tested import Aggregate, Plan, Results, aggregate, make_plan, only_dataset
from seatrial.trials.change.gate import GateReport, Wanted, gate
from seatrial.trials.check import explained
from seatrial.trials.trial import Asked, store_path

LOOKS = ("collectonly", "showfixtures", "show_fixtures_per_test", "setuponly", "setupplan", "cacheshow")
"""Options of pytest under which no test is run, and so nothing is asked."""
MISSING = ("infra_error", "judge_error")
WORDS = {"pass": "green", "block": "red", "inconclusive": "yellow", "not_evaluable": "red", "shown": "white"}


class SuiteSession:
    """One session's suite: the trial that was run for it, and what the gate says of it."""

    def __init__(self, config: pytest.Config, path: Path) -> None:
        self.config, self.path = config, path
        option = config.option
        self.strict, self.target = bool(option.seatrial_strict), str(option.seatrial_target)
        self.lenient = bool(option.seatrial_allow_inconclusive)
        chosen = str(option.seatrial_store)
        self.store = store_path(path.parent, config.invocation_params.dir / chosen if chosen else None)
        self.plan: Plan | None = None
        self.report: GateReport | None = None
        self.found: Aggregate | None = None
        self._results: Results | None = None

    @property
    def results(self) -> Results:
        """What the store holds of the trial, opened when it is first needed."""
        assert self.plan is not None, "the session has begun"
        if self._results is None:
            self._results = Results(self.path, self.store, self.plan)
        return self._results

    # the trial ----------------------------------------------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Run the suite, before xdist starts its workers; a worker is told what was run."""
        told: str | None = getattr(self.config, "workerinput", {}).get(NAME)
        if told is not None:
            self.plan = Plan.model_validate(json.loads(told))
            return
        try:
            looks = any(getattr(self.config.option, name, False) for name in LOOKS)
            self.plan = self._asked_nothing() if looks else self._run()
        except ConfigError as fault:
            raise pytest.UsageError(str(fault)) from None
        except Interrupted as fault:
            raise KeyboardInterrupt(str(fault)) from None
        except SeatrialError as fault:
            pytest.exit(str(fault), returncode=pytest.ExitCode.TESTS_FAILED)

    def _asked_nothing(self) -> Plan:
        return only_dataset(self.path, self.store, self.target)

    def _run(self) -> Plan:
        wanted = Wanted(
            target=self.target, allow_inconclusive=self.lenient, asked=Asked(retry_errors=True, note="pytest")
        )
        only = only_dataset(self.path, self.store, self.target)
        if self.target in only.candidates:
            only = only_dataset(self.path, self.store, self.target)
        candidates = [self.target] if self.target in only.candidates else []
        asked = Asked(retry_errors=True, note="pytest")
        wanted = Wanted(target=self.target, candidates=candidates, allow_inconclusive=self.lenient, asked=asked)
        self.report = gate(self.path, store=self.store, wanted=wanted)
        self.found = aggregate(self.report, allow_inconclusive=self.lenient)
        return make_plan(only, self.report, self.found)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell an xdist worker which trial it is."""
        assert self.plan is not None, "the suite is run before workers start"
        node.workerinput[NAME] = json.dumps(self.plan.plain())

    def pytest_report_header(self) -> str | None:
        """How much of the trial was asked anew."""
        if self.report is None:
            return None
        asked = sum(arm.outputs - arm.reused for arm in self.report.report.arms)
        reused = sum(arm.reused for arm in self.report.report.arms)
        return f"seatrial: {safe(self.report.report.suite)}, {asked:,} answers asked, {reused:,} from the store"

    # tests --------------------------------------------------------------------------------------------------------

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        """The suite's file holds its cases."""
        if file_path != self.path:
            return None
        made: SuiteFile = SuiteFile.from_parent(parent, path=file_path)  # pyright: ignore[reportUnknownMemberType]
        made.suite = self
        return made

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep each case once, where the suite's file was found by its folder too."""
        seen: set[tuple[str, int, int]] = set()
        kept: list[pytest.Item] = []
        for item in items:
            place = (item.target, item.rubric, item.position) if isinstance(item, CaseTest) else None
            if place is None or place not in seen:
                kept.append(item)
            if place is not None:
                seen.add(place)
        items[:] = kept

    # the end ------------------------------------------------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail a session whose tests pass where the suite does not."""
        passes = (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
        if self.found is not None and self.found.exit_code and session.exitstatus in passes:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        if self._results is not None:
            self._results.close()

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """What the suite decides as a whole."""
        if self.report is None or self.found is None:
            return
        terminalreporter.section(f"seatrial: {safe(self.report.report.suite)}", sep="=")
        for check in self.found.checks:
            arm = f" ({safe(check.arm, 200)})" if check.arm else ""
            word = check.outcome.replace("_", " ").upper()
            terminalreporter.write(word, **{WORDS[check.outcome]: True})
            terminalreporter.write(f" {safe(check.name)}{arm}: {safe(check.sentence, 1000)}\n")
        color = "red" if self.found.exit_code else "green"
        terminalreporter.write_line(safe(self.found.sentence, 1000), **{color: True, "bold": True})
        terminalreporter.write_line(f"trial {self.report.report.trial_id}, in {safe(str(self.store), 500)}")


class SuiteFile(pytest.File):
    """A suite file: a node a target."""

    suite: SuiteSession

    def collect(self) -> Iterator[pytest.Collector]:
        """The targets whose cases are tests."""
        plan = self.suite.plan
        assert plan is not None, "the session has begun"
        for target in plan.targets:
            made: TargetNode = TargetNode.from_parent(self, name=target)  # pyright: ignore[reportUnknownMemberType]
            made.suite = self.suite
            yield made


class TargetNode(pytest.Collector):
    """A target: a test a case and rubric."""

    suite: SuiteSession

    def collect(self) -> Iterator[pytest.Item]:
        """Every rubric's cases, in the order of suite and dataset."""
        for rubric, name, positions in self.suite.results.rubrics():
            for position, key in positions:
                case = f"{name}[{key}]"
                made: CaseTest = CaseTest.from_parent(self, name=case)  # pyright: ignore[reportUnknownMemberType]
                made.suite, made.target, made.rubric, made.position = self.suite, self.name, rubric, position
                yield made


class CaseTest(pytest.Item):
    """One case's result on one rubric."""

    suite: SuiteSession
    target: str
    rubric: int
    position: int

    def setup(self) -> None:
        """Skip what has nothing to test; what nobody could judge is an error, not a failure."""
        results, at = self.suite.results, (self.target, self.rubric, self.position)
        if why := results.why_not(*at):
            pytest.skip(safe(why, 500))
        score = results.score(*at)
        if score.status in MISSING:
            said = f"{score.status}: {safe(score.reason, 1000)}"
            if results.spec(self.rubric).kind == "advisory":
                pytest.skip(said)
            pytest.fail(said, pytrace=False)

    def runtest(self) -> None:
        """Fail where the case was missed, unless the gate has passed its rubric as a whole."""
        results, spec = self.suite.results, self.suite.results.spec(self.rubric)
        score = results.score(self.target, self.rubric, self.position)
        if score.passed is not False:
            return
        if spec.kind == "advisory":
            pytest.xfail(f"advisory: {safe(score.reason, 500)}")
        if not self.suite.strict and results.passes(self.target, spec.name):
            pytest.xfail(f"{spec.name} passes as a whole: {safe(score.reason, 500)}")
        case, output = results.both(self.target, self.position)
        pytest.fail(explained(spec.name, case, output, score), pytrace=False)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """What was said, without the lines of this file; pytest takes a third of a second to collect those."""
        if isinstance(excinfo.value, pytest.fail.Exception | pytest.xfail.Exception):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """The rubric's place in the suite."""
        return self.path, self.suite.results.line(self.rubric) - 1, f"{self.target}::{self.name}"
