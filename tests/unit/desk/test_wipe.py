"""What `reset` leaves behind."""

from pathlib import Path

from bellwether.cli.import_runs import ImportRun
from bellwether.desk.home import Home, write_private
from bellwether.desk.up import wipe


def test_a_wiped_desk_keeps_its_tools_alone(tmp_path: Path) -> None:
    home = Home.open(tmp_path)
    (home.tools / "engine").mkdir()
    interrupted = ImportRun(home.root, "local", ["posts.ndjson"])
    write_private(home.credentials, {"users": {}})
    (tmp_path / "tokens").mkdir()
    wipe(home)
    assert {path.name for path in tmp_path.iterdir()} == {"tools", "desk.lock"}
    assert not ImportRun(home.root, "local", ["posts.ndjson"]).resumed
    assert interrupted.name
