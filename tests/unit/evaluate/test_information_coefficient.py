"""The information coefficient of dates worked by hand, and the lags its error allows for."""

import pytest

from bellwether.domain.clustered_error import clustered_error, lags_for
from bellwether.domain.information_coefficient import InformationCoefficient, information_coefficient


@pytest.mark.parametrize(
    ("dates", "horizon", "lags"),
    [
        (1, 1, 1),  # ⌊4·0.3594⌋
        (5, 1, 2),  # ⌊4·0.5139⌋
        (100, 1, 4),
        (100, 5, 4),
        (100, 6, 5),
        (250, 1, 4),  # ⌊4·1.2259⌋
        (300, 1, 5),  # ⌊4·1.2765⌋
        (50, 21, 20),
    ],
)
def test_lags_cover_the_overlap_and_newey_and_wests_rule(dates: int, horizon: int, lags: int) -> None:
    assert lags_for(dates, horizon) == lags


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
