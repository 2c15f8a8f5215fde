"""Training: what is derived from the sources, what is measured; inference adds up the same weights."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bellwether.agents.text import SentimentModel
from bellwether.agents.text.examples import (
    Example,
    conflicting,
    juxtaposed,
    read_sentfin,
    read_tfns,
    single_cashtags,
    whole_titles,
)
from bellwether.agents.text.features import FIRST_SEQUENCE
from bellwether.agents.text.measures import bootstrap, expected_calibration_error, macro_f1
from bellwether.agents.text.model import BIAS, PACKAGED, Weights
from bellwether.agents.text.training import matrix_of

MODEL = SentimentModel.load()


def _weights() -> tuple[Weights, np.ndarray]:
    import msgspec

    weights = msgspec.msgpack.decode(PACKAGED.read_bytes(), type=Weights)
    rows = np.frombuffer(weights.rows, ">u2").reshape(-1, 2).astype(float) - BIAS
    sequences = np.frombuffer(weights.sequences, np.int8).reshape(-1, 2).astype(float)
    return weights, np.vstack([rows * weights.row_scale, sequences * weights.sequence_scale])


WEIGHTS, TABLE = _weights()

TEXTS = st.one_of(
    st.text(max_size=80),
    st.lists(
        st.sampled_from(
            ["profit", "losses", "narrow", "rises", "at", "Kvaerner", "$XYZ", "not", "less", "than", "feared"]
        ),
        max_size=14,
    ).map(" ".join),
)


@settings(max_examples=300, deadline=None)
@given(TEXTS, st.sampled_from([None, "Kvaerner", "losses", "$XYZ"]))
def test_inference_adds_up_the_weights_of_training(text: str, entity: str | None) -> None:
    row = matrix_of([Example(text, entity, 0, "")])
    margins = (row @ TABLE)[0] + [WEIGHTS.negative, WEIGHTS.positive]
    reading = MODEL.read(text, entity)
    scaling = WEIGHTS.entity if reading.about_entity else WEIGHTS.whole
    negative, positive = margins * scaling.slope + [scaling.negative, scaling.positive]
    total = 1.0 + np.exp(negative) + np.exp(positive)
    assert reading.p_negative == pytest.approx(np.exp(negative) / total, abs=1e-4)
    assert reading.p_positive == pytest.approx(np.exp(positive) / total, abs=1e-4)


def test_rows_have_room_for_the_longest_token() -> None:
    assert len(WEIGHTS.rows) == 4 * FIRST_SEQUENCE
    long = MODEL.read("a" * 5000 + " rises")
    assert long.p_negative + long.p_neutral + long.p_positive == pytest.approx(1.0)


def test_figures_of_merit() -> None:
    labels = np.array([0, 0, 1, 1, 2, 2])
    told = np.array([0, 1, 1, 1, 2, 0])
    assert macro_f1(labels, labels) == 1.0
    assert macro_f1(labels, told) == pytest.approx((2 / 4 + 4 / 5 + 2 / 3) / 3)
    p = np.eye(3)[told] * 0.7 + 0.1
    assert expected_calibration_error(labels, p) == pytest.approx(abs(4 / 6 - 0.8))
    assert expected_calibration_error(labels, np.eye(3)[labels]) == 0.0


def test_a_bootstrap_draws_whole_groups() -> None:
    groups = ["a", "a", "b", "b"]
    seen = []

    def statistic(rows: np.ndarray) -> float:
        seen.append(sorted(rows.tolist()))
        return float(np.isin(rows, [0, 1]).mean())

    figure = bootstrap("share", groups, statistic, 0)
    assert (figure.n, figure.value) == (4, 0.5)
    assert figure.low == 0.0
    assert figure.high == 1.0
    assert {tuple(rows) for rows in seen} == {(0, 1, 2, 3), (0, 0, 1, 1), (2, 2, 3, 3)}


def test_what_is_derived_from_the_sources(tmp_path: Path) -> None:
    path = tmp_path / "sentfin.csv"
    path.write_text(
        "title,entity,sentiment\nGold up; Silver down,Gold,positive\nGold up; Silver down,Silver,negative\n"
        "Oil gains,Oil,positive\nTata gains,Tata,positive\n"
    )
    sentfin = read_sentfin(path)
    assert conflicting(sentfin).tolist() == [True, True, False, False]
    assert [(one.text, one.entity) for one in whole_titles(sentfin)] == [
        ("Oil gains", None),
        ("Tata gains", None),
    ]
    path.write_text("text,sentiment\n$A up https://t.co/1,positive\n$A and $B,neutral\nnone,neutral\n")
    posts = read_tfns(path)
    assert [one.entity for one in single_cashtags(posts)] == ["$A"]
    joined, folds = juxtaposed(sentfin, np.array([0, 0, 1, 1]), 0)
    assert len(joined) == len(folds) > 1000
    for one, fold in zip(joined, folds.tolist(), strict=True):
        assert one.entity is not None
        assert one.entity in one.text
        # both halves come from one fold
        assert ("Gold" in one.text) == (fold == 0)
        assert ("Oil" in one.text or "Tata" in one.text) == (fold == 1)
