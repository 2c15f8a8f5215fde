"""A text cut where no word and no tag can be, so that what a piece holds can be remembered."""

import re
from collections.abc import Iterable

_ROUGH_WORD = re.compile(r"[@#$][^\W_]+|([^\W_]+(?:['’][sS]\b)?)")
"""Every word of a text that is not a tag, those in links too, as long as no link is glued to a word."""
# a link that no word and no tag runs into; what comes before is looked at after four plain characters, so
# that the search can go from one `http` to the next
_LINK = re.compile(r"http(?<![\w@#$]http)s?://\S*")
_LINK_START = re.compile("http|www")
_OF_RUNS = re.compile(r"[\w@#$']")
_GAPS = bytes(code if code > 127 or _OF_RUNS.match(chr(code)) else 32 for code in range(256))
"""The bytes that are part of no word or tag, as blanks."""


def runs_of(text: str) -> list[bytes]:
    """The runs of characters without a gap (UTF-8, lone surrogates kept), without plain links."""
    if "://" in text:
        text = _LINK.sub("", text)
    return text.encode("utf-8", "surrogatepass").translate(_GAPS).split()


def words_of_run(run: str) -> Iterable[str]:
    """The words of a run that are no tags, links or not."""
    if "http" not in run and "www" not in run:
        if run.isalnum():
            return (run,)
        if run[0] in "@#$" and run[1:].isalnum():
            return ()
    words = set(_ROUGH_WORD.findall(run))
    for link in _LINK_START.finditer(run):
        # what a link is glued to is a word by itself
        words.update(_ROUGH_WORD.findall(run[: link.start()]))
    return words
