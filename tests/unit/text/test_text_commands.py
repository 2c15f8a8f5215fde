"""`label`, `link` and `train sentiment` on files."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from bellwether.agents.text import SentimentModel
from bellwether.agents.text.examples import DataError, read_sentfin, read_tfns
from bellwether.agents.text.training import train
from bellwether.cli import text as commands
from bellwether.cli.main import Commands

app = typer.Typer(cls=Commands)
commands.register(app)
runner = CliRunner()


@pytest.fixture
def headlines(tmp_path: Path) -> Path:
    path = tmp_path / "headlines.csv"
    path.write_text(
        'id,text,entity\n1,"Gold shines, Silver slips",Silver\n2,,x\n3,too,many,cells\n'
        '4,"Gold shines, Silver slips",Gold\n\n5,Results on Friday,\n',
        encoding="utf-8-sig",
    )
    return path


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def invoke(*arguments: object) -> Any:
    return runner.invoke(app, [str(argument) for argument in arguments])


def test_label_adds_columns_and_keeps_every_row(headlines: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    done = invoke("label", headlines, "--out", out, "--json")
    assert done.exit_code == 0
    document = json.loads(done.stdout)
    assert document["rows"] == 3
    assert [bad["row"] for bad in document["bad_rows"]] == [2, 3]
    labelled = rows(out)
    assert [row["id"] for row in labelled] == ["1", "2", "3", "4", "5"]
    assert [row["label"] for row in labelled] == ["negative", "", "", "positive", "neutral"]
    total = sum(float(labelled[0][name]) for name in ("p_negative", "p_neutral", "p_positive"))
    assert total == pytest.approx(1.0, abs=1e-5)
    assert "row 2" in done.stderr


def test_label_names_the_words_on_request(headlines: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    assert invoke("label", headlines, "--out", out, "--explain").exit_code == 0
    silver, bad, _, gold, _ = rows(out)
    assert silver["words"].startswith("slips +")
    assert gold["words"].startswith("shines +")
    assert bad["words"] == ""


def test_label_without_json_says_one_sentence(headlines: Path, tmp_path: Path) -> None:
    done = invoke("label", headlines, "--out", tmp_path / "out.csv")
    assert "Labelled 3 rows" in done.stdout


def test_labelling_again_replaces_the_columns(tmp_path: Path) -> None:
    headlines, first, second = tmp_path / "0.csv", tmp_path / "1.csv", tmp_path / "2.csv"
    headlines.write_text("text,id\nprofit falls,1\nprofit rises,2\n")
    invoke("label", headlines, "--out", first)
    invoke("label", first, "--out", second)
    assert second.read_text() == first.read_text()


def test_out_may_be_the_input(headlines: Path) -> None:
    assert invoke("label", headlines, "--out", headlines).exit_code == 0
    assert rows(headlines)[0]["label"] == "negative"


@pytest.mark.parametrize("command", ["label", "link"])
def test_a_missing_column_is_wrong_use_and_says_what_there_is(command: str, tmp_path: Path) -> None:
    path, entities = tmp_path / "in.csv", tmp_path / "entities.csv"
    path.write_text("headline,other\na,b\n")
    entities.write_text("symbol,name\nAAPL,Apple Inc\n")
    more = ["--entities", entities] if command == "link" else []
    done = invoke(command, path, *more, "--out", tmp_path / "out.csv", "--json")
    assert done.exit_code == 2
    assert "headline, other" in json.loads(done.stdout)["error"]["detail"]
    assert not (tmp_path / "out.csv").exists()


def test_wrong_use(headlines: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    assert invoke("label", tmp_path / "absent.csv", "--out", out).exit_code == 2
    assert invoke("label", headlines, "--out", out, "--agent", "oracle").exit_code == 2
    empty = tmp_path / "empty.csv"
    empty.write_text("")
    assert invoke("label", empty, "--out", out).exit_code == 2
    empty.write_text("text,text\n")
    assert invoke("label", empty, "--out", out).exit_code == 2
    assert invoke("label", headlines, "--out", tmp_path / "no" / "dir.csv").exit_code == 1


def test_an_interrupted_run_leaves_nothing(
    headlines: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted() -> Any:
        def read(row: dict[str, str]) -> Any:
            raise KeyboardInterrupt

        return read

    monkeypatch.setitem(commands.LABELLERS, "sentiment", interrupted)
    before = sorted(tmp_path.iterdir())
    assert invoke("label", headlines, "--out", tmp_path / "out.csv").exit_code != 0
    assert sorted(tmp_path.iterdir()) == before


def test_a_field_beyond_the_limit_is_one_bad_row(tmp_path: Path) -> None:
    path, out = tmp_path / "in.csv", tmp_path / "out.csv"
    path.write_text(f"text\n{'x' * (commands.FIELD_LIMIT + 1)}\nprofit falls\n")
    document = json.loads(invoke("label", path, "--out", out, "--json").stdout)
    assert document["rows"] == 1
    assert len(document["bad_rows"]) == 1


def test_odd_rows_are_kept_as_they_came(tmp_path: Path) -> None:
    path, out = tmp_path / "in.csv", tmp_path / "out.csv"
    texts = [
        "Profit rises at Voltas",
        "\U0001f680\U0001f680 $ABC to the moon",
        "\u05e9\u05dc\u05d5\u05dd \u0627\u0644\u0623\u0633\u0647\u0645",
        'He said "sell",\nand left',
        "null\0byte",
        "word " * 50_000,
        "x" * 200_000,
        "\u202eoverride\u202c \u200b",
        "=SUM(A1)",
    ]
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(["text", "entity"])
        writer.writerows([text, entity] for text in texts for entity in ("", "Voltas", "\0", "("))
    document = json.loads(invoke("label", path, "--out", out, "--json").stdout)
    csv.field_size_limit(commands.FIELD_LIMIT)
    labelled = rows(out)
    assert document["rows"] == len(labelled) == 4 * len(texts)
    assert [row["text"] for row in labelled] == [text for text in texts for _ in range(4)]
    for row in labelled:
        p = {name: float(row[f"p_{name}"]) for name in ("negative", "neutral", "positive")}
        assert sum(p.values()) == pytest.approx(1.0, abs=1e-5)
        assert p[row["label"]] == max(p.values())


def test_bytes_that_are_not_utf_8_are_told(tmp_path: Path) -> None:
    path, out = tmp_path / "in.csv", tmp_path / "out.csv"
    path.write_bytes("text,entity\nNestlé sales rise,Nestlé\nplain,\n".encode("latin-1"))
    done = invoke("label", path, "--out", out)
    assert "1 rows hold bytes that are not UTF-8" in done.stderr
    assert len(rows(out)) == 2
    path.write_text("text\nProfit rises\n", encoding="utf-16")
    done = invoke("label", path, "--out", out, "--json")
    assert done.exit_code == 2
    assert "UTF-16" in json.loads(done.stdout)["error"]["detail"]


def test_an_open_quotation_mark_is_told(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text('text,entity\n"Profit rises,Voltas\nProfit falls,Voltas\n')
    document = json.loads(invoke("label", path, "--out", tmp_path / "out.csv", "--json").stdout)
    assert "quotation mark" in document["bad_rows"][0]["reason"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "symbol,name,aliases\nAAPL,Apple Inc,iPhone maker|Cupertino\nC,Citigroup,\n,,\n"),
        ("b.tsv", "Sector\tSymbol\tCompany\nTech\t$AAPL\tApple Inc\nBanks\t$C\tCitigroup\n"),
        ("c.csv", "ticker,company\nAAPL,Apple Inc\nC,Citigroup\n"),
        (
            "d.ndjson",
            '{"symbol":"AAPL","name":"Apple Inc","aliases":["x"]}\n\n{"symbol":"C","name":"Citigroup"}\n',
        ),
    ],
)
def test_link_reads_entities_however_they_are_kept(name: str, content: str, tmp_path: Path) -> None:
    entities, posts, out = tmp_path / name, tmp_path / "posts.csv", tmp_path / "out.csv"
    entities.write_text(content)
    posts.write_text('id,text\n7,"$AAPL vs Citigroup"\n8,nothing\n9,Citigroup\n')
    done = invoke("link", posts, "--entities", entities, "--out", out, "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["links"] == 3
    assert [(row["row"], row["symbol"], row["id"]) for row in rows(out)] == [
        ("1", "AAPL", "7"),
        ("1", "C", "7"),
        ("3", "C", "9"),
    ]
    assert float(rows(out)[0]["confidence"]) > 0.9


@pytest.mark.parametrize("content", ["name,x\nApple,1\n", "symbol,name\n", '{"symbol": \n', ""])
def test_useless_entities_are_wrong_use(content: str, tmp_path: Path, headlines: Path) -> None:
    entities = tmp_path / "entities.csv"
    entities.write_text(content)
    assert invoke("link", headlines, "--entities", entities, "--out", tmp_path / "o").exit_code == 2


def _training_files(folder: Path) -> tuple[Path, Path]:
    sentfin, tfns = folder / "sentfin.csv", folder / "tfns.csv"
    moods = {
        "positive": "gains on strong profit",
        "negative": "slumps on weak sales",
        "neutral": "names auditor",
    }
    with sentfin.open("w") as one, tfns.open("w") as two:
        one.write("title,entity,sentiment\n")
        two.write("text,sentiment\n")
        for n in range(12):
            for mood, words in moods.items():
                one.write(f"Firm{n} {words} in region {n},Firm{n},{mood}\n")
                two.write(f"$FIRM {words} number {n} https://t.co/{n},{mood}\n")
        one.write("Rane Holdings gains,Rane neutralings,positive\n")
    return sentfin, tfns


def test_training_is_reproducible_and_writes_a_working_model(tmp_path: Path) -> None:
    sentfin, tfns = _training_files(tmp_path)
    one, two = tmp_path / "one.bin", tmp_path / "two.bin"
    done = invoke("train", "sentiment", "--sentfin", sentfin, "--tfns", tfns, "--out", one, "--json")
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    train(sentfin, tfns, two, say=lambda _: None)
    assert one.read_bytes() == two.read_bytes()
    assert report["size"] == one.stat().st_size
    model = SentimentModel.load(one)
    assert model.read("Zed slumps on weak sales", "Zed").label == "negative"
    assert all(figure["low"] <= figure["value"] <= figure["high"] for figure in report["figures"])


def test_training_data_is_checked_and_repaired(tmp_path: Path) -> None:
    sentfin, tfns = _training_files(tmp_path)
    assert read_sentfin(sentfin)[-1].entity == "Rane Holdings"
    assert len({example.group for example in read_tfns(tfns)}) == 36
    sentfin.write_text("title,entity,sentiment\na,b,sad\n")
    with pytest.raises(DataError, match="sad"):
        read_sentfin(sentfin)
    assert invoke("train", "sentiment", "--sentfin", sentfin, "--tfns", tfns, "--out", "x").exit_code == 2
    sentfin.write_text("headline\n")
    with pytest.raises(DataError, match="title"):
        read_sentfin(sentfin)
    assert invoke("train", "sentiment", "--sentfin", "absent", "--tfns", tfns).exit_code == 2
