"""Two causes that have nothing to do with each other."""

from __future__ import annotations

from openclaw_forensics.result import Result
from tests.report.documents.clock_skew import clock_skew
from tests.report.documents.parts import result, said, whole_input
from tests.report.documents.token_cascade import token_cascade


def several_causes() -> Result:
    first, second = token_cascade(), clock_skew()
    other = second.root_causes[0].model_copy(update={"id": "rc2", "cause": "rate.throttled", "severity": "error"})
    other = said(other, first.input)
    renamed = tuple(e.model_copy(update={"root_cause": "rc2"}) if e.failed else e for e in second.exchanges)
    return result(
        (first.root_causes[0], other),
        whole_input(failures=180),
        exchanges=first.exchanges + renamed,
        timeline=first.timeline,
        unexplained=first.unexplained,
    )
