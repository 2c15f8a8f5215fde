"""A report in the lake: where it lies, and that no other is lost for it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bellwether.adapters.memory import MemoryPorts
from bellwether.backtest.keeping import keep

AT = datetime(2026, 11, 23, 5, 40, 45, tzinfo=UTC)


@pytest.mark.req("D5")
def test_a_report_is_kept_whole_and_beside_the_others(tmp_path: Path) -> None:
    lake = MemoryPorts().lake
    report, page = tmp_path / "report.json", tmp_path / "report.html"
    report.write_text('{"n": 1}')
    page.write_text("<p>1")
    first = keep(lake, [report, page], AT)
    assert [key.rpartition("/")[2] for key in first] == ["report.json", "report.html"]
    assert all(key.startswith("backtests/2026/11/23/054045-") for key in first)
    assert [lake.get(key) for key in first] == [b'{"n": 1}', b"<p>1"]
    report.write_text('{"n": 2}')
    second = keep(lake, [report, page], AT)
    assert not set(first) & set(second)
    assert len(list(lake.list("backtests/"))) == 4
