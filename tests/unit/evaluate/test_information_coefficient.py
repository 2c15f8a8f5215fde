"""The information coefficient of dates worked by hand."""

import pytest

from bellwether.domain.clustered_error import clustered_error
from bellwether.domain.information_coefficient import InformationCoefficient, information_coefficient

pytestmark = pytest.mark.req("A8")


def test_the_coefficient_by_hand() -> None:
    """Three days with rank correlations 1, ½ and −1: the mean is 1/6; three are too few for an error."""
    three = [
        *((2, s, r) for s, r in ((0.1, 1.0), (0.2, 2.0), (0.3, 3.0))),
        *((1, s, r) for s, r in ((0.1, 1.0), (0.2, 3.0), (0.3, 2.0))),
        *((3, s, r) for s, r in ((0.1, 3.0), (0.2, 2.0), (0.3, 1.0))),
    ]
    found = information_coefficient(three)
    assert found.mean == pytest.approx(1 / 6)
    assert (found.error, found.dates) == (None, 3)
    many = [(day + 3 * turn, s, r) for turn in range(10) for day, s, r in three]
    series = [(n, [0.5, 1.0, -1.0][n % 3]) for n in range(30)]
    assert information_coefficient(many).mean == pytest.approx(1 / 6)
    assert information_coefficient(many).error == pytest.approx(clustered_error(series))


def test_without_dates_there_is_no_coefficient() -> None:
    assert information_coefficient([]) == InformationCoefficient(None, None, 0)
    two_assets = [("d", 0.1, 1.0), ("d", 0.2, 2.0)]
    assert information_coefficient(two_assets) == InformationCoefficient(None, None, 0)
