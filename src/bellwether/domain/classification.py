"""How well forecasts of a direction match the directions that came."""

import math

from msgspec import Struct


class Confusion(Struct, frozen=True, kw_only=True):
    """Counts of forecasts: `up` and `down` are what was forecast, `right` and `wrong` what became of it."""

    up_right: float = 0
    up_wrong: float = 0
    down_right: float = 0
    down_wrong: float = 0

    @property
    def n(self) -> float:
        """All of them."""
        return self.up_right + self.up_wrong + self.down_right + self.down_wrong

    @property
    def accuracy(self) -> float | None:
        """The share that was right; `None` without forecasts."""
        return (self.up_right + self.down_right) / self.n if self.n else None

    @property
    def majority(self) -> float | None:
        """What always saying the more frequent direction would have had right; `None` without forecasts."""
        if not self.n:
            return None
        rises = self.up_right + self.down_wrong
        return max(rises, self.n - rises) / self.n


def matthews(c: Confusion) -> float | None:
    """Matthews' correlation coefficient in [−1, 1]: (TP·TN − FP·FN)/√((TP+FP)(TP+FN)(TN+FP)(TN+FN)).

    Matthews, "Comparison of the predicted and observed secondary structure of T4 phage lysozyme", Biochimica
    et Biophysica Acta 1975. `None` where only one direction was forecast or came.
    """
    tp, fp, tn, fn = c.up_right, c.up_wrong, c.down_right, c.down_wrong
    product = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
    return (tp * tn - fp * fn) / math.sqrt(product) if product > 0 else None
