"""Corrections to what the engine keeps across a restart.

Objects and streams correct observed faults, and tests/desk has a test that fails without each.
"""

import contextlib
from pathlib import Path
from typing import Any

from .rows import Rows


def acknowledge_only_written_objects(s3: Any) -> None:
    """Make a PUT whose bytes did not reach the disk fail.

    The engine logs the error (a full disk, most likely) and answers 200; the object is gone after a restart.
    """
    object_path = s3._object_disk_path

    def persist(bucket: str, key: str, record: dict[str, Any]) -> None:
        path = object_path(bucket, key)
        if path is None:
            raise OSError(f"no place on disk for {bucket}/{key}")
        Path(path).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        body = record.get("body")
        if body is not None:
            s3._atomic_write(path, body)
        meta = {**s3._object_meta_from_record(record), **s3._key_history_meta(bucket, key), "key": key}
        s3._atomic_write(path + ".meta.json", s3.json.dumps(meta), text=True)
        record["body"] = None
        root = str(Path(s3.DATA_DIR) / s3.get_account_id() / bucket)
        s3._remove_key_files(s3._other_key_disk_path(root, key, path))

    s3._persist_object = persist


def sweep_unfinished_objects(folder: Path) -> None:
    """Remove the temporary files of writes a kill interrupted. Nothing reads them; they would only add up."""
    for part in folder.rglob("*.tmp"):
        if not part.with_name(part.name + ".meta.json").exists():
            with contextlib.suppress(OSError):
                part.unlink()


class Streams:
    """Keeps table streams across a restart, and drops records every reader has seen.

    The engine saves each reader's position, an index into the stream, but not the stream: after a restart
    the streams are empty, the positions are not, and as many new records as there were old ones are skipped
    in silence.
    It also keeps every record for 24 hours, which at a desk's write rate outweighs the tables themselves.
    """

    def __init__(self, dynamodb: Any, functions: Any) -> None:
        self._dynamodb = dynamodb
        self._functions = functions

    def install(self) -> None:
        """Wrap state, restore and the poller."""
        table_state, restore = self._dynamodb.get_state, self._dynamodb.load_persisted_state
        poll = self._functions._poll_dynamodb_streams

        def get_state() -> dict[str, Any]:
            # Called in a snapshot's own process: what is dropped here stays in the engine until its poller
            # drops it, but is not written.
            self.trim()
            state = table_state()
            for table in state["tables"]._data.values():
                table["items"] = Rows(table["items"])
            return {
                **state,
                "bellwether_stream_records": self._dynamodb._stream_records,
                "bellwether_stream_trimmed": self._dynamodb._stream_trimmed,
            }

        def load(data: dict[str, Any]) -> Any:
            self._dynamodb._stream_records.update(data.get("bellwether_stream_records") or {})
            self._dynamodb._stream_trimmed.update(data.get("bellwether_stream_trimmed") or {})
            return restore(data)

        def poll_then_trim() -> Any:
            worked = poll()
            # On the poller's own thread: it is the only reader, so no reader sees a half-trimmed stream.
            self.trim()
            return worked

        self._dynamodb.get_state = get_state
        self._dynamodb.load_persisted_state = load
        self._functions._poll_dynamodb_streams = poll_then_trim

    def trim(self) -> None:
        """Drop what all functions reading a table have passed; tables nobody reads keep nothing."""
        records, trimmed = self._dynamodb._stream_records, self._dynamodb._stream_trimmed
        positions = self._positions()
        for scope, rows in list(records._data.items()):
            gone = trimmed._data.get(scope, 0)
            passed = min(positions[scope]) - gone if scope in positions else len(rows)
            if passed > 0:
                passed = min(passed, len(rows))
                del rows[:passed]
                trimmed._data[scope] = gone + passed

    def _positions(self) -> dict[tuple[str, str, str], list[int]]:
        found: dict[tuple[str, str, str], list[int]] = {}
        for account, region, esm in self._functions._iter_all_esms():
            source = esm.get("EventSourceArn", "")
            if ":dynamodb:" not in source:
                continue
            table = source.split(":table/", 1)[-1].split("/", 1)[0]
            position = self._functions._dynamodb_stream_positions.get_scoped(account, region, esm["UUID"], 0)
            found.setdefault((account, region, table), []).append(position)
        return found


_SETTLED = {"CREATE": "ROLLBACK_COMPLETE", "DELETE": "DELETE_FAILED"}


def settle_stacks(cloudformation: Any) -> None:
    """End the stack operations a kill interrupted.

    Nothing continues them, and the cdk command line would wait for them without end; from these states it
    replaces a stack that was never complete and updates one that was.
    """
    restore = cloudformation.load_persisted_state

    def load(data: Any) -> Any:
        result = restore(data)
        for stack in cloudformation._stacks._data.values():
            status = stack.get("StackStatus", "")
            if status.endswith("_IN_PROGRESS") and not status.startswith("REVIEW"):
                stack["StackStatus"] = _SETTLED.get(status.partition("_")[0], "UPDATE_ROLLBACK_COMPLETE")
        return result

    cloudformation.load_persisted_state = load
