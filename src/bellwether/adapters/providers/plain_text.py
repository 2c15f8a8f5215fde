"""HTML as feeds carry it, read as the words a person would see."""

from html.parser import HTMLParser

LARGEST_MARKUP = 300_000
"""Characters of one entry's HTML that are read; the rest is left out."""

_UNSEEN = {"script", "style", "template", "noscript", "iframe", "object", "svg", "head", "title"}
_BREAKS = {"p", "br", "div", "li", "ul", "ol", "tr", "table", "blockquote", "pre", "hr"} | {
    f"h{n}" for n in range(1, 7)
}


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._unseen: list[str] = []

    def handle_starttag(self, tag: str, _attrs: object) -> None:
        if tag in _UNSEEN:
            self._unseen.append(tag)
        elif tag in _BREAKS:
            self.parts.append("\n")

    def handle_startendtag(self, tag: str, _attrs: object) -> None:
        if tag in _BREAKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if self._unseen and tag == self._unseen[-1]:
            self._unseen.pop()
        elif tag in _BREAKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.parts.append(data)


def plain_text(markup: str, *, longest: int, html: bool = True) -> str | None:
    """Words of `markup`, spaces collapsed, a line a block, at most `longest` characters; `None` for none."""
    if html and ("<" in markup or "&" in markup):
        reader = _Words()
        reader.feed(markup[:LARGEST_MARKUP])
        reader.close()
        markup = "".join(reader.parts)
    lines = (" ".join(line.split()) for line in markup.replace("\x00", "").splitlines())
    return "\n".join(line for line in lines if line)[:longest].strip() or None
