"""Progress on stderr: a moving line on a terminal, a plain line now and then anywhere else."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as RichProgress

_PLAIN_EVERY_SECONDS = 5.0


class Progress:
    """Counts things done. `total` may be unknown; `unit` names the things."""

    def __init__(self, console: "Console", what: str, unit: str, total: int | None) -> None:
        self._console = console
        self._what = what
        self._unit = unit
        self._total = total
        self._done = 0
        self._began = self._told = time.monotonic()
        self._bar: RichProgress | None = None
        self._task: Any = None

    @property
    def done(self) -> int:
        """How many are done."""
        return self._done

    def start(self) -> None:
        """Shows the bar, on a terminal."""
        if self._console.is_terminal:
            from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
            from rich.progress import Progress as RichProgress

            self._bar = RichProgress(
                SpinnerColumn(),
                TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=30),
                TextColumn("{task.completed:,.0f} {task.fields[unit]}, {task.fields[rate]:,.0f}/s"),
                TimeElapsedColumn(),
                console=self._console,
                transient=True,
            )
            self._task = self._bar.add_task(self._what, total=self._total, unit=self._unit, rate=0.0)
            self._bar.start()

    def stop(self) -> None:
        """Takes the bar away."""
        if self._bar is not None:
            self._bar.stop()

    def advance(self, count: int = 1, *, what: str | None = None) -> None:
        """So many more are done."""
        self._done += count
        self._what = what or self._what
        now = time.monotonic()
        rate = self._done / max(now - self._began, 1e-6)
        if self._bar is not None:
            self._bar.update(self._task, completed=self._done, description=self._what, rate=rate)
        elif now - self._told > _PLAIN_EVERY_SECONDS:
            self._told = now
            total = f" of {self._total:,}" if self._total else ""
            line = f"{self._what}: {self._done:,}{total} {self._unit}, {rate:,.0f}/s"
            self._console.print(line, highlight=False, markup=False)


@contextmanager
def progress(console: "Console", what: str, unit: str, total: int | None = None) -> Iterator[Progress]:
    """Shows progress while the block runs."""
    shown = Progress(console, what, unit, total)
    shown.start()
    try:
        yield shown
    finally:
        shown.stop()
