"""JSON Feed (https://www.jsonfeed.org/version/1.1/): what of it an item needs."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct


class JsonEntry(Struct, frozen=True, kw_only=True):
    id: str | None
    url: str | None
    external_url: str | None
    title: str | None
    content_text: str | None
    content_html: str | None
    summary: str | None
    author: str | None
    language: str | None
    published: datetime | None
    modified: datetime | None


class JsonFeed(Struct, frozen=True, kw_only=True):
    title: str | None
    home_page_url: str | None
    feed_url: str | None
    language: str | None
    entries: list[JsonEntry]


def json_feed_entries(text: str) -> JsonFeed:
    """Reads the document; values of a wrong type count as absent. Raises `ValueError` when it is not one."""
    try:
        told = msgspec.json.decode(text.encode())
    except (msgspec.DecodeError, RecursionError):
        raise ValueError("the document is not valid JSON") from None
    items = told.get("items") if isinstance(told, dict) else None
    if not isinstance(items, list) or "jsonfeed.org/version/" not in str(told.get("version")):
        raise ValueError("the document is JSON and no JSON Feed")
    return JsonFeed(
        title=_text(told, "title"),
        home_page_url=_text(told, "home_page_url"),
        feed_url=_text(told, "feed_url"),
        language=_text(told, "language"),
        entries=[_entry(item) for item in items if isinstance(item, dict)],
    )


def _entry(item: dict[str, Any]) -> JsonEntry:
    identity = item.get("id")
    return JsonEntry(
        # version 1 allows numbers and says that a reader has to take them as text
        id=str(identity) if isinstance(identity, str | int | float) and identity != "" else None,
        url=_text(item, "url"),
        external_url=_text(item, "external_url"),
        title=_text(item, "title"),
        content_text=_text(item, "content_text"),
        content_html=_text(item, "content_html"),
        summary=_text(item, "summary"),
        author=_author(item),
        language=_text(item, "language"),
        published=_moment(_text(item, "date_published")),
        modified=_moment(_text(item, "date_modified")),
    )


def _author(item: dict[str, Any]) -> str | None:
    listed = item.get("authors")
    told = listed[0] if isinstance(listed, list) and listed else item.get("author")
    return _text(told, "name") if isinstance(told, dict) else None


def _text(holder: dict[str, Any], name: str) -> str | None:
    value = holder.get(name)
    return value if isinstance(value, str) and value else None


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
