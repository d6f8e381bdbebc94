"""What the suite's tests start from: an emulator with a cluster; and at the end the table, printed."""

import pytest

from emulator import running
from story import ROWS
from walk import prepare


@pytest.fixture
def azure():
    with running() as emulator:
        prepare(emulator)
        yield emulator


def pytest_terminal_summary(terminalreporter):
    """Each row of the story with what came of it."""
    ended = {}
    for outcome in ("passed", "failed", "error"):
        for report in terminalreporter.stats.get(outcome, []):
            if getattr(report, "when", "") in ("call", "setup") and "[row " in report.nodeid:
                number = int(report.nodeid.split("[row ")[1].rstrip("]"))
                ended.setdefault(number, []).append(outcome)
    if not ended:
        return
    terminalreporter.section("the story, by az and kubectl in one emulator and by the library in another")
    for row in sorted(ROWS, key=lambda row: row.number):
        outcomes = ended.get(row.number, [])
        word = "equal" if set(outcomes) == {"passed"} else "DIFFERS" if outcomes else "not run"
        terminalreporter.write_line(f"{row.number:>2}  {word}")
        for who, commands in (("az", row.theirs), ("here", row.ours), ("compared", row.compared)):
            terminalreporter.write_line(f"    {who:<9} {'; '.join(commands)}")
        for place, reason in row.differs.items():
            terminalreporter.write_line(f"    differs   {place}: {reason}")
